import { useEffect, useReducer, useRef } from "react";
import { useQuery } from "urql";
import { ArticleCard } from "./card";
import { Failure } from "./failure";
import { graphql } from "./generated";

const ArticlesQuery = graphql(`
  query Articles($after: String) {
    articles(first: 20, after: $after, orderBy: { field: UPDATED_AT, direction: DESC }) {
      totalCount
      nodes { id ...Card }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** All articles, the last changed first; more are loaded when the end comes near. */
export function ArticleList() {
  const [count, addPage] = useReducer((pages: number) => pages + 1, 1);
  return (
    <section aria-label="All articles">
      <Pages after={null} count={count} onMore={addPage} />
    </section>
  );
}

interface Properties {
  /** Where the first of these pages begins; null for the beginning of the list. */
  after: string | null;
  /** How many pages are shown, if there are so many. */
  count: number;
  onMore: () => void;
}

/** A page and those behind it. Each begins where the one before it ends, also when that is read again and ends elsewhere. */
function Pages({ after, count, onMore }: Properties) {
  const [{ data, error, fetching }] = useQuery({ query: ArticlesQuery, variables: { after } });
  if (error && !data) return <Failure error={error} />;
  const page = data?.articles;
  const hasMore = page?.pageInfo.hasNextPage;
  return (
    <>
      {after === null && <p className="count" aria-live="polite">{page ? `${page.totalCount} articles` : "Loading…"}</p>}
      {page?.nodes.map((article) => <ArticleCard key={article.id} article={article} heading="h2" />)}
      {hasMore && count > 1 && <Pages after={page.pageInfo.endCursor ?? null} count={count - 1} onMore={onMore} />}
      {hasMore && count === 1 && !fetching && <More onMore={onMore} />}
    </>
  );
}

/** Asks for more when it comes near the window, or is pressed. */
function More({ onMore }: { onMore: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!button.current) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && onMore(), { rootMargin: "400px" });
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [onMore]);
  return <button ref={button} type="button" onClick={onMore}>Load more</button>;
}
