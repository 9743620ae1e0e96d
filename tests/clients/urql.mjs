// urql, with its cache: everything over fetch, subscriptions as server-sent events, persisted queries by POST and by GET.
import { Client, cacheExchange, fetchExchange, gql } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { BAD, CHANGES, CREATE, GOOD, NOTHING, PARTLY, WHO, followAcrossACut, headers, noting, report, url } from "./workplace.mjs";

const clientOf = (options, ...exchanges) =>
  new Client({
    url,
    exchanges: [cacheExchange, ...exchanges, fetchExchange],
    fetchOptions: { headers },
    fetchSubscriptions: true,
    preferGetMethod: false,
    ...options,
  });
const codes = (error) => error.graphQLErrors.map(({ extensions }) => extensions.code);

const client = clientOf({});
const stranger = clientOf({ fetchOptions: {} });
const query = (document) => client.query(gql(document), {}).toPromise();
const mutate = (document, variables) => client.mutation(gql(document), variables).toPromise();

/** The same query twice, past the cache: what was asked for, and what was answered. */
async function persisted(document, options) {
  const requests = [];
  const hashed = clientOf({ fetch: noting(requests), requestPolicy: "network-only" }, persistedExchange(options));
  const ask = () => hashed.query(gql(document), {}).toPromise();
  const answers = [await ask(), await ask()];
  return { requests, answers: answers.map(({ data }) => data.viewer.customer.externalId) };
}

const partly = await query(PARTLY);

report({
  query: (await query(WHO)).data,
  mutation: (await mutate(CREATE, { fields: GOOD })).data,
  refused: (await mutate(CREATE, { fields: BAD })).data,
  partly: { data: partly.data, codes: codes(partly.error) },
  invalid: codes((await query(NOTHING)).error),
  unknown: codes((await stranger.query(gql(`{ connections(first: 1) { nodes { id } } }`), {}).toPromise()).error),
  persistedByPost: await persisted(`query UrqlByPost { viewer { customer { externalId } } }`, { preferGetForPersistedQueries: false }),
  persistedByGet: await persisted(`query UrqlByGet { viewer { customer { externalId } } }`, { preferGetForPersistedQueries: true }),
  stream: await followAcrossACut((address, onBatch) => {
    const follower = clientOf({ url: address });
    let after = null;
    let listening;
    let isEnded = false;
    // A broken connection ends the subscription with an error, after which it is asked for again, from where it was.
    const listen = () => {
      if (isEnded) return;
      listening = follower.subscription(gql(CHANGES), { after }).subscribe(({ data, error }) => {
        if (error) return setTimeout(listen, 20);
        after = data.recordsChanged.cursor;
        onBatch(data.recordsChanged);
      });
    };
    listen();
    return () => {
      isEnded = true;
      listening.unsubscribe();
    };
  }),
});
