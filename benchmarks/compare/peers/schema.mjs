// The schema that GraphQL Yoga and Apollo Server serve, and how it is resolved: one `fetch` of a page, the records as they came.
export const typeDefs = `
  type Item {
    id: Int!
    title: String!
    state: String!
    priority: String!
    assignee: Int!
    labels: [String!]!
    due: String!
    note: String!
  }
  type Query {
    items(page: Int!): [Item!]!
  }
`;

export const resolvers = (app) => ({
  Query: {
    async items(_, { page }) {
      const found = await fetch(`${app}/items?page=${page}`);
      if (!found.ok) throw new Error(`The app answered ${found.status}.`);
      return (await found.json()).items;
    },
  },
});
