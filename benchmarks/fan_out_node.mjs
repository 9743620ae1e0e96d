// The JavaScript reference server with the same schema, for fan_out.py: a line on standard input tells every subscriber one batch.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

const schema = buildSchema(`
  scalar JSON
  type Query { ready: Boolean! }
  type Record { externalId: String! name: String url: String fields: JSON! }
  type Event { cursor: String! type: String! externalId: String! changedFields: [String!] record: Record }
  type Batch { cursor: String! events: [Event!]! }
  type Subscription { recordsChanged(after: String): Batch! }
`);

let wake = Promise.withResolvers?.() ?? deferred();
function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

async function* batches() {
  for (;;) yield { recordsChanged: await wake.promise };
}

const http = createServer();
useServer(
  { schema, roots: { subscription: { recordsChanged: batches } } },
  new WebSocketServer({ server: http, path: "/graphql", perMessageDeflate: false }),
);
http.listen(0, "127.0.0.1", () => console.log(http.address().port));

createInterface({ input: process.stdin }).on("line", (line) => {
  const woken = wake;
  wake = deferred();
  woken.resolve(JSON.parse(line));
});
