import type { ReactNode } from "react";
import { graphql, useFragment } from "./generated";
import type { FragmentType } from "./generated";
import { hrefTo } from "./route";

const Card = graphql(`
  fragment Card on Article {
    id
    title
    category
    tags
  }
`);

interface Properties {
  article: FragmentType<typeof Card>;
  /** One level below the heading of the list. */
  heading: "h2" | "h3";
  children?: ReactNode;
}

/** An article in a list, with whatever belongs below its title. */
export function ArticleCard({ heading: Heading, ...properties }: Properties) {
  const article = useFragment(Card, properties.article);
  const labels = [article.category, ...article.tags].filter(Boolean).join(" · ");
  return (
    <article className="card">
      <Heading><a href={hrefTo.article(article.id)}>{article.title}</a></Heading>
      {labels && <p className="labels">{labels}</p>}
      {properties.children}
    </article>
  );
}
