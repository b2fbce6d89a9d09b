// The schema by the rules of graphql-eslint: all of them, and those of Relay. What is off says why.
import graphql from "@graphql-eslint/eslint-plugin";

const everythingIsDescribed = [
  "error",
  { types: true, rootField: true, DirectiveDefinition: true, FieldDefinition: true, InputValueDefinition: true, EnumValueDefinition: true },
];

const exceptions = {
  // Fields are in the order in which they are explained, the most important first.
  "@graphql-eslint/alphabetize": "off",
  // What has an identity implements Node; the rest are values, which caches keep in their owners.
  "@graphql-eslint/strict-id-in-types": "off",
  // `nodes` and the lists of recommendations are for clients that need no edges; a recommendation is a value, not a Node.
  "@graphql-eslint/relay-edge-types": [
    "error",
    { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
  ],
  // A ranking is read from its best article on.
  "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
  // A mutation answers with what it has changed. What else is to be read is read by a query.
  "@graphql-eslint/require-field-of-type-query-in-mutation-result": "off",
  // The rule forbids whatever root types it is told to.
  "@graphql-eslint/no-root-type": "off",
  // A page of articles and the state of the index exist, or nothing does: clients need not ask.
  "@graphql-eslint/require-nullable-result-in-root": "off",
};

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "../../schema.graphql" } },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-all"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      "@graphql-eslint/require-description": everythingIsDescribed,
      ...exceptions,
    },
  },
];
