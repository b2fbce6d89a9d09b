// The playground: GraphiQL on this server's API, with nothing fetched from anywhere else.

import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { useEffect, useMemo } from 'react';
import { createRoot } from 'react-dom/client';
import { createFetcher } from './fetcher.js';
import { KeyField } from './key-field.jsx';
import { useKey } from './key.js';
import { readLink } from './link.js';
import { ShareButton } from './share-button.jsx';
import { tabs } from './tabs.js';

globalThis.MonacoEnvironment = {
  getWorker(_id, language) {
    const worker = language === 'json' || language === 'graphql' ? language : 'editor';
    return new Worker(new URL(`${worker}.worker.js`, import.meta.url), { type: 'module' });
  },
};

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

function Playground() {
  const key = useKey();
  // GraphiQL asks for the schema again when its fetcher is another one.
  const fetcher = useMemo(() => createFetcher(key), [key]);
  return (
    <>
      <KeyField />
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
      </GraphiQL>
    </>
  );
}

createRoot(document.getElementById('playground')).render(<Playground />);
