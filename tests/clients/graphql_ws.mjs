// graphql-ws: every kind of operation over one WebSocket.
import { createClient } from "graphql-ws";
import { setTimeout as pause } from "node:timers/promises";
import WebSocket from "ws";
import { BAD, CHANGES, CREATE, GOOD, NOTHING, PARTLY, WHO, followAcrossACut, headers, report, url } from "./workplace.mjs";

const PATIENT = { retryAttempts: 100, retryWait: () => pause(20), shouldRetry: () => true };
const clientOf = (address, connectionParams, options) =>
  createClient({ url: address.replace("http", "ws"), webSocketImpl: WebSocket, connectionParams, ...options });

const client = clientOf(url, headers);
const answers = async (payload) => Array.fromAsync(client.iterate(payload));
const refusal = (payload) => answers(payload).catch((errors) => errors.map((error) => error.extensions.code));

/** How a socket is closed whose token does not hold: the client would try again with another. */
const forbidden = new Promise((resolve) => {
  const stranger = clientOf(url, { Authorization: "Bearer x" }, { retryAttempts: 0 });
  stranger.subscribe({ query: WHO }, { next() {}, complete() {}, error: ({ code }) => resolve(code) });
});

report({
  query: await answers({ query: WHO }),
  mutation: await answers({ query: CREATE, variables: { fields: GOOD } }),
  refused: await answers({ query: CREATE, variables: { fields: BAD } }),
  partly: await answers({ query: PARTLY }),
  invalid: await refusal({ query: NOTHING }),
  syntax: await refusal({ query: "{" }),
  again: await answers({ query: WHO }),
  forbidden: await forbidden,
  stream: await followAcrossACut((address, onBatch) => {
    const follower = clientOf(address, headers, { ...PATIENT, keepAlive: 5_000 });
    // The client sends the payload again when it connects again, as it is then.
    const payload = { query: CHANGES, variables: { after: null } };
    const next = ({ data: { recordsChanged } }) => {
      payload.variables.after = recordsChanged.cursor;
      onBatch(recordsChanged);
    };
    follower.subscribe(payload, { next, error: console.error, complete() {} });
    return () => follower.dispose();
  }),
});
