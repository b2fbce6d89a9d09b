import { useState } from "react";
import { useSubscription } from "urql";
import { graphql } from "./generated";
import { hrefTo } from "./route";

const ChangesSubscription = graphql(`
  subscription Changes {
    articleChanged {
      kind
      articleId
      article { id ...Card content updatedAt indexState }
    }
  }
`);

const WORDS = { CREATED: "New", UPDATED: "Changed", DELETED: "Deleted", INDEXED: "Searchable" } as const;

/** What happens to articles while the page is open, whoever does it; the cache shows changed articles as they are now. */
export function LiveChanges() {
  const [seen, setSeen] = useState(0);
  const [{ data, error }] = useSubscription({ query: ChangesSubscription }, (_before: unknown, change) => {
    setSeen((count) => count + 1);
    return change;
  });
  const change = (data as { articleChanged?: { kind: keyof typeof WORDS; articleId: string } } | undefined)?.articleChanged;
  return (
    <p className="live" role="status" data-seen={seen}>
      {error && "Not live"}
      {!error && !change && "Live"}
      {!error && change && (
        <>
          {WORDS[change.kind]}:{" "}
          {change.kind === "DELETED" ? `article ${change.articleId}` : <a href={hrefTo.article(change.articleId)}>article {change.articleId}</a>}
        </>
      )}
    </p>
  );
}
