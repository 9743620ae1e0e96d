// What a Relay application asks of the gateway: pages that grow, objects that are read again by id, mutations and changes.
import { graphql } from "relay-runtime";

graphql`
  query tasksQuery($instance: DataSourceInstanceSelector!) {
    dataSourceInstance(by: $instance) {
      id
      path
      ...tasks_records
    }
  }
`;

graphql`
  fragment tasks_records on DataSourceInstance
  @refetchable(queryName: "tasksRecordsQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    records(first: $count, after: $cursor) @connection(key: "tasks_records") {
      edges {
        node {
          id
          name
          ...tasks_record
        }
      }
    }
  }
`;

graphql`
  fragment tasks_record on Record @refetchable(queryName: "tasksRecordQuery") {
    externalId
    fields
    unified {
      __typename
      ... on UnifiedTask @alias(as: "task") {
        subject
      }
    }
  }
`;

graphql`
  query tasksNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      ... on Connection {
        name
        state
      }
    }
  }
`;

graphql`
  mutation tasksCreateMutation($input: RecordCreateInput!, $connections: [ID!]!) {
    recordCreate(input: $input) {
      record @appendNode(connections: $connections, edgeTypeName: "RecordEdge") {
        id
        ...tasks_record
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;

graphql`
  subscription tasksChangedSubscription($instance: DataSourceInstanceSelector!, $after: String) {
    recordsChanged(dataSourceInstance: $instance, after: $after) {
      cursor
      events {
        type
        externalId
        record {
          id
          ...tasks_record
        }
      }
    }
  }
`;
