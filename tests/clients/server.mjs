// The server under test, and what all suites ask of it.
import assert from "node:assert/strict";

assert.ok(process.env.SERVER_URL, "SERVER_URL is set by scripts/with-server.sh: call `make test-clients`");

export const endpoint = `${process.env.SERVER_URL}/graphql`;
export const socketEndpoint = endpoint.replace("http", "ws");

/** Sends a document without any client; returns its data. */
export async function plain(query, variables = {}) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

let articles = 0;

/** Creates an article, as somebody else would. */
export async function anArticle(title = `Article ${(articles += 1)} of process ${process.pid}`) {
  const { createArticle } = await plain(
    `mutation ($input: CreateArticleInput!) {
       createArticle(input: $input) { article { id title } userErrors { message } }
     }`,
    { input: { title, content: `Words about ${title}.` } },
  );
  assert.deepEqual(createArticle.userErrors, []);
  return createArticle.article;
}

/** Waits until the condition holds; the test's own time-out ends it otherwise. */
export async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
