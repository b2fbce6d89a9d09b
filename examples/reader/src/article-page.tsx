import { useQuery } from "urql";
import { ArticleCard } from "./card";
import { Failure } from "./failure";
import { graphql } from "./generated";
import { PassageView } from "./passage";
import { hrefTo } from "./route";

const ArticleQuery = graphql(`
  query Article($id: ID!) {
    article(id: $id) {
      id
      title
      content
      category
      tags
      updatedAt
      indexState
      similarTo(k: 5) {
        article { id ...Card }
        passage { ...PassageText }
      }
    }
  }
`);

export function ArticlePage({ id }: { id: string }) {
  const [{ data, error, fetching }] = useQuery({ query: ArticleQuery, variables: { id } });
  if (error && !data?.article) return <Failure error={error} />;
  if (fetching && !data) return <p aria-live="polite">Loading…</p>;
  const article = data?.article;
  if (!article) return <p role="alert">There is no such article any more. <a href={hrefTo.list}>All articles</a></p>;
  const changed = new Date(article.updatedAt);
  return (
    <>
      <h1>{article.title}</h1>
      <p className="labels">
        {[article.category, ...article.tags].filter(Boolean).join(" · ")}{" "}
        <time dateTime={article.updatedAt}>{changed.toLocaleString()}</time>
        {article.indexState === "PENDING" && " · not searchable yet"}
      </p>
      <div className="content">{article.content}</div>
      <section aria-labelledby="similar">
        <h2 id="similar">Similar articles</h2>
        {error && <Failure error={error} />}
        {article.similarTo?.length === 0 && <p>None yet.</p>}
        {article.similarTo?.map(({ article: other, passage }) => (
          <ArticleCard key={other.id} article={other} heading="h3">
            {passage && <PassageView passage={passage} />}
          </ArticleCard>
        ))}
      </section>
    </>
  );
}
