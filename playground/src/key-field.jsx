// Asks for a key when the server wants one.

import { useEffect, useRef, useState } from 'react';
import { giveKey, useKey, useKeyWanted } from './key.js';

export function KeyField() {
  return useKeyWanted() ? <KeyForm /> : null;
}

function KeyForm() {
  const [typed, setTyped] = useState('');
  const complaint = useKey() ? 'The server does not accept the key.' : 'The server asks for a key.';
  const input = useRef(null);
  // Whoever is writing meanwhile goes on writing there.
  useEffect(() => {
    if (!document.activeElement?.matches('input, textarea, [contenteditable]')) input.current.focus();
  }, []);

  function submit(event) {
    event.preventDefault();
    giveKey(typed.trim());
  }

  return (
    <form className="key" onSubmit={submit} aria-label="Access">
      <span id="key-complaint" role="alert">{complaint}</span>
      <label htmlFor="key">Key</label>
      <input
        id="key"
        ref={input}
        type="password"
        autoComplete="off"
        required
        pattern="\s*[\x21-\x7e]+\s*"
        title="A key has no spaces and no accented letters."
        aria-describedby="key-complaint"
        value={typed}
        onChange={event => setTyped(event.target.value)}
      />
      <button type="submit">Use this key</button>
      <button type="button" onClick={() => giveKey('')}>Go on without one</button>
    </form>
  );
}
