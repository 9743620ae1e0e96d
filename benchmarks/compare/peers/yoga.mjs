// GraphQL Yoga as its documentation shows it on node:http. The address of the app, and a port.
import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { resolvers, typeDefs } from './schema.mjs';

const [app, port] = process.argv.slice(2);
const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers: resolvers(app) }) });
createServer(yoga).listen(Number(port), '127.0.0.1');
