// graphql-sse, in its distinct connections mode: every operation is a stream of its own.
import { createClient } from "graphql-sse";
import { setTimeout as pause } from "node:timers/promises";
import { BAD, CHANGES, CREATE, GOOD, NOTHING, PARTLY, WHO, followAcrossACut, headers, report, url } from "./workplace.mjs";

const client = createClient({ url, headers, retryAttempts: 0 });
const answers = async (request) => Array.fromAsync(client.iterate(request));
const status = (request, options) =>
  new Promise((resolve) => {
    const error = ({ response }) => resolve(response.status);
    createClient({ url, retryAttempts: 0, ...options }).subscribe(request, { next() {}, complete() {}, error });
  });

report({
  query: await answers({ query: WHO }),
  mutation: await answers({ query: CREATE, variables: { fields: GOOD } }),
  refused: await answers({ query: CREATE, variables: { fields: BAD } }),
  partly: await answers({ query: PARTLY }),
  invalid: await status({ query: NOTHING }, { headers }),
  forbidden: await status({ query: WHO }, { headers: { Authorization: "Bearer x" } }),
  stream: await followAcrossACut((address, onBatch) => {
    // The client does not show the ids of events, but they are the cursors. It asks for headers when it connects again.
    const seen = {};
    const follower = createClient({
      url: address,
      headers: () => ({ ...headers, ...seen }),
      retryAttempts: 100,
      retry: () => pause(20),
    });
    const next = ({ data: { recordsChanged } }) => {
      seen["last-event-id"] = recordsChanged.cursor;
      onBatch(recordsChanged);
    };
    follower.subscribe({ query: CHANGES }, { next, error: console.error, complete() {} });
    return () => follower.dispose();
  }),
});
