// The playground: GraphiQL on this server's /graphql, with nothing fetched from anywhere else.

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { readLink } from './link.js';
import { ShareButton } from './share-button.jsx';
import { tabs } from './tabs.js';

globalThis.MonacoEnvironment = {
  getWorker(_id, language) {
    const worker = language === 'json' || language === 'graphql' ? language : 'editor';
    return new Worker(new URL(`${worker}.worker.js`, import.meta.url), { type: 'module' });
  },
};

const endpoint = new URL('/graphql', location.href);

const fetcher = createGraphiQLFetcher({
  url: endpoint.href,
  // What the headers editor holds goes into the parameters of the connection: browsers cannot set headers of a WebSocket.
  // graphql-ws is imported and a connection is opened when the first subscription is run, not before.
  subscriptionUrl: endpoint.href.replace(/^http/, 'ws'),
  // The server has neither @defer nor @stream.
  enableIncrementalDelivery: false,
});

// GraphiQL's style sheet follows the system's colour scheme by itself; its editors read it once, when they are made.
function FollowColourScheme() {
  const theme = useGraphiQL(state => state.theme);
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const apply = () => setTheme(theme);
    scheme.addEventListener('change', apply);
    return () => scheme.removeEventListener('change', apply);
  }, [theme, setTheme]);
  return null;
}

const linked = readLink(location.hash);

createRoot(document.getElementById('playground')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={tabs}
    initialQuery={linked?.query}
    initialVariables={linked?.variables}
    isHeadersEditorEnabled
  >
    <GraphiQL.Logo>Sentio</GraphiQL.Logo>
    <GraphiQL.Toolbar>
      {({ prettify, merge, copy }) => (
        <>
          {prettify}
          {merge}
          {copy}
          <ShareButton />
        </>
      )}
    </GraphiQL.Toolbar>
    <FollowColourScheme />
  </GraphiQL>,
);
