import { useEffect, useRef, useState } from "react";
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
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }] = useQuery({ query: ArticlesQuery, variables: { after } });
  const end = useRef<HTMLButtonElement>(null);
  const page = data?.articles.pageInfo;
  const next = page?.hasNextPage && !fetching ? page.endCursor : null;

  useEffect(() => {
    if (!next || !end.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && setAfter(next),
      { rootMargin: "400px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [next]);

  if (error && !data) return <Failure error={error} />;
  return (
    <section aria-label="All articles" aria-busy={fetching}>
      <p className="count" aria-live="polite">{data ? `${data.articles.totalCount} articles` : "Loading…"}</p>
      {data?.articles.nodes.map((article) => <ArticleCard key={article.id} article={article} heading="h2" />)}
      {next && <button ref={end} type="button" onClick={() => setAfter(next)}>Load more</button>}
    </section>
  );
}
