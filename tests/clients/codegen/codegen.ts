import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../../schema.graphql",
  documents: ["codegen/client.ts"],
  emitLegacyCommonJSImports: false,
  generates: {
    "codegen/generated/": {
      preset: "client",
      config: { strictScalars: true, scalars: { DateTime: "string" }, useTypeImports: true, enumsAsTypes: true },
      presetConfig: { persistedDocuments: true },
    },
  },
};

export default config;
