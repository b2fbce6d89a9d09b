// Uses every kind of operation with the generated types; compiled in strict mode and run.
import assert from "node:assert/strict";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { graphql, useFragment } from "./generated/index.js";
import type { CreateArticleInput, RecommendOptions } from "./generated/graphql.js";

const endpoint = `${process.env.SERVER_URL}/graphql`;

async function execute<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Data; errors?: unknown };
  assert.equal(errors, undefined);
  assert.ok(data);
  return data;
}

const Card = graphql(`
  fragment Card on Article { id title category tags updatedAt indexState }
`);

const Recommended = graphql(`
  query Recommended($query: String!, $options: RecommendOptions) {
    recommend(query: $query, k: 3, options: $options) {
      score
      passage { text start end highlights { start end } }
      explanation { cosine tier rankingScore }
      article { ...Card similarTo(k: 2) { score article { id } } }
    }
  }
`);

const Create = graphql(`
  mutation Create($input: CreateArticleInput!) {
    createArticle(input: $input) { article { id revision } userErrors { code message path } }
  }
`);

const Delete = graphql(`
  mutation Delete($input: DeleteArticleInput!) {
    deleteArticle(input: $input) { deletedArticleId userErrors { code } }
  }
`);

const options: RecommendOptions = { mode: "HYBRID", diversity: 0.3, filter: { categoryNotIn: ["none"] } };
const { recommend } = await execute(Recommended, { query: "pasta", options });
assert.ok(recommend && recommend.length === 3);
const card = useFragment(Card, recommend[0]!.article);
const title: string = card.title;
assert.equal(title, "Spaghetti Carbonara the Roman Way");
const state: "PENDING" | "INDEXED" | "FAILED" = card.indexState;
assert.equal(state, "INDEXED");

const input: CreateArticleInput = { title: "Typed", content: "Words." };
const { createArticle } = await execute(Create, { input });
assert.deepEqual(createArticle?.userErrors, []);
const id: string = createArticle!.article!.id;
const { deleteArticle } = await execute(Delete, { input: { id } });
assert.equal(deleteArticle?.deletedArticleId, id);

// Compiled, never called.
// @ts-expect-error: a query that is no string must not compile.
void (() => execute(Recommended, { query: 1 }));
