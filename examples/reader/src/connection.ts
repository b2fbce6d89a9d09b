// Subscriptions over one WebSocket, which comes back by itself. Pages over HTTP/1.1 share six connections to a host among all
// tabs, so a stream of events for each page would leave none for the seventh tab; WebSockets are not counted among them.
import { createClient, MessageType, stringifyMessage } from "graphql-ws";
import type { FormattedExecutionResult, SubscribePayload } from "graphql-ws";
import { socketAddress } from "./endpoint";
import { askForKey, authorization, hasCode, key } from "./key";
import { createStore } from "./store";

type Values = Record<string, unknown>;
type Result = FormattedExecutionResult<Values, Values>;
type Connection = { state: "connecting" | "lost" | "refused" } | { state: "live"; since: Date };

/** Whether changes are heard at this moment. */
export const connection = createStore<Connection>({ state: "connecting" });

/** How many times changes may have been missed and are heard again: what is shown must be read again then. */
export const gaps = createStore(0);

/** How often the server is asked whether it is still there, in milliseconds. */
const PING_EVERY = 10_000;
/** How long it may take to answer. */
const ANSWER_MAX = 5_000;
/** The first and the longest wait before the next try. */
const RETRY_FIRST = 1_000;
const RETRY_MAX = 10_000;

/** The close codes of a server that wants a key, or another one. */
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;

let missed = false;
let deadline: ReturnType<typeof setTimeout> | undefined;

const client = createClient({
  url: socketAddress.href,
  connectionParams: () => authorization(key.get()),
  // keepSubscribed tries again: a completed subscription is as much an end as a lost connection.
  retryAttempts: 0,
  connectionAckWaitTimeout: ANSWER_MAX,
  keepAlive: PING_EVERY,
  on: {
    // The answer to a ping that follows the subscription tells that the server has read both.
    connected: (socket) => setTimeout(() => (socket as WebSocket).send(stringifyMessage({ type: MessageType.Ping }))),
    ping(received) {
      if (!received) deadline = setTimeout(() => client.terminate(), ANSWER_MAX);
    },
    pong(received) {
      if (received) heard();
    },
    closed() {
      // A refusal is followed by a close.
      if (connection.get().state !== "refused") lose("lost");
    },
  },
});

// A browser notices late that a connection is dead; of these two it tells at once.
addEventListener("offline", () => client.terminate());
key.subscribe(() => client.terminate());

function heard() {
  clearTimeout(deadline);
  if (connection.get().state !== "live") connection.set({ state: "live", since: new Date() });
  if (missed) readAgain();
}

function readAgain() {
  missed = false;
  gaps.set(gaps.get() + 1);
}

function lose(state: "lost" | "refused") {
  clearTimeout(deadline);
  missed = true;
  connection.set({ state });
}

/** Subscribes, again after each end, until the function that it returns is called. */
export function keepSubscribed(request: SubscribePayload, next: (result: Result) => void): () => void {
  let over = false;
  let unsubscribe = () => {};

  /** Resolves when the subscription ends, with the reason. */
  const subscribed = () =>
    new Promise<unknown>((ended) => {
      unsubscribe = client.subscribe<Values, Values>(request, {
        next(result) {
          if (hasCode(result.errors, "UNAUTHENTICATED")) {
            ended(result.errors);
            unsubscribe();
            return;
          }
          next(result);
          // Changes came faster than they were read, and the server has left some out.
          if (hasCode(result.errors, "OVERLOADED")) readAgain();
        },
        error: ended,
        complete: () => ended(undefined),
      });
    });

  const run = async () => {
    let wait = RETRY_FIRST;
    while (!over) {
      const started = Date.now();
      const sentKey = key.get();
      const reason = await subscribed();
      if (over) return;
      if (isRefusal(reason)) {
        lose("refused");
        askForKey(sentKey);
        if (sentKey === key.get()) await changed(key.subscribe);
        continue;
      }
      lose("lost");
      // What lasted was no failure to connect: the waits begin anew.
      if (Date.now() - started > RETRY_MAX) wait = RETRY_FIRST;
      // Not all pages at the same moment, when a server is there again.
      await pause(wait * (0.5 + Math.random() / 2));
      wait = Math.min(2 * wait, RETRY_MAX);
    }
  };
  void run();

  return () => {
    over = true;
    unsubscribe();
  };
}

function isRefusal(reason: unknown): boolean {
  if (Array.isArray(reason)) return hasCode(reason, "UNAUTHENTICATED");
  return reason instanceof CloseEvent && (reason.code === UNAUTHORIZED || reason.code === FORBIDDEN);
}

function changed(subscribe: (listener: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = subscribe(() => {
      unsubscribe();
      resolve();
    });
  });
}

/** Waits so many milliseconds, or until there is a reason to try at once. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const stopListening = new AbortController();
    const done = () => {
      clearTimeout(timer);
      stopListening.abort();
      forgetKey();
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    const forgetKey = key.subscribe(done);
    for (const event of ["online", "focus"]) addEventListener(event, done, { signal: stopListening.signal });
  });
}
