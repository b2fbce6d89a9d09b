import { useEffect, useRef, useState } from "react";
import type { FormEvent } from "react";
import { giveKey, key, keyWanted } from "./key";
import { useStore } from "./store";

/** Asks for a key when the server wants one. */
export function KeyField() {
  return useStore(keyWanted) ? <KeyForm /> : null;
}

function KeyForm() {
  const [typed, setTyped] = useState("");
  const [complaint] = useState(key.get() ? "The server does not accept the key." : "The server asks for a key.");
  const input = useRef<HTMLInputElement>(null);
  // Whoever is writing meanwhile goes on writing there.
  useEffect(() => {
    if (!document.activeElement?.matches("input, textarea")) input.current?.focus();
  }, []);

  function submit(event: FormEvent) {
    event.preventDefault();
    giveKey(typed.trim());
  }

  return (
    <form className="key" onSubmit={submit} aria-label="Access">
      <p id="key-complaint" role="alert">{complaint}</p>
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
        onChange={(event) => setTyped(event.target.value)}
      />
      <button type="submit">Use this key</button>
      <button type="button" className="plain" onClick={() => giveKey("")}>Go on without one</button>
    </form>
  );
}
