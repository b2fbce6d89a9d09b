// The schema, judged by the linter that its users run.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { ESLint } from "eslint";
import { buildSchema, validateSchema } from "graphql";

const folder = import.meta.dirname;
const sdl = await readFile(`${folder}/../../schema.graphql`, "utf8");

test("graphql-js finds nothing wrong with the schema", () => {
  assert.deepEqual(validateSchema(buildSchema(sdl)), []);
});

test("graphql-eslint finds nothing that is no listed exception", async () => {
  const eslint = new ESLint({ cwd: folder });
  const [{ messages }] = await eslint.lintText(sdl, { filePath: `${folder}/linted.graphql` });
  // The arguments of the directives that the specification itself defines have no descriptions of ours.
  const ours = messages.filter(({ message }) => !/in directive "(include|skip|specifiedBy)"/.test(message));
  assert.deepEqual(ours.map(({ line, message, ruleId }) => `${line}: ${message} (${ruleId})`), []);
});

test("the linter does find what is wrong", async () => {
  const eslint = new ESLint({ cwd: folder });
  const wrong = sdl.replace("type PageInfo {", "type PageInfo {\n  bad_name: Int\n");
  const [{ messages }] = await eslint.lintText(wrong, { filePath: `${folder}/linted.graphql` });
  const rules = messages.map(({ ruleId }) => ruleId);
  assert.ok(rules.includes("@graphql-eslint/naming-convention") && rules.includes("@graphql-eslint/require-description"), rules);
});

test("a change that breaks clients is found", () => {
  const compare = (before) => spawnSync(process.execPath, ["compare-schema.mjs", "before"], { cwd: folder, input: before, encoding: "utf8" });
  assert.equal(compare(sdl).status, 0);
  const { status, stderr } = compare(sdl.replace("type PageInfo {", "type PageInfo {\n  gone: Int\n"));
  assert.equal(status, 1);
  assert.match(stderr, /PageInfo/);
});
