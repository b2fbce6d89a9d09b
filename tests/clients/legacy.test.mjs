// The older WebSocket protocol, graphql-ws, as its own client (subscriptions-transport-ws) and Apollo's WebSocketLink over it speak it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { ApolloClient, InMemoryCache, gql } from "@apollo/client";
import { WebSocketLink } from "@apollo/client/link/ws";
import { SubscriptionClient } from "subscriptions-transport-ws";
import WebSocket from "ws";
import { anArticle, plain, socketEndpoint, until } from "./server.mjs";

const CHANGES = "subscription { articleChanged { kind articleId article { title } } }";

function aClient(options = {}, url = socketEndpoint) {
  return new SubscriptionClient(url, options, WebSocket);
}

/** All results of an operation that ends by itself. */
function results(client, request) {
  return new Promise((resolve, reject) => {
    const heard = [];
    client.request(request).subscribe({ next: (result) => heard.push(result), error: reject, complete: () => resolve(heard) });
  });
}

/** The changes that a subscription hears of, by article. */
function changes(client) {
  const kinds = {};
  const { unsubscribe } = client.request({ query: CHANGES }).subscribe({
    next: ({ data, errors }) => {
      assert.equal(errors, undefined);
      (kinds[data.articleChanged.articleId] ??= []).push(data.articleChanged.kind);
    },
    error: (error) => assert.fail(error),
  });
  return { kinds, unsubscribe };
}

/** Creates articles until a subscription hears of one, however long it takes to begin; returns that one's id. */
async function anArticleHeardOf(kinds) {
  for (;;) {
    const { id } = await anArticle();
    const deadline = Date.now() + 500;
    await until(() => kinds[id]?.includes("INDEXED") || (!kinds[id] && Date.now() > deadline));
    if (kinds[id]) return id;
  }
}

test("queries and mutations, sent before the connection stands", async () => {
  const client = aClient();
  const query = "query Page($first: Int!) { articles(first: $first) { nodes { id } } } query Other { __typename }";
  const found = results(client, { query, variables: { first: 2 }, operationName: "Page" });
  const input = { title: `Legacy ${process.pid}`, content: "Words." };
  const mutation = "mutation ($input: CreateArticleInput!) { createArticle(input: $input) { article { id title } } }";
  const [{ data }] = await results(client, { query: mutation, variables: { input } });
  assert.equal(data.createArticle.article.title, input.title);
  const [page, ...more] = await found;
  assert.equal(page.data.articles.nodes.length, 2);
  assert.deepEqual(more, []);
  client.close();
});

test("a subscription hears until it is unsubscribed", async () => {
  const client = aClient();
  const { kinds, unsubscribe } = changes(client);
  const heard = await anArticleHeardOf(kinds);
  assert.deepEqual(kinds[heard].slice(-1), ["INDEXED"]);
  unsubscribe();
  // Its end was read before this query was.
  await results(client, { query: "{ __typename }" });
  const { id } = await anArticle();
  await results(client, { query: "{ __typename }" });
  assert.equal(kinds[id], undefined);
  client.close();
});

test("a document that is refused is an error of its operation alone", async () => {
  const client = aClient();
  const { kinds, unsubscribe } = changes(client);
  for (const [query, code] of [
    ["{ nothing }", "GRAPHQL_VALIDATION_FAILED"],
    ["{ ", "GRAPHQL_PARSE_FAILED"],
    ["subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"],
  ]) {
    await assert.rejects(results(client, { query }), (error) => error.extensions.code === code);
  }
  const [{ data, errors }] = await results(client, { query: '{ recommend(query: "") { score } articles { totalCount } }' });
  assert.equal(errors[0].extensions.code, "BAD_USER_INPUT");
  assert.ok(data.articles.totalCount > 0);
  await anArticleHeardOf(kinds);
  unsubscribe();
  client.close();
});

test("a client whose connection breaks connects anew and goes on", async () => {
  const { hostname, port } = new URL(socketEndpoint);
  const open = new Set();
  const between = createServer((socket) => {
    const server = connect(port, hostname);
    for (const end of [socket, server]) end.on("error", () => {});
    socket.on("close", () => server.destroy());
    socket.pipe(server).pipe(socket);
    open.add(socket);
  }).listen(0, "127.0.0.1");
  await once(between, "listening");
  const client = aClient({ reconnect: true }, `ws://127.0.0.1:${between.address().port}/graphql`);
  let reconnected = false;
  client.onReconnected(() => (reconnected = true));
  const { kinds } = changes(client);
  await anArticleHeardOf(kinds);
  for (const socket of open) socket.destroy();
  await until(() => reconnected);
  await anArticleHeardOf(kinds);
  client.close();
  between.close();
});

test("Apollo's WebSocketLink queries and subscribes", async () => {
  const socket = aClient({ lazy: true });
  const client = new ApolloClient({ cache: new InMemoryCache(), link: new WebSocketLink(socket) });
  const { data } = await client.query({ query: gql`query Some { articles(first: 1) { totalCount } }` });
  assert.ok(data.articles.totalCount > 0);
  const kinds = {};
  const subscription = client.subscribe({ query: gql(CHANGES) }).subscribe(({ data }) => {
    (kinds[data.articleChanged.articleId] ??= []).push(data.articleChanged.kind);
  });
  await anArticleHeardOf(kinds);
  subscription.unsubscribe();
  client.stop();
  socket.close();
});

test("what it reads is what plain HTTP reads", async () => {
  const query = "{ articles(first: 5, orderBy: { field: TITLE, direction: ASC }) { nodes { id title content tags createdAt } } }";
  const client = aClient();
  const [{ data }] = await results(client, { query });
  assert.deepEqual(data, await plain(query));
  client.close();
});
