import type { CombinedError } from "urql";

/** What went wrong, in the server's own words where it has some. */
export function Failure({ error }: { error: CombinedError }) {
  const said = error.graphQLErrors.map(({ message }) => message).join("; ");
  return <p role="alert" className="failure">{said || "The server cannot be reached. Is it running?"}</p>;
}
