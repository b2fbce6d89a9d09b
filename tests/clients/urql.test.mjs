// urql with its normalised cache: pages that join, updates, errors, persisted queries, subscriptions by SSE and WebSocket.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { persistedExchange } from "@urql/exchange-persisted";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import { createClient as createWsClient } from "graphql-ws";
import WebSocket from "ws";
import { anArticle, endpoint, plain, socketEndpoint, until } from "./server.mjs";

const schema = await plain(getIntrospectionQuery());

test("the schema can be introspected as clients do", () => {
  assert.ok(buildClientSchema(schema).getQueryType().getFields().recommend);
});

function aClient(...exchanges) {
  const cache = cacheExchange({ schema, resolvers: { Query: { articles: relayPagination() } } });
  return new Client({ url: endpoint, preferGetMethod: false, exchanges: [cache, ...exchanges, fetchExchange] });
}

const PAGE = gql`
  query Page($first: Int!, $after: String) {
    articles(first: $first, after: $after) {
      edges { cursor node { id title } }
      nodes { id }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;

test("pages join to one list in the cache", async () => {
  const client = aClient();
  const first = await client.query(PAGE, { first: 3 }).toPromise();
  assert.equal(first.error, undefined);
  const after = first.data.articles.pageInfo.endCursor;
  const joined = await client.query(PAGE, { first: 3, after }).toPromise();
  assert.equal(joined.data.articles.edges.length, 6);
  assert.equal(joined.data.articles.nodes.length, 6);
});

test("an update changes what is shown of the article elsewhere", async () => {
  const client = aClient();
  const { id } = await anArticle();
  const one = gql`query One($id: ID!) { article(id: $id) { id title } }`;
  await client.query(one, { id }).toPromise();
  const rename = gql`
    mutation Rename($input: UpdateArticleInput!) {
      updateArticle(input: $input) { article { id title } userErrors { message } }
    }
  `;
  const renamed = await client.mutation(rename, { input: { id, title: "Renamed" } }).toPromise();
  assert.equal(renamed.error, undefined);
  const shown = await client.query(one, { id }, { requestPolicy: "cache-only" }).toPromise();
  assert.equal(shown.data.article.title, "Renamed");
});

test("errors come with their codes and cost no other field", async () => {
  const query = gql`query Half { recommend(query: "") { score article { id } } articles(first: 1) { totalCount nodes { id } } }`;
  const { data, error } = await aClient().query(query, {}).toPromise();
  assert.equal(error.graphQLErrors[0].extensions.code, "BAD_USER_INPUT");
  assert.equal(data.recommend, null);
  assert.ok(data.articles.totalCount > 0);
});

test("a persisted query is found by its hash the second time", async () => {
  const persisted = persistedExchange({ preferGetForPersistedQueries: true });
  const query = gql`query Persisted { articles(first: 1) { totalCount nodes { id } } process${process.pid}: __typename }`;
  for (let time = 0; time < 2; time += 1) {
    const { data, error } = await aClient(persisted).query(query, {}).toPromise();
    assert.equal(error, undefined);
    assert.ok(data.articles.totalCount > 0);
  }
});

async function seesChanges(client) {
  const query = gql`subscription Changes { articleChanged { kind articleId article { id title } } }`;
  const kinds = [];
  const { unsubscribe } = client.subscription(query, {}).subscribe(({ data, error }) => {
    assert.equal(error, undefined);
    kinds.push([data.articleChanged.articleId, data.articleChanged.kind]);
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { id } = await anArticle();
  const ofThisArticle = () => kinds.filter(([article]) => article === id).map(([, kind]) => kind);
  await until(() => ofThisArticle().includes("INDEXED"));
  unsubscribe();
  return ofThisArticle();
}

test("a subscription by WebSocket", async () => {
  const socket = createWsClient({ url: socketEndpoint, webSocketImpl: WebSocket });
  const forwardSubscription = ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
  });
  assert.deepEqual(await seesChanges(aClient(subscriptionExchange({ forwardSubscription }))), ["CREATED", "INDEXED"]);
  await socket.dispose();
});

test("a subscription by server-sent events, without any other library", async () => {
  const cache = cacheExchange({ schema });
  const client = new Client({ url: endpoint, fetchSubscriptions: true, preferGetMethod: false, exchanges: [cache, fetchExchange] });
  assert.deepEqual(await seesChanges(client), ["CREATED", "INDEXED"]);
});
