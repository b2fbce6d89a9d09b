// The transports, judged by the reference implementations of their specifications.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serverAudits } from "graphql-http";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import WebSocket from "ws";
import { anArticle, endpoint, socketEndpoint } from "./server.mjs";

const CHANGES = "subscription { articleChanged { kind articleId article { title } } }";

test("every audit of GraphQL over HTTP is ok", async (t) => {
  const audits = serverAudits({ url: endpoint });
  assert.equal(audits.length, 61);
  for (const audit of audits) {
    await t.test(`${audit.id} ${audit.name}`, async () => {
      const { status, reason } = await audit.fn();
      assert.equal(status, "ok", reason);
    });
  }
});

/** The changes that a client sees of an article that is created meanwhile. */
async function changes(iterator) {
  const first = iterator.next();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const article = await anArticle();
  const seen = [];
  for (let result = await first; ; result = await iterator.next()) {
    assert.equal(result.value.errors, undefined);
    const change = result.value.data.articleChanged;
    if (change.articleId !== article.id) continue;
    seen.push(change.kind);
    if (change.kind === "INDEXED") {
      assert.equal(change.article.title, article.title);
      break;
    }
  }
  await iterator.return();
  return seen;
}

test("the client of graphql-ws queries and subscribes", async () => {
  const client = createWsClient({ url: socketEndpoint, webSocketImpl: WebSocket });
  const once = client.iterate({ query: "{ articles { totalCount } }" });
  assert.ok((await once.next()).value.data.articles.totalCount > 0);
  assert.deepEqual(await changes(client.iterate({ query: CHANGES })), ["CREATED", "INDEXED"]);
  const refused = client.iterate({ query: "{ nothing }" });
  await assert.rejects(refused.next(), (errors) => errors[0].extensions.code === "GRAPHQL_VALIDATION_FAILED");
  await client.dispose();
});

test("the client of graphql-sse queries and subscribes", async () => {
  const client = createSseClient({ url: endpoint });
  const once = client.iterate({ query: "{ articles { totalCount } }" });
  assert.ok((await once.next()).value.data.articles.totalCount > 0);
  assert.deepEqual(await changes(client.iterate({ query: CHANGES })), ["CREATED", "INDEXED"]);
  client.dispose();
});
