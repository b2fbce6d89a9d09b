// Where the reader is, kept after the # of the address.
import { useSyncExternalStore } from "react";

export type Route = { at: "list" } | { at: "write" } | { at: "article"; id: string };

export const hrefTo = {
  list: "#/",
  write: "#/write",
  article: (id: string) => `#/article/${encodeURIComponent(id)}`,
};

function subscribe(changed: () => void) {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}

// An address that was typed may be none that hrefTo makes: it names no article then.
function decoded(id: string) {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const [, page, id] = hash.split("/");
  if (page === "article" && id) return { at: "article", id: decoded(id) };
  return { at: page === "write" ? "write" : "list" };
}
