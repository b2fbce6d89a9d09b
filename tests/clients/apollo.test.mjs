// Apollo Client 4: normalised cache, pages that join, errors, persisted queries over GET, a subscription.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { createClient } from "graphql-ws";
import { OperationTypeNode } from "graphql";
import WebSocket from "ws";
import { anArticle, endpoint, socketEndpoint, until } from "./server.mjs";

const cache = () =>
  new InMemoryCache({ typePolicies: { Query: { fields: { articles: relayStylePagination(["filter", "orderBy"]) } } } });

function aClient(link = new HttpLink({ uri: endpoint })) {
  return new ApolloClient({ cache: cache(), link });
}

/** The first result of a watched query that is no longer loading. */
function settled(watched) {
  return new Promise((resolve) => watched.subscribe((result) => result.loading || resolve(result)));
}

const PAGE = gql`
  query Page($first: Int!, $after: String) {
    articles(first: $first, after: $after) {
      edges { cursor node { id title } }
      pageInfo { hasNextPage endCursor }
      totalCount
    }
  }
`;

test("pages join to one list in the cache", async () => {
  const client = aClient();
  const list = client.watchQuery({ query: PAGE, variables: { first: 3 } });
  const first = (await settled(list)).data.articles;
  assert.equal(first.edges.length, 3);
  await list.fetchMore({ variables: { after: first.pageInfo.endCursor } });
  await until(() => list.getCurrentResult().data.articles.edges.length > 3);
  const joined = list.getCurrentResult().data.articles;
  assert.equal(joined.edges.length, 6);
  assert.equal(new Set(joined.edges.map(({ node }) => node.id)).size, 6);
  client.stop();
});

test("an update changes what is shown of the article elsewhere", async () => {
  const client = aClient();
  const article = await anArticle();
  const shown = client.watchQuery({
    query: gql`query One($id: ID!) { article(id: $id) { id title revision } }`,
    variables: { id: article.id },
  });
  await settled(shown);
  const { data } = await client.mutate({
    mutation: gql`
      mutation Rename($input: UpdateArticleInput!) {
        updateArticle(input: $input) { article { id title revision } userErrors { code message path } }
      }
    `,
    variables: { input: { id: article.id, title: "Renamed" } },
  });
  assert.deepEqual(data.updateArticle.userErrors, []);
  assert.equal(shown.getCurrentResult().data.article.title, "Renamed");
  client.stop();
});

test("the same article found by meaning is the same in the cache", async () => {
  const client = aClient();
  await client.query({
    query: gql`query Found { recommend(query: "pasta", k: 3) { score article { id title similarTo(k: 2) { article { id title } } } } }`,
  });
  const articles = Object.keys(client.cache.extract()).filter((key) => key.startsWith("Article:"));
  assert.ok(articles.length >= 3);
});

test("errors come with their codes and cost no other field", async () => {
  const client = aClient();
  const query = gql`query Half { recommend(query: "") { score } articles { totalCount } }`;
  const { data, error } = await client.query({ query, errorPolicy: "all" });
  assert.ok(CombinedGraphQLErrors.is(error));
  assert.equal(error.errors[0].extensions.code, "BAD_USER_INPUT");
  assert.deepEqual(error.errors[0].path, ["recommend"]);
  assert.equal(data.recommend, null);
  assert.ok(data.articles.totalCount > 0);
  const wrong = client.query({ query: gql`query Wrong { nothing }` });
  await assert.rejects(wrong, (error) => error.errors[0].extensions.code === "GRAPHQL_VALIDATION_FAILED");
});

test("a persisted query is sent by GET, with its text the first time only", async () => {
  const sent = [];
  const recording = (uri, options) => {
    sent.push({ method: options.method, hasText: new URL(uri).searchParams.has("query") || /"query":/.test(options.body ?? "") });
    return fetch(uri, options);
  };
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const link = new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(
    new HttpLink({ uri: endpoint, fetch: recording }),
  );
  const query = gql`query Persisted { articles(first: 1) { totalCount } process${process.pid}: __typename }`;
  for (let time = 0; time < 2; time += 1) {
    const { data } = await aClient(link).query({ query });
    assert.ok(data.articles.totalCount > 0);
  }
  assert.deepEqual(sent[0], { method: "GET", hasText: false });
  assert.equal(sent.length, 3);
  assert.equal(sent[1].hasText, true);
  assert.deepEqual(sent[2], { method: "GET", hasText: false });
});

test("a subscription goes by WebSocket while the rest goes by HTTP", async () => {
  const socket = createClient({ url: socketEndpoint, webSocketImpl: WebSocket });
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: endpoint }),
  );
  const client = aClient(link);
  const kinds = [];
  const subscription = client
    .subscribe({ query: gql`subscription Changes { articleChanged { kind articleId article { id title } } }` })
    .subscribe(({ data }) => kinds.push([data.articleChanged.articleId, data.articleChanged.kind]));
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { id } = await anArticle();
  const ofThisArticle = () => kinds.filter(([article]) => article === id).map(([, kind]) => kind);
  await until(() => ofThisArticle().includes("INDEXED"));
  assert.deepEqual(ofThisArticle(), ["CREATED", "INDEXED"]);
  subscription.unsubscribe();
  client.stop();
  await socket.dispose();
});
