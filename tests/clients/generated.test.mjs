// Generators of typed clients: what they make of the schema is compiled in strict mode and run.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import "./server.mjs";

const folder = import.meta.dirname;

function run(program, ...args) {
  const { status, stdout, stderr } = spawnSync("npx", ["--no-install", program, ...args], { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, `${program} ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

const programs = ["codegen", "relay", "tada"];

test("graphql-codegen's client preset, gql.tada and relay-compiler, in strict TypeScript", () => {
  for (const made of ["built", "codegen/generated", "relay/__generated__", "tada/generated"]) {
    rmSync(`${folder}/${made}`, { recursive: true, force: true });
  }
  mkdirSync(`${folder}/relay/__generated__`);
  run("graphql-codegen", "--config", "codegen/codegen.ts");
  run("gql.tada", "generate", "output", "--tsconfig", "tada/tsconfig.json");
  run("relay-compiler");
  run("tsc", "--project", ".");
  run("tsc", "--project", "relay");
  run("babel", "relay", "--config-file", "./relay/babel.config.json", "--extensions", ".ts", "--out-dir", "built/relay");
  copyFileSync(`${folder}/relay/package.json`, `${folder}/built/relay/package.json`);
});

for (const program of programs) {
  test(`the program of ${program} runs`, () => {
    execFileSync(process.execPath, [`built/${program}/client.js`], { cwd: folder, stdio: "inherit" });
  });
}

test("the documents that codegen has written are a manifest", () => {
  const documents = JSON.parse(readFileSync(`${folder}/codegen/generated/persisted-documents.json`, "utf8"));
  assert.equal(Object.keys(documents).length, 3);
});
