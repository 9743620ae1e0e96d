// Apollo Client, with its cache: HTTP for queries and mutations, graphql-ws for subscriptions, persisted queries by POST and by GET.
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { print } from "graphql";
import { createClient } from "graphql-ws";
import { defer, repeat } from "rxjs";
import WebSocket from "ws";
import { BAD, CHANGES, CREATE, GOOD, NOTHING, PARTLY, WHO, followAcrossACut, headers, noting, report, url } from "./workplace.mjs";

const clientOf = (...links) => new ApolloClient({ link: ApolloLink.from(links), cache: new InMemoryCache() });
const codes = (error) => (CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => extensions.code) : String(error));

const client = clientOf(new HttpLink({ uri: url, headers }));
const stranger = clientOf(new HttpLink({ uri: url }));
const query = (document, options) => client.query({ query: gql(document), ...options });
const mutate = (document, variables) => client.mutate({ mutation: gql(document), variables });

/** The same query twice, past the cache: what was asked for, and what was answered. */
async function persisted(document, options) {
  const requests = [];
  const generateHash = (node) => createHash("sha256").update(print(node)).digest("hex");
  const hashed = clientOf(new PersistedQueryLink({ generateHash, ...options }), new HttpLink({ uri: url, headers, fetch: noting(requests) }));
  const asked = { query: gql(document), fetchPolicy: "no-cache" };
  const answers = [await hashed.query(asked), await hashed.query(asked)];
  return { requests, answers: answers.map(({ data }) => data.viewer.customer.externalId) };
}

const partly = await query(PARTLY, { errorPolicy: "all" });

report({
  query: (await query(WHO)).data,
  mutation: (await mutate(CREATE, { fields: GOOD })).data,
  refused: (await mutate(CREATE, { fields: BAD })).data,
  partly: { data: partly.data, codes: codes(partly.error) },
  invalid: await query(NOTHING).catch(codes),
  unknown: await stranger.query({ query: gql(`{ connections(first: 1) { nodes { id } } }`) }).catch(codes),
  persistedByPost: await persisted(`query ApolloByPost { viewer { customer { externalId } } }`, {}),
  persistedByGet: await persisted(`query ApolloByGet { viewer { customer { externalId } } }`, { useGETForHashedQueries: true }),
  stream: await followAcrossACut((address, onBatch) => {
    const sockets = createClient({
      url: address.replace("http", "ws"),
      webSocketImpl: WebSocket,
      connectionParams: headers,
      retryAttempts: 0,
    });
    const follower = clientOf(new GraphQLWsLink(sockets));
    let after = null;
    // A broken connection ends the subscription, which is asked for again, from where it was.
    const changes = defer(() => follower.subscribe({ query: gql(CHANGES), variables: { after } })).pipe(repeat({ delay: 20 }));
    const listening = changes.subscribe(({ data }) => {
      if (!data) return;
      after = data.recordsChanged.cursor;
      onBatch(data.recordsChanged);
    });
    return () => listening.unsubscribe();
  }),
});
