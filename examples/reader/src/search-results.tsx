import { useQuery } from "urql";
import { ArticleCard } from "./card";
import { Failure } from "./failure";
import { graphql } from "./generated";
import { PassageView } from "./passage";

const SearchQuery = graphql(`
  query Search($query: String!) {
    recommend(query: $query, k: 20, options: { nearDuplicates: HIDE }) {
      article { id ...Card }
      passage { ...PassageText }
    }
  }
`);

export function SearchResults({ query }: { query: string }) {
  const [{ data, error, fetching }] = useQuery({ query: SearchQuery, variables: { query } });
  if (error) return <Failure error={error} />;
  const found = data?.recommend ?? [];
  const state = fetching ? "Searching…" : `${found.length} found`;
  return (
    <section aria-label="Found" aria-busy={fetching}>
      <p className="count" aria-live="polite">{state}</p>
      {found.map(({ article, passage }) => (
        <ArticleCard key={article.id} article={article} heading="h2">
          {passage && <PassageView passage={passage} />}
        </ArticleCard>
      ))}
    </section>
  );
}
