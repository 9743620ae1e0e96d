"""What the mutations of data sources take."""

import strawberry

from gateway.graphql.fields import IF_REVISION
from gateway.graphql.inputs.selectors import DataSourceSelector, PointerInput


@strawberry.input(
    description="A new data source: universal without `integrationKey`; with `universalKey` the customisation of that one there."
)
class DataSourceCreateInput:
    key: str = strawberry.field(description="The name that code will use; a customisation has the key of what it customises.")
    name: str | None = strawberry.field(
        description="What people call it; the key, or the name of what it customises, where it is left out."
    )
    integration_key: str | None = strawberry.field(
        description="The integration that it belongs to; it is universal where this is left out."
    )
    universal_key: str | None = strawberry.field(description="The universal data source that it customises in the integration.")
    udm: str | None = strawberry.field(description="The universal data model that its records are read as.")
    pointer: PointerInput | None = strawberry.field(
        description="The collection; inherited, or the connector's default for the model, where it is left out."
    )
    pull_updates_interval_seconds: int | None = strawberry.field(
        description="How often changes are pulled; inherited where it is left out."
    )
    full_sync_interval_seconds: int | None = strawberry.field(
        description="How often the whole collection is read; inherited where it is left out."
    )
    event_bodies: bool | None = strawberry.field(
        description="Whether change events keep the record as it was; inherited where it is left out."
    )


@strawberry.input(description="Changes to a data source; what is left out stays, and null returns to the inherited value.")
class DataSourceUpdateInput:
    by: DataSourceSelector = strawberry.field(description="The data source.")
    name: strawberry.Maybe[str | None] = strawberry.field(description="What people call it.")
    udm: strawberry.Maybe[str | None] = strawberry.field(description="The universal data model that its records are read as.")
    pointer: strawberry.Maybe[PointerInput | None] = strawberry.field(description="The collection, with its parameters.")
    pull_updates_interval_seconds: strawberry.Maybe[int | None] = strawberry.field(description="How often changes are pulled.")
    full_sync_interval_seconds: strawberry.Maybe[int | None] = strawberry.field(description="How often the whole collection is read.")
    event_bodies: strawberry.Maybe[bool | None] = strawberry.field(description="Whether change events keep the record as it was.")
    if_revision: str | None = strawberry.field(description=IF_REVISION)


@strawberry.input(description="The universal data source to apply, and where.")
class DataSourceApplyInput:
    key: str = strawberry.field(description="The key of the universal data source.")
    integration_keys: list[str] = strawberry.field(
        description="The integrations that get a customisation of their own, to be changed there."
    )


@strawberry.input(description="The data source to set up.")
class DataSourceSetupInput:
    by: DataSourceSelector = strawberry.field(description="The data source.")


@strawberry.input(description="The data source to reset.")
class DataSourceResetInput:
    by: DataSourceSelector = strawberry.field(description="The data source.")


@strawberry.input(description="The data source to archive.")
class DataSourceArchiveInput:
    by: DataSourceSelector = strawberry.field(description="The data source.")


@strawberry.input(description="The data source to restore.")
class DataSourceRestoreInput:
    id: strawberry.ID = strawberry.field(description="The id of the archived data source.")
