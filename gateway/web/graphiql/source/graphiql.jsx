import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";
import "graphiql/style.css";
import "./style.css";

const WORKERS = { graphql: "graphql.worker.js", json: "json.worker.js" };
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(new URL(WORKERS[label] ?? "editor.worker.js", import.meta.url), { type: "module" }),
};

const WELCOME = `# Who am I?
#
# Put a token into the Headers below; \`gateway token\` makes one.
# Ctrl+Enter runs the query, Ctrl+Space completes at the cursor,
# and the book on the left opens the documentation.

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

const PREFIX = "graphiql:";
const HISTORIES = ["queries", "favorites"];

/** Whether the browser keeps anything for this page; where it does not, the page works and only forgets. */
function storageIsOn() {
  try {
    return localStorage.length >= 0;
  } catch {
    return false;
  }
}

const remembered = (key) => (storageIsOn() ? localStorage.getItem(PREFIX + key) : null);

// A token is a secret: it is kept in the browser only for those who ask for it in the settings.
const persistsHeaders = () => remembered("shouldPersistHeaders") === "true";

/** The history as it may be kept: GraphiQL itself would keep the headers of every request in it, whatever was asked. */
function withoutHeaders(history) {
  return JSON.stringify(JSON.parse(history), (key, value) => (key === "headers" ? undefined : value));
}

function forgetHeaders() {
  for (const name of HISTORIES) {
    const history = remembered(name);
    if (history !== null) localStorage.setItem(PREFIX + name, withoutHeaders(history));
  }
}

const firstLine = (text) => text?.split("\n", 1)[0];

/** The headers for a tab: its own; those of the example that it began as, which were not kept; else what every new tab has. */
function headersFor(tab) {
  return tab?.headers ?? tabs.find((example) => firstLine(example.query) === firstLine(tab?.query))?.headers ?? headers;
}

/** The tabs of the last visit, as GraphiQL keeps them. */
function withHeaders(tabState) {
  const state = JSON.parse(tabState);
  return JSON.stringify({ ...state, tabs: state.tabs.map((tab) => ({ ...tab, headers: headersFor(tab) })) });
}

const storage = {
  getItem(key) {
    const value = localStorage.getItem(key);
    if (persistsHeaders()) return value;
    if (key === `${PREFIX}shouldPersistHeaders`) return "false"; // Nobody asked yet: that is a no.
    return value !== null && key === `${PREFIX}tabState` ? withHeaders(value) : value;
  },
  setItem(key, value) {
    const isHistory = HISTORIES.includes(key.slice(PREFIX.length));
    localStorage.setItem(key, isHistory && !persistsHeaders() ? withoutHeaders(value) : value);
    if (key === `${PREFIX}shouldPersistHeaders` && value !== "true") forgetHeaders();
  },
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => localStorage.clear(),
  get length() {
    return localStorage.length;
  },
};

const tabs = examples();
const headers = tabs[0]?.headers ?? '{\n  "Authorization": ""\n}';
const lastVisit = JSON.parse(remembered("tabState"));
const openTab = lastVisit ? lastVisit.tabs[lastVisit.activeTabIndex] : tabs[0];
const endpoint = location.pathname;
const fetcher = createGraphiQLFetcher({
  url: endpoint,
  subscriptionUrl: location.origin.replace(/^http/, "ws") + endpoint,
  enableIncrementalDelivery: false,
});

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={fetcher}
    storage={storageIsOn() ? storage : null}
    defaultQuery={WELCOME}
    defaultTabs={tabs.length > 0 ? tabs : undefined}
    defaultHeaders={headers}
    // All of one tab: GraphiQL stores a query and its variables at different moments, and a mixture would open as a new tab.
    initialQuery={openTab?.query ?? undefined}
    initialVariables={openTab ? (openTab.variables ?? "") : undefined}
    initialHeaders={headersFor(openTab)}
    defaultEditorToolsVisibility="headers"
    // The storage answers for those who did not ask. With `false` GraphiQL would never look there, nor know a tab by its headers.
    shouldPersistHeaders
    showPersistHeadersSettings
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      <span className="gateway-logo">
        <img src={new URL("favicon.svg", import.meta.url).href} alt="" />
        gateway
      </span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
