import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";
import "graphiql/style.css";
import "./style.css";

const WORKERS = { graphql: "graphql.worker.js", json: "json.worker.js" };
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(new URL(WORKERS[label] ?? "editor.worker.js", import.meta.url), { type: "module" }),
};

const WELCOME = `# Send a token in the Headers tab below:  { "Authorization": "Bearer <token>" }
#
# \`gateway token\` makes one. Press Ctrl+Enter to run, Ctrl+Space for what can stand at the cursor,
# and open the documentation with the book on the left.

query WhoAmI {
  viewer {
    isAdmin
    customer {
      externalId
      name
    }
  }
}
`;

/** What the gateway put into the page: the tabs to begin with. */
function examples() {
  return JSON.parse(document.getElementById("examples").textContent);
}

function remembered(key) {
  try {
    return localStorage.getItem(`graphiql:${key}`);
  } catch {
    return null; // Storage is switched off: the page works, it only forgets.
  }
}

const tabs = examples();
const isFirstVisit = remembered("tabState") === null;
// A token is a secret: it is kept in the browser only for those who ask for it in the settings.
const persistsHeaders = remembered("shouldPersistHeaders") === "true";
const headers = tabs[0]?.headers ?? '{\n  "Authorization": ""\n}';
const endpoint = location.pathname;
const fetcher = createGraphiQLFetcher({
  url: endpoint,
  subscriptionUrl: location.origin.replace(/^http/, "ws") + endpoint,
  enableIncrementalDelivery: false,
});

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={fetcher}
    defaultQuery={WELCOME}
    defaultTabs={tabs.length > 0 ? tabs : undefined}
    defaultHeaders={headers}
    initialHeaders={persistsHeaders ? undefined : headers}
    initialVariables={isFirstVisit ? (tabs[0]?.variables ?? "") : undefined}
    defaultEditorToolsVisibility="headers"
    shouldPersistHeaders={persistsHeaders}
    showPersistHeadersSettings
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      <span className="gateway-logo">gateway</span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
