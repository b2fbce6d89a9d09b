// The key of whoever uses the page, and whether the page asks for one.
//
// It is kept in sessionStorage, which outlives a reload and ends with the tab. It is never put into an address.
import { endpoint } from "./endpoint";
import { createStore } from "./store";

/** The playground uses the same name. The path keeps two servers apart that share a host. */
const NAME = `sentio-key ${endpoint.pathname}`;

/** The key that requests are sent with; empty without one. */
export const key = createStore(remembered());

/** Whether the server wants a key, or another one. */
export const keyWanted = createStore(false);

// A browser that keeps nothing for pages throws: the key lasts until a reload then.
function remembered(): string {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

function remember(value: string) {
  try {
    if (value) sessionStorage.setItem(NAME, value);
    else sessionStorage.removeItem(NAME);
  } catch {
    // See above.
  }
}

/** Sends this key from now on; none if it is empty. */
export function giveKey(value: string) {
  remember(value);
  keyWanted.set(false);
  key.set(value);
}

/** Asks for a key because the server refused what was sent with `used`. */
export function askForKey(used: string) {
  // The answer may be late: another key has been given meanwhile.
  if (used === key.get()) keyWanted.set(true);
}

/** The header, or the parameter of a connection, that carries a key. */
export function authorization(value: string): Record<string, string> {
  return value ? { Authorization: `Bearer ${value}` } : {};
}

/** Whether one of these errors has that code. */
export function hasCode(errors: readonly { extensions?: Record<string, unknown> }[] | undefined, code: string): boolean {
  return errors?.some(({ extensions }) => extensions?.["code"] === code) ?? false;
}
