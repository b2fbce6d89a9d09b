// Puts a link to the open query into the address bar and, where the browser allows it, into the clipboard.

import { ToolbarButton, useGraphiQL } from '@graphiql/react';
import { useState } from 'react';
import { writeLink } from './link.js';

export function ShareButton() {
  const queryEditor = useGraphiQL(state => state.queryEditor);
  const variableEditor = useGraphiQL(state => state.variableEditor);
  const [label, setLabel] = useState('Copy a link to this query');

  async function share() {
    history.replaceState(null, '', writeLink(queryEditor?.getValue() ?? '', variableEditor?.getValue() ?? ''));
    try {
      await navigator.clipboard.writeText(location.href);
      setLabel('The link is copied');
    } catch {
      setLabel('The link is in the address bar');
    }
  }

  return (
    <ToolbarButton label={label} onClick={share}>
      <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8" aria-hidden="true">
        <path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17" strokeLinecap="round" />
      </svg>
    </ToolbarButton>
  );
}
