// Reads what is shown again, when changes of it were missed and when another key was given.
import { makeOperation } from "urql";
import type { Exchange, Operation } from "urql";
import { pipe, tap } from "wonka";
import { gaps } from "./connection";
import { key } from "./key";

export const refetchExchange: Exchange = ({ client, forward }) => {
  const shown = new Map<number, Operation>();
  function refetch() {
    for (const query of shown.values()) {
      client.reexecuteOperation(makeOperation("query", query, { ...query.context, requestPolicy: "network-only" }));
    }
  }
  gaps.subscribe(refetch);
  key.subscribe(refetch);
  return (operations) =>
    pipe(
      operations,
      tap((operation) => {
        if (operation.kind === "query") shown.set(operation.key, operation);
        if (operation.kind === "teardown") shown.delete(operation.key);
      }),
      forward,
    );
};
