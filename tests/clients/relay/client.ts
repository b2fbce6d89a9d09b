// relay-compiler's artifacts in relay-runtime, without a view: a paginated fragment whose pages join in the store, a fragment
// refetched through `node`, and a mutation.
import assert from "node:assert/strict";
import * as runtime from "relay-runtime";
import type { GraphQLResponse, RequestParameters, SingularReaderSelector, Variables } from "relay-runtime";
import ListQuery from "./__generated__/clientListQuery.graphql";
import listFragment from "./__generated__/clientList.graphql";
import type { clientList$data } from "./__generated__/clientList.graphql";
import PageQuery from "./__generated__/clientPageQuery.graphql";
import RenameMutation from "./__generated__/clientRenameMutation.graphql";
import type { clientRenameMutation } from "./__generated__/clientRenameMutation.graphql";
import SimilarQuery from "./__generated__/clientSimilarQuery.graphql";

const { Environment, Network, RecordSource, Store } = runtime;
const { commitMutation, createOperationDescriptor, fetchQuery, getSelector, graphql } = runtime;

void graphql`
  query clientListQuery($count: Int!) {
    ...clientList @arguments(count: $count)
  }
`;

void graphql`
  fragment clientList on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "clientPageQuery") {
    articles(first: $count, after: $cursor) @connection(key: "clientList_articles") {
      edges { node { id title ...clientSimilar } }
      pageInfo { endCursor hasNextPage }
    }
  }
`;

void graphql`
  fragment clientSimilar on Article
  @argumentDefinitions(k: { type: "Int", defaultValue: 2 })
  @refetchable(queryName: "clientSimilarQuery") {
    similarTo(k: $k) { score article { id title } }
  }
`;

void graphql`
  mutation clientRenameMutation($input: UpdateArticleInput!) {
    updateArticle(input: $input) { article { id title } userErrors { message } }
  }
`;

const network = Network.create(async (request: RequestParameters, variables: Variables) => {
  const response = await fetch(`${process.env.SERVER_URL}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: request.text, variables }),
  });
  return (await response.json()) as GraphQLResponse;
});
const environment = new Environment({ network, store: new Store(new RecordSource()) });

const operation = createOperationDescriptor(ListQuery, { count: 2 });
environment.retain(operation);

/** The list as a view would see it. */
function list(): clientList$data["articles"] {
  const root = environment.lookup(operation.fragment).data;
  const selector = getSelector(listFragment, root) as SingularReaderSelector;
  return (environment.lookup(selector).data as unknown as clientList$data).articles;
}

async function main(): Promise<void> {
  await fetchQuery(environment, ListQuery, { count: 2 }).toPromise();
  assert.equal(list().edges.length, 2);
  const cursor = list().pageInfo.endCursor;
  await fetchQuery(environment, PageQuery, { count: 2, cursor }).toPromise();
  const ids = list().edges.map(({ node }) => node.id);
  assert.equal(new Set(ids).size, 4);

  const id = ids[0]!;
  await fetchQuery(environment, SimilarQuery, { id, k: 3 }).toPromise();
  const similar = environment.getStore().getSource().get(id);
  assert.ok(similar && Object.keys(similar).some((field) => field.startsWith("similarTo")));

  await new Promise((resolve, reject) => {
    commitMutation<clientRenameMutation>(environment, {
      mutation: RenameMutation,
      variables: { input: { id, title: "Renamed by Relay" } },
      onCompleted: resolve,
      onError: reject,
    });
  });
  assert.equal(list().edges[0]!.node.title, "Renamed by Relay");
}

void main();
