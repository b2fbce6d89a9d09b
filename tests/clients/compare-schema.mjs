// Compares schema.graphql with a schema on standard input, that of the release which is named; fails at changes that break its clients.
import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const [release] = process.argv.slice(2);
const before = buildSchema(readFileSync(0, "utf8"));
const now = buildSchema(readFileSync(`${import.meta.dirname}/../../schema.graphql`, "utf8"));
const changes = await diff(before, now);
const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
console.log(`schema: ${changes.length} changes since ${release}, ${breaking.length} of them break clients`);
for (const { message } of breaking) console.error(`breaks clients: ${message}`);
process.exitCode = breaking.length === 0 ? 0 : 1;
