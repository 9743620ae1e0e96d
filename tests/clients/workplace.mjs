// What every client asks of the demo, and the way to it, which can be cut. How it is asked is up to each client's script.
import net from "node:net";

export const { url, headers } = JSON.parse(process.argv[2]);

const TASKS = `dataSourceInstance: {of: {connection: {integrationKey: "demo"}, dataSource: {key: "tasks"}}}`;
export const WHO = `query Who { viewer { customer { externalId } } }`;
export const NOTHING = `query Nothing { nothing }`;
export const PARTLY = `query Partly { viewer { customer { externalId } } connection(by: {id: "bogus"}) { name } }`;
export const CREATE = `mutation Create($fields: JSON!) {
  recordCreate(input: {in: {${TASKS}}, values: {unifiedFields: $fields}}) { record { externalId } userErrors { code field } }
}`;
export const CHANGES = `subscription Changes($after: String) {
  recordsChanged(${TASKS}, after: $after) { cursor events { cursor externalId } }
}`;
const HISTORY = `query History($after: String) {
  dataSourceInstance(by: {of: {connection: {integrationKey: "demo"}, dataSource: {key: "tasks"}}}) {
    events(first: 100, after: $after) { nodes { cursor } }
  }
}`;
export const GOOD = { subject: "Made by a client", priority: "medium", projectId: "1" };
export const BAD = { ...GOOD, subject: 5 };

const MOST_MILLISECONDS = 20_000;

/** The answer to an operation, by nothing but `fetch`. */
export async function ask(query, variables) {
  const body = JSON.stringify({ query, variables });
  const response = await fetch(url, { method: "POST", headers: { ...headers, "content-type": "application/json" }, body });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** A `fetch` that notes each request: its method, and whether the document went along. */
export function noting(requests) {
  return (address, options) => {
    const sent = options?.body ? JSON.parse(options.body) : Object.fromEntries(new URL(address).searchParams);
    requests.push([options?.method ?? "GET", "query" in sent]);
    return fetch(address, options);
  };
}

/** Waits until it holds. */
export async function until(holds, what) {
  const end = Date.now() + MOST_MILLISECONDS;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`It did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A TCP connection to the gateway at an address of its own, which `cut` breaks until `mend`. */
async function line() {
  const to = new URL(url);
  const open = new Set();
  let isCut = false;
  const carry = (from, onto) => {
    open.add(from);
    from.on("error", () => {});
    from.on("close", () => (open.delete(from), onto.destroy()));
    from.pipe(onto);
  };
  const server = net.createServer((client) => {
    if (isCut) return client.destroy();
    const upstream = net.connect(to.port, to.hostname);
    carry(client, upstream);
    carry(upstream, client);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    isCut = true;
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}/graphql`,
    cut,
    mend: () => (isCut = false),
    close: () => (cut(), server.close()),
  };
}

/**
 * Follows the changes of tasks across a broken connection, during which something changes: what the client told, and what was recorded.
 *
 * `begin(url, onBatch)` subscribes as its client does, and gives what ends it.
 */
export async function followAcrossACut(begin) {
  const batches = [];
  const events = () => batches.flatMap((batch) => batch.events);
  const create = async () => {
    const { externalId } = (await ask(CREATE, { fields: GOOD })).recordCreate.record;
    return () => events().some((event) => event.externalId === externalId);
  };
  const way = await line();
  const end = begin(way.url, (batch) => batches.push(batch));
  await until(() => batches.length > 0, "the baseline");
  await until(await create(), "a change while connected");
  way.cut();
  const isToldOfWhatWasMissed = await create();
  way.mend();
  await until(isToldOfWhatWasMissed, "a change from while the connection was cut");
  await until(await create(), "a change after that");
  await end();
  way.close();

  const told = events().map((event) => event.cursor);
  const { nodes } = (await ask(HISTORY, { after: batches[0].cursor })).dataSourceInstance.events;
  const recorded = nodes.map((node) => node.cursor);
  return { told, recorded: recorded.slice(0, recorded.indexOf(told.at(-1)) + 1) };
}

/** Prints what a client was told, for the test to look at. */
export function report(told) {
  console.log(JSON.stringify(told));
  process.exit(0); // Some clients keep timers that nobody waits for.
}
