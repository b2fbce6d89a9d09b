// How GraphiQL reaches the API: queries and mutations over HTTP, subscriptions over a WebSocket, all with the key.

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { getOperationAST } from 'graphql';
import { endpoint, socketAddress } from './endpoint.js';
import { askForKey } from './key.js';

// The close codes of a server that wants a key, or another one.
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;

const fetchOverHttp = createGraphiQLFetcher({
  url: endpoint.href,
  // The server has neither @defer nor @stream.
  enableIncrementalDelivery: false,
});

/** Sends everything with this key, unless the headers editor holds an authorization. */
export function createFetcher(key) {
  return async (parameters, { headers, documentAST } = {}) => {
    const hasOwn = Object.keys(headers ?? {}).some(name => name.toLowerCase() === 'authorization');
    const sent = hasOwn || !key ? headers : { ...headers, authorization: `Bearer ${key}` };
    // The field would not help whoever gives the header themselves.
    const onRefusal = hasOwn ? () => {} : () => askForKey(key);
    const operation = documentAST && getOperationAST(documentAST, parameters.operationName);
    if (operation?.operation === 'subscription') return subscribe(parameters, sent, onRefusal);
    const result = await fetchOverHttp(parameters, { headers: sent });
    if (isUnauthenticated(result.errors)) onRefusal();
    return result;
  };
}

// Browsers cannot set headers of a WebSocket: they become parameters of the connection. Each subscription has a connection of
// its own, because the headers may be others each time.
async function subscribe(parameters, connectionParams, onRefusal) {
  // Loaded when the first subscription is run, not before.
  const { createClient } = await import('graphql-ws');
  const client = createClient({
    url: socketAddress.href,
    connectionParams,
    shouldRetry: reason => reason instanceof CloseEvent && reason.code !== FORBIDDEN,
  });
  const results = client.iterate(parameters);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const step = await results.next();
        if (isUnauthenticated(step.value?.errors)) onRefusal();
        return step;
      } catch (reason) {
        if (isUnauthenticated(reason) || isRefusal(reason)) onRefusal();
        // GraphiQL shows a list of errors as it is, and an event as nothing.
        throw reason instanceof Event ? [{ message: sentence(reason) }] : reason;
      }
    },
    return: () => results.return(),
  };
}

function isUnauthenticated(errors) {
  return Array.isArray(errors) && errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
}

function isRefusal(reason) {
  return reason instanceof CloseEvent && (reason.code === UNAUTHORIZED || reason.code === FORBIDDEN);
}

function sentence(event) {
  if (!(event instanceof CloseEvent)) return 'The WebSocket cannot be opened. Is the server running?';
  return `The connection was closed with code ${event.code}${event.reason && `: ${event.reason}`}`;
}
