"""The tabs that GraphiQL opens with in the demo: what the gateway is for, in the order in which somebody new would ask.

Lines are short: GraphiQL shows about sixty characters of one.
"""

from collections.abc import Mapping

from gateway.demo.change_examples import KEEP_IN_SYNC, LISTEN, WHAT_HAPPENED
from gateway.web.graphiql import ExampleTab

_LOOK_AROUND = """
# Welcome! Press the run button, or Ctrl-Enter.
#
# Acme, a customer, connected an app. These are the
# places in it: collections hold records, directories
# hold further places.
query LookAround {
  viewer { customer { externalId name } }
  connection(by: { integrationKey: "demo" }) {
    name
    state
    location {
      ... on Directory {
        locations(first: 20) {
          nodes {
            __typename
            name
            path
            ... on Directory {
              locations(first: 5) {
                nodes { name path }
              }
            }
          }
        }
      }
    }
  }
}
"""

_READ_RECORDS = """
# A data source is a named pointer. Nobody told "tasks"
# where to point in this app: the gateway found its
# collection of tasks. Run it again in a while: the app
# keeps changing.
query ReadRecords {
  dataSourceInstance(
    by: {
      of: {
        connection: { integrationKey: "demo" }
        dataSource: { key: "tasks" }
      }
    }
  ) {
    path
    isCustomized
    settings { name value origin }
    records(first: 5) {
      nodes { externalId name fields updatedAt }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

_FILTER_AND_ORDER = """
# Filters and orders go to the app: what it cannot do is
# refused, with what it can. Its spec says that before.
query FilterAndOrder {
  dataSourceInstance(
    by: {
      of: {
        connection: { integrationKey: "demo" }
        dataSource: { key: "tasks" }
      }
    }
  ) {
    records(
      first: 5
      filter: {
        priority: "high"
        dueAt: { GTE: "2026-01-20T00:00:00Z" }
      }
      orderBy: { field: "dueAt", direction: ASC }
    ) {
      nodes { externalId name fields }
    }
    collectionSpec {
      filters { field operators }
      orderFields
    }
  }
}
"""

_ONE_GRAPH = """
# The same tasks in words that are the same for every
# app, and from them to people and projects. Twenty
# tasks cost three requests to the app, not sixty.
query OneGraph {
  dataSourceInstance(
    by: {
      of: {
        connection: { integrationKey: "demo" }
        dataSource: { key: "tasks" }
      }
    }
  ) {
    records(first: 20) {
      nodes {
        externalId
        unified {
          ... on UnifiedTask {
            subject
            status
            dueTime
            assignee { fullName primaryEmail }
            followers { fullName }
            project { name }
          }
        }
      }
    }
  }
}
"""

_WRITE_A_RECORD = """
# Write in the same words; the connector knows the
# app's. The key makes it safe to run this twice: there
# is one task. Try it without a projectId, too.
mutation WriteARecord {
  recordCreate(
    input: {
      in: {
        dataSourceInstance: {
          of: {
            connection: { integrationKey: "demo" }
            dataSource: { key: "tasks" }
          }
        }
      }
      values: {
        unifiedFields: {
          subject: "Try the gateway"
          priority: "medium"
          projectId: "1"
          assigneeId: "1"
          tags: ["quick win"]
        }
      }
      idempotencyKey: "my-first-task"
    }
  ) {
    record { externalId version fields }
    userErrors { code message field }
  }
}
"""

_POINT_ELSEWHERE = """
# Point it at the open tasks of one project: what reads
# through it follows at once. Then try the path
# "/data/project?projectId=2": a directory is refused.
mutation PointElsewhere {
  dataSourceInstanceUpdate(
    input: {
      by: {
        of: {
          connection: { integrationKey: "demo" }
          dataSource: { key: "tasks" }
        }
      }
      pointer: {
        path: "/data/tasks?projectId=2&status=open"
      }
    }
  ) {
    dataSourceInstance {
      path
      isCustomized
      collectionKey
      collectionParameters
      defaultPath
      records(first: 3) {
        nodes { externalId name fields }
      }
    }
    userErrors { code message field }
  }
}
"""

_RESET = """
# Back to where it pointed at first. Only what the
# connection had set itself is dropped: all else was
# inherited all along.
mutation Reset {
  dataSourceInstanceReset(
    input: {
      by: {
        of: {
          connection: { integrationKey: "demo" }
          dataSource: { key: "tasks" }
        }
      }
    }
  ) {
    dataSourceInstance {
      path
      isCustomized
      settings { name value origin }
    }
    userErrors { code message field }
  }
}
"""

_KNOW_THE_FIELDS = """
# What the records look like, and what can be done with
# them: enough to build a form or a field mapping on.
query KnowTheFields {
  dataSourceInstance(
    by: {
      of: {
        connection: { integrationKey: "demo" }
        dataSource: { key: "users" }
      }
    }
  ) {
    fieldsSchema
    collectionSpec { name description operations }
    udm { name fieldsSchema }
  }
}
"""

_SEVERAL_POINTERS = """
# One data source, several pointers in one connection:
# give each a key.
mutation SeveralPointers {
  dataSourceInstanceCreate(
    input: {
      connection: { integrationKey: "demo" }
      dataSource: { key: "tasks" }
      instanceKey: "sprint"
    }
  ) {
    isCreated
    dataSourceInstance {
      instanceKey
      path
      connection {
        dataSourceInstances {
          nodes { instanceKey path dataSource { key } }
        }
      }
    }
    userErrors { code message field }
  }
}
"""

_AS_AN_ADMIN = """
# Needs an admin's header. Admins define data sources,
# add integrations and see all customers.
query AsAnAdmin {
  customers(first: 20) {
    nodes {
      externalId
      connections {
        nodes { name state integration { key } }
      }
    }
  }
  dataSources(first: 20) {
    nodes {
      key
      name
      udm { name }
      instances {
        nodes {
          path
          connection { customer { externalId } }
        }
      }
    }
  }
  connectors {
    nodes {
      key
      name
      collections { key }
      authMethods { key type }
    }
  }
}
"""


def examples(*, customer: Mapping[str, str] | None, admin: Mapping[str, str] | None) -> tuple[ExampleTab, ...]:
    """The tabs, with the headers of the customer and, on the last one, of the admin; without headers, the reader pastes them."""
    as_customer = (
        ("Look around", _LOOK_AROUND),
        ("Read records", _READ_RECORDS),
        ("Filter and order", _FILTER_AND_ORDER),
        ("One graph", _ONE_GRAPH),
        ("Write a record", _WRITE_A_RECORD),
        ("Point elsewhere", _POINT_ELSEWHERE),
        ("Reset", _RESET),
        ("Know the fields", _KNOW_THE_FIELDS),
        ("Several pointers", _SEVERAL_POINTERS),
        ("Listen", LISTEN),
        ("Keep in sync", KEEP_IN_SYNC),
        ("What happened", WHAT_HAPPENED),
    )
    tabs = [ExampleTab(title=title, query=query, headers=customer) for title, query in as_customer]
    return (*tabs, ExampleTab(title="As an admin", query=_AS_AN_ADMIN, headers=admin))
