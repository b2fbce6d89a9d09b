import { useDeferredValue, useState } from "react";
import { ArticleList } from "./article-list";
import { SearchResults } from "./search-results";
import { useSettled } from "./use-settled";

/** How long typing must rest, in milliseconds. */
const REST = 200;

export function ListPage() {
  const [typed, setTyped] = useState("");
  const query = useDeferredValue(useSettled(typed.trim(), REST));
  return (
    <>
      <h1>Articles</h1>
      <search>
        <label htmlFor="search">Search by meaning</label>
        <input
          id="search"
          type="search"
          autoComplete="off"
          maxLength={8192}
          placeholder="a dinner with pasta"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </search>
      {query ? <SearchResults query={query} /> : <ArticleList />}
    </>
  );
}
