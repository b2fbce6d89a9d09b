// What the specification of September 2025 brought, compared with graphql-js 17: graphql-core 3.2, which the documents of
// python/ are compared with, is older.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { buildSchema, execute, getIntrospectionQuery, Lexer, parse, Source, TokenKind, validate } from "graphql-17";
import { endpoint } from "./server.mjs";

const schema = buildSchema(await readFile(`${import.meta.dirname}/../../schema.graphql`, "utf8"));

async function answer(query, operationName) {
  const body = JSON.stringify({ query, operationName });
  const response = await fetch(endpoint, { method: "POST", headers: { "content-type": "application/json" }, body });
  return response.json();
}

/** The code that the server gives for what graphql-js finds wrong; null when that is nothing. */
function code(query) {
  let document;
  try {
    document = parse(query);
  } catch {
    return "GRAPHQL_PARSE_FAILED";
  }
  return validate(schema, document).length > 0 ? "GRAPHQL_VALIDATION_FAILED" : null;
}

async function agrees(query, operationName) {
  const { data, errors } = await answer(query, operationName);
  assert.equal(errors?.[0].extensions.code ?? null, code(query), `${query}: ${errors?.[0].message}`);
  return data;
}

/** Where a document has a token. */
function starts(query) {
  const lexer = new Lexer(new Source(query));
  const found = [];
  while (lexer.advance().kind !== TokenKind.EOF) found.push(lexer.token.start);
  return [...found, query.length];
}

const DOCUMENTS = [
  "query Count($n: Int = 1, $b: Boolean! = true) { articles(first: $n) { totalCount @include(if: $b) } }",
  "query { ...F } fragment F on Query { articles(first: 1) { ...G } } fragment G on ArticleConnection { totalCount }",
  '{ one: node(id: "1") { ... on Article { title } } }',
  'query A { __typename } query Count { nodes(ids: "1") { id } }',
];

test("descriptions may stand where they may, and nowhere else", async () => {
  let [valid, not] = [0, 0];
  for (const document of DOCUMENTS) {
    const operationName = document.includes("query Count") ? "Count" : undefined;
    const { data } = await answer(document, operationName);
    for (const start of starts(document)) {
      for (const description of ['"What it is for." ', '"""\n  What it is for,\n  in { many } lines.\n"""\n']) {
        const described = document.slice(0, start) + description + document.slice(start);
        if (code(described) === null) valid += 1;
        else not += 1;
        const found = await agrees(described, operationName);
        if (found !== undefined) assert.deepEqual(found, data, described);
      }
    }
  }
  assert.ok(valid > 10 && not > 100, `${valid} are valid, ${not} are not`);
});

test("errors of a described document have their places in the text that was sent", async () => {
  const { errors } = await answer('"Counts." query ("How many." $n: Int = 1) { articles(first: $n) { total } }');
  assert.deepEqual(errors[0].locations, [{ line: 1, column: 67 }]);
});

test("a condition at the root of a subscription is refused", async () => {
  for (const root of [
    "indexStatus @skip(if: false) { state }",
    "... @include(if: true) { indexStatus { state } }",
    "... on Subscription { indexStatus @include(if: true) { state } }",
    "...F @skip(if: false)",
  ]) {
    const fragment = root.includes("...F") ? " fragment F on Subscription { indexStatus { state } }" : "";
    await agrees(`subscription { ${root} }${fragment}`);
  }
});

/** An answer to introspection without the order of lists, which no specification tells. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted).sort((one, other) => (one.name < other.name ? -1 : 1));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, sorted(inner)]));
}

test("introspection tells what graphql-js tells of the same schema", async () => {
  const query = getIntrospectionQuery({
    oneOf: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
  });
  const { data, errors } = await answer(query);
  assert.equal(errors, undefined);
  const expected = await execute({ schema, document: parse(query) });
  const { types, directives, description: _, ...roots } = JSON.parse(JSON.stringify(expected.data.__schema));
  assert.deepEqual(sorted(known(data.__schema.types)), sorted(known(types)));
  // Of the directives that the specification defines a server lists those that it has a use for.
  for (const directive of data.__schema.directives) {
    const theirs = directives.find(({ name }) => name === directive.name);
    // That directives can be deprecated is newer than September 2025.
    const locations = theirs.locations.filter((location) => location !== "DIRECTIVE_DEFINITION");
    assert.deepEqual([directive.isRepeatable, directive.locations.sort()], [theirs.isRepeatable, locations.sort()], directive.name);
  }
  for (const [kind, type] of Object.entries(roots)) assert.deepEqual(data.__schema[kind], type);
});

/** What is to be equal of types: each server has words of its own for the types that the specification defines. */
function known(types) {
  const BUILT_IN = ["ID", "Int", "String", "Boolean", "Float"];
  const own = types.filter(({ name }) => !name.startsWith("__"));
  return own.map((type) => ({
    ...type,
    description: BUILT_IN.includes(type.name) ? null : type.description,
    // async-graphql has none for an interface that implements no other, where the specification has an empty list.
    interfaces: type.name === "Node" ? [] : type.interfaces,
  }));
}

test("every field of introspection can be asked for, also of its own types", async () => {
  const names = Object.keys(schema.getTypeMap()).filter((name) => name.startsWith("__"));
  for (const name of names) {
    const type = `{ __type(name: "${name}") { name kind isOneOf fields(includeDeprecated: true) { name } enumValues { name } } }`;
    const { data, errors } = await answer(type);
    assert.equal(errors, undefined, name);
    const expected = (await execute({ schema, document: parse(type) })).data.__type;
    for (const field of expected.fields ?? []) {
      // Of a newer specification, as above.
      if (name === "__Directive" && ["isDeprecated", "deprecationReason"].includes(field.name)) continue;
      assert.ok(data.__type.fields.some(({ name }) => name === field.name), `${name}.${field.name}`);
    }
    assert.deepEqual([data.__type.kind, data.__type.isOneOf], [expected.kind, expected.isOneOf], name);
  }
  for (const [name, isOneOf] of [["ArticleFilter", false], ["Article", null], ["ID", null], ["OrderDirection", null]]) {
    const query = `{ __type(name: "${name}") { isOneOf } }`;
    assert.deepEqual((await answer(query)).data, { __type: { isOneOf } });
    assert.deepEqual((await execute({ schema, document: parse(query) })).data.__type.isOneOf, isOneOf);
  }
});
