// The audit of graphql-http, the reference of GraphQL over HTTP: prints what it says to each of its checks.
import { auditServer } from "graphql-http";

const { url } = JSON.parse(process.argv[2]);
const results = await auditServer({ url });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
