import { useEffect, useRef } from "react";
import { ArticlePage } from "./article-page";
import { KeyField } from "./key-field";
import { ListPage } from "./list-page";
import { LiveChanges } from "./live-changes";
import { hrefTo, useRoute } from "./route";
import { WritePage } from "./write-page";

export function App() {
  const route = useRoute();
  const key = route.at === "article" ? route.id : route.at;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // Who reads with the ears or the keyboard starts at the top of a new page, as after a load.
  useEffect(() => {
    if (!first.current) main.current?.focus();
    first.current = false;
    scrollTo(0, 0);
  }, [key]);
  return (
    <>
      <header>
        <nav aria-label="Pages">
          <a className="home" href={hrefTo.list}>Reader</a>
          <a href={hrefTo.write}>Write</a>
        </nav>
        <LiveChanges />
      </header>
      <KeyField />
      <main ref={main} tabIndex={-1}>
        {route.at === "list" && <ListPage />}
        {route.at === "write" && <WritePage />}
        {route.at === "article" && <ArticlePage key={route.id} id={route.id} />}
      </main>
    </>
  );
}
