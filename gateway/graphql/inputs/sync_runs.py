"""What the mutations of sync runs take."""

import strawberry

from gateway.graphql.inputs.selectors import DataSourceInstanceSelector
from gateway.models import SyncKind


@strawberry.input(description="The sync to start.")
class DataSourceInstanceSyncInput:
    by: DataSourceInstanceSelector = strawberry.field(description="The instance.")
    kind: SyncKind = strawberry.field(description="What is to be done.", default=SyncKind.PULL_UPDATES)


@strawberry.input(description="The run to end.")
class SyncRunCancelInput:
    id: strawberry.ID = strawberry.field(description="The id of the run.")


@strawberry.input(description="The run to let go on.")
class SyncRunReleaseInput:
    id: strawberry.ID = strawberry.field(description="The id of the run that is held.")
