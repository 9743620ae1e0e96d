"""What the mutations of data source instances take."""

import strawberry

from gateway.graphql.fields import IF_REVISION
from gateway.graphql.inputs.selectors import ConnectionSelector, DataSourceInstanceSelector, DataSourceSelector, PointerInput

_DRY_RUN = "Whether to check and show the outcome without saving it."


@strawberry.input(description="The instance to have.")
class DataSourceInstanceCreateInput:
    connection: ConnectionSelector = strawberry.field(description="The connection.")
    data_source: DataSourceSelector = strawberry.field(description="The data source.")
    instance_key: str | None = strawberry.field(description="Tells several instances apart; leave it out for the default one.")


@strawberry.input(description="Changes to an instance; what is left out stays, and null returns to the inherited value.")
class DataSourceInstanceUpdateInput:
    by: DataSourceInstanceSelector = strawberry.field(description="The instance.")
    pointer: strawberry.Maybe[PointerInput | None] = strawberry.field(description="The collection, with its parameters.")
    pull_updates_interval_seconds: strawberry.Maybe[int | None] = strawberry.field(description="How often changes are pulled.")
    full_sync_interval_seconds: strawberry.Maybe[int | None] = strawberry.field(description="How often the whole collection is read.")
    if_revision: str | None = strawberry.field(description=IF_REVISION)
    dry_run: bool = strawberry.field(description=_DRY_RUN, default=False)


@strawberry.input(description="The instance to set up.")
class DataSourceInstanceSetupInput:
    by: DataSourceInstanceSelector = strawberry.field(description="The instance.")


@strawberry.input(description="The instance to reset.")
class DataSourceInstanceResetInput:
    by: DataSourceInstanceSelector = strawberry.field(description="The instance.")
    dry_run: bool = strawberry.field(description=_DRY_RUN, default=False)


@strawberry.input(description="The instance to archive.")
class DataSourceInstanceArchiveInput:
    by: DataSourceInstanceSelector = strawberry.field(description="The instance.")


@strawberry.input(description="The instance to restore.")
class DataSourceInstanceRestoreInput:
    id: strawberry.ID = strawberry.field(description="The id of the archived instance.")
