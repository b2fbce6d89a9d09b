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

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const [, page, id] = hash.split("/");
  if (page === "article" && id) return { at: "article", id: decodeURIComponent(id) };
  return { at: page === "write" ? "write" : "list" };
}
