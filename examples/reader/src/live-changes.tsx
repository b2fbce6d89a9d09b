import { useState } from "react";
import { useSubscription } from "urql";
import { connection } from "./connection";
import { graphql } from "./generated";
import type { ChangesSubscription } from "./generated/graphql";
import { hrefTo } from "./route";
import { useStore } from "./store";

const Changes = graphql(`
  subscription Changes {
    articleChanged {
      kind
      articleId
      article { id title ...Card content updatedAt indexState }
    }
  }
`);

const WORDS = { CREATED: "New", UPDATED: "Changed", DELETED: "Deleted", INDEXED: "Searchable", FAILED: "Not searchable" } as const;

/** What happens to articles while the page is open, whoever does it; the cache shows changed articles as they are now. */
export function LiveChanges() {
  const [seen, setSeen] = useState(0);
  const [{ data }] = useSubscription({ query: Changes }, (_before, change) => {
    setSeen((count) => count + 1);
    return change;
  });
  const live = useStore(connection);
  return (
    <p className="live" role="status" data-seen={seen}>
      {live.state === "connecting" && "Connecting…"}
      {live.state === "lost" && "Not live: reconnecting…"}
      {live.state === "refused" && "Not live: a key is needed"}
      {live.state === "live" && `Live since ${live.since.toLocaleTimeString([], { timeStyle: "short" })}`}
      {live.state === "live" && data && <LastChange {...data.articleChanged} />}
    </p>
  );
}

function LastChange({ kind, articleId, article }: ChangesSubscription["articleChanged"]) {
  const name = article ? `article ${articleId}, ${article.title}` : `article ${articleId}`;
  return (
    <>
      {" · "}{WORDS[kind]}: {kind === "DELETED" ? name : <a href={hrefTo.article(articleId)}>{name}</a>}
    </>
  );
}
