// Apollo Server as its documentation shows it, standalone. The address of the app, and a port.
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { resolvers, typeDefs } from './schema.mjs';

const [app, port] = process.argv.slice(2);
const server = new ApolloServer({ typeDefs, resolvers: resolvers(app) });
await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: Number(port) } });
