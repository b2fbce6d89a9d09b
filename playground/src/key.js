// The key of whoever uses the page, and whether the page asks for one.
//
// It is kept in sessionStorage, which outlives a reload and ends with the tab. It is never put into an address.

import { useSyncExternalStore } from 'react';
import { endpoint } from './endpoint.js';

// The reader uses the same name. The path keeps two servers apart that share a host.
const name = `sentio-key ${endpoint.pathname}`;

const listeners = new Set();
let key = remembered();
let wanted = false;

// A browser that keeps nothing for pages throws: the key lasts until a reload then.
function remembered() {
  try {
    return sessionStorage.getItem(name) ?? '';
  } catch {
    return '';
  }
}

function remember(value) {
  try {
    if (value) sessionStorage.setItem(name, value);
    else sessionStorage.removeItem(name);
  } catch {
    // See above.
  }
}

function tell() {
  for (const listener of [...listeners]) listener();
}

function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Sends this key from now on; none if it is empty. */
export function giveKey(value) {
  remember(value);
  key = value;
  wanted = false;
  tell();
}

/** Asks for a key because the server refused what was sent with `used`. */
export function askForKey(used) {
  // The answer may be late: another key has been given meanwhile.
  if (used !== key) return;
  wanted = true;
  tell();
}

/** The key that requests are sent with; empty without one. */
export function useKey() {
  return useSyncExternalStore(subscribe, () => key);
}

/** Whether the server wants a key, or another one. */
export function useKeyWanted() {
  return useSyncExternalStore(subscribe, () => wanted);
}
