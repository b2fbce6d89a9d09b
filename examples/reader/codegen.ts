import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../../schema.graphql",
  documents: ["src/**/*.tsx", "src/**/*.ts", "!src/generated/**"],
  generates: {
    "src/generated/": {
      preset: "client",
      config: { strictScalars: true, scalars: { DateTime: "string" }, useTypeImports: true, enumsAsTypes: true },
    },
    // What the normalised cache needs to know of the schema.
    "src/generated/introspection.json": { plugins: ["introspection"], config: { minify: true } },
  },
};

export default config;
