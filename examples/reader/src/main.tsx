import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Provider } from "urql";
import { App } from "./app";
import { client } from "./client";
import "./style.css";

const root = document.getElementById("reader");
if (!root) throw new Error("the page has no element #reader");
createRoot(root).render(
  <StrictMode>
    <Provider value={client}>
      <App />
    </Provider>
  </StrictMode>,
);
