// One client: a normalised cache, and subscriptions as server-sent events, which need no library.
import { cacheExchange } from "@urql/exchange-graphcache";
import type { CacheExchangeOpts } from "@urql/exchange-graphcache";

import { relayPagination } from "@urql/exchange-graphcache/extras";
import { Client, fetchExchange } from "urql";
import introspection from "./generated/introspection.json";

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
  resolvers: { Query: { articles: relayPagination() } },
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

export const client = new Client({
  url: "/graphql",
  exchanges: [cache, fetchExchange],
  fetchSubscriptions: true,
  preferGetMethod: false,
});
