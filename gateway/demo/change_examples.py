"""The tabs that GraphiQL opens with in the demo, those about changes. Lines are short, as in `examples`."""

LISTEN = """
# Somebody changes a task every few seconds. The first
# frame says that the gateway knows all tasks; changes
# follow, within moments: the app tells of them. Stop,
# and start again with `after: "<cursor>"`: nothing is
# missed.
subscription Listen {
  recordsChanged(
    dataSourceInstance: {
      of: {
        connection: { integrationKey: "demo" }
        dataSource: { key: "tasks" }
      }
    }
  ) {
    cursor
    events {
      type
      method
      externalId
      changedFields
      record { name fields }
      recordedAt
    }
  }
}
"""

KEEP_IN_SYNC = """
# Changes are recorded while somebody listens. This has
# them recorded for good, whether or not anybody does.
mutation KeepInSync {
  dataSourceInstanceSubscribe(
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
      subscriptions {
        type
        method
        status
        isRealTime
        requiresPull
        requiresFullSync
      }
    }
    userErrors { code message field }
  }
}
"""

WHAT_HAPPENED = """
# What was recorded so far, and the sync that ran last.
# Read `eventsCursor` with the records, listen after it,
# and no change is missed.
query WhatHappened {
  dataSourceInstance(
    by: {
      of: {
        connection: { integrationKey: "demo" }
        dataSource: { key: "tasks" }
      }
    }
  ) {
    eventsCursor
    events(first: 20, types: [CREATED, UPDATED]) {
      totalCount
      nodes {
        type
        externalId
        changedFields
        previousFields
        record { name }
        recordedAt
      }
    }
    subscriptions { type status nextPullAt }
    latestSyncRun {
      kind
      status
      conclusion
      recordCount
      eventCount
      completedAt
    }
  }
}
"""
