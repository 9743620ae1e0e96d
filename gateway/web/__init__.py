"""The gateway on the network: GraphQL over HTTP and WebSocket, GraphiQL, tokens, health."""
