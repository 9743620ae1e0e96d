"""Mutations of data source instances."""

import strawberry

from gateway import models
from gateway.graphql import ids
from gateway.graphql.context import Info
from gateway.graphql.errors import Payload, PayloadType
from gateway.graphql.inputs.data_source_instances import (
    DataSourceInstanceArchiveInput,
    DataSourceInstanceCreateInput,
    DataSourceInstanceResetInput,
    DataSourceInstanceRestoreInput,
    DataSourceInstanceSetupInput,
    DataSourceInstanceUpdateInput,
)
from gateway.graphql.inputs.patches import changes
from gateway.graphql.mutations.base import mutation
from gateway.graphql.types.data_source_instance import DataSourceInstance
from gateway.services import data_source_instances


@strawberry.type
class DataSourceInstancePayload(PayloadType):
    data_source_instance: DataSourceInstance | None = strawberry.field(description="The instance as it is now. Null when nothing was done.")


@strawberry.type
class CreatedDataSourceInstancePayload(DataSourceInstancePayload):
    is_created: bool | None = strawberry.field(
        description="Whether it is new, or was archived; false when it was in use. Null when nothing was done."
    )


@strawberry.type
class DataSourceInstanceMutations:
    @mutation(
        "Get the instance of a data source in a connection, created and set up where there is none. Safe to repeat, also at the same "
        "time: there is one instance. An archived one comes back with its overrides dropped.",
        payload=CreatedDataSourceInstancePayload,
    )
    async def data_source_instance_create(self, info: Info, input: DataSourceInstanceCreateInput) -> Payload:
        instance, is_created = await data_source_instances.create(
            *info.context.caller,
            connection=input.connection.read("input", "connection"),
            data_source=input.data_source.read("input", "dataSource"),
            instance_key=input.instance_key,
        )
        return {"data_source_instance": instance, "is_created": is_created}

    @mutation("Change an instance, for example to point it at another collection.", payload=DataSourceInstancePayload)
    async def data_source_instance_update(self, info: Info, input: DataSourceInstanceUpdateInput) -> Payload:
        given = changes(input, "pointer", "pull_updates_interval_seconds", "full_sync_interval_seconds")
        instance = await data_source_instances.update(
            *info.context.caller, by=input.by.read("input", "by"), if_revision=input.if_revision, dry_run=input.dry_run, **given
        )
        return {"data_source_instance": instance}

    @mutation("Set up an instance: its collection is read again from the app, custom fields included.", payload=DataSourceInstancePayload)
    async def data_source_instance_setup(self, info: Info, input: DataSourceInstanceSetupInput) -> Payload:
        return {"data_source_instance": await data_source_instances.setup(*info.context.caller, by=input.by.read("input", "by"))}

    @mutation("Drop what an instance overrides, so that it follows its data source.", payload=DataSourceInstancePayload)
    async def data_source_instance_reset(self, info: Info, input: DataSourceInstanceResetInput) -> Payload:
        by = input.by.read("input", "by")
        return {"data_source_instance": await data_source_instances.reset(*info.context.caller, by=by, dry_run=input.dry_run)}

    @mutation("Archive an instance; creating it again brings it back without its overrides.", payload=DataSourceInstancePayload)
    async def data_source_instance_archive(self, info: Info, input: DataSourceInstanceArchiveInput) -> Payload:
        return {"data_source_instance": await data_source_instances.archive(*info.context.caller, by=input.by.read("input", "by"))}

    @mutation("Restore an archived instance as it was.", payload=DataSourceInstancePayload)
    async def data_source_instance_restore(self, info: Info, input: DataSourceInstanceRestoreInput) -> Payload:
        row_id = ids.local_id(input.id, models.DataSourceInstance, field=["input", "id"])
        return {"data_source_instance": await data_source_instances.restore(*info.context.caller, id=row_id)}
