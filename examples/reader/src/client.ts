// One client: a normalised cache, queries and mutations over HTTP, subscriptions over a WebSocket, all with the key.
import { cacheExchange } from "@urql/exchange-graphcache";
import type { CacheExchangeOpts } from "@urql/exchange-graphcache";
import { Client, fetchExchange, makeOperation, mapExchange, subscriptionExchange } from "urql";
import { keepSubscribed } from "./connection";
import { endpoint } from "./endpoint";
import introspection from "./generated/introspection.json";
import { askForKey, authorization, hasCode, key } from "./key";
import { refetchExchange } from "./refetch";

/** Values without an identity are kept in their owners. */
const withoutKey = () => null;

const cache = cacheExchange({
  schema: introspection as unknown as NonNullable<CacheExchangeOpts["schema"]>,
  keys: {
    Recommendation: withoutKey,
    Passage: withoutKey,
    Highlight: withoutKey,
    UserError: withoutKey,
  },
  updates: {
    Mutation: {
      createArticle: (_result, _arguments, cache) => cache.invalidate("Query", "articles"),
      deleteArticle: (_result, { input }, cache) => {
        cache.invalidate({ __typename: "Article", id: (input as { id: string }).id });
      },
    },
    Subscription: {
      articleChanged: ({ articleChanged }, _arguments, cache) => {
        const { kind, articleId } = articleChanged as { kind: string; articleId: string };
        if (kind === "DELETED") cache.invalidate({ __typename: "Article", id: articleId });
      },
    },
  },
});

/** Requests carry the key; a refusal for want of one has the page ask for it. */
const withKey = mapExchange({
  onOperation(operation) {
    const sentKey = key.get();
    const fetchOptions = { headers: authorization(sentKey) };
    return makeOperation(operation.kind, operation, { ...operation.context, sentKey, fetchOptions });
  },
  onError(error, { context }) {
    if (hasCode(error.graphQLErrors, "UNAUTHENTICATED")) askForKey(context["sentKey"]);
  },
});

const subscriptions = subscriptionExchange({
  forwardSubscription: ({ query = "", variables }) => ({
    subscribe: ({ next }) => ({ unsubscribe: keepSubscribed({ query, variables }, next) }),
  }),
});

export const client = new Client({
  url: endpoint.href,
  exchanges: [refetchExchange, cache, withKey, subscriptions, fetchExchange],
  preferGetMethod: false,
});
