import { graphql, useFragment } from "./generated";
import type { FragmentType } from "./generated";

const PassageText = graphql(`
  fragment PassageText on Passage {
    text
    highlights { start end }
  }
`);

/** The passage that was found, with the words of the query marked. */
export function PassageView(properties: { passage: FragmentType<typeof PassageText> }) {
  const { text, highlights } = useFragment(PassageText, properties.passage);
  const parts = [];
  let at = 0;
  for (const { start, end } of highlights) {
    parts.push(text.slice(at, start), <mark key={start}>{text.slice(start, end)}</mark>);
    at = end;
  }
  return <p className="passage">{parts}{text.slice(at)}</p>;
}
