// gql.tada infers the types from the documents; the compiler is the test, and the program is run besides.
import assert from "node:assert/strict";
import { print } from "graphql";
import { initGraphQLTada } from "gql.tada";
import type { ResultOf } from "gql.tada";
import type { introspection } from "./generated/introspection.js";

const graphql = initGraphQLTada<{ introspection: introspection; scalars: { DateTime: string } }>();

const Similar = graphql(`
  query Similar($first: Int!) {
    articles(first: $first) {
      nodes { id title createdAt tags similarTo(k: 2) { score article { id } } }
    }
  }
`);

const response = await fetch(`${process.env.SERVER_URL}/graphql`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ query: print(Similar), variables: { first: 4 } }),
});
const { data } = (await response.json()) as { data: ResultOf<typeof Similar> };
const [first] = data.articles.nodes;
assert.ok(first);
const title: string = first.title;
const createdAt: string = first.createdAt;
assert.ok(title && createdAt);
assert.equal(data.articles.nodes.length, 4);
// @ts-expect-error: the title is no number.
const wrong: number = first.title;
void wrong;
