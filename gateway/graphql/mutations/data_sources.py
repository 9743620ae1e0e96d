"""Mutations of data sources."""

import strawberry

from gateway import models
from gateway.graphql import ids
from gateway.graphql.context import Info
from gateway.graphql.errors import Payload, PayloadType
from gateway.graphql.inputs.data_sources import (
    DataSourceApplyInput,
    DataSourceArchiveInput,
    DataSourceCreateInput,
    DataSourceResetInput,
    DataSourceRestoreInput,
    DataSourceSetupInput,
    DataSourceUpdateInput,
)
from gateway.graphql.inputs.patches import changes
from gateway.graphql.mutations.base import mutation
from gateway.graphql.types.data_source import DataSource
from gateway.services import data_sources


@strawberry.type
class DataSourcePayload(PayloadType):
    data_source: DataSource | None = strawberry.field(description="The data source as it is now. Null when nothing was done.")


@strawberry.type
class DataSourcesPayload(PayloadType):
    data_sources: list[DataSource] | None = strawberry.field(
        description="The customisations, in the order of the keys. Null when nothing was done."
    )


@strawberry.type
class DataSourceMutations:
    @mutation("Create a data source. Only for admins.", payload=DataSourcePayload)
    async def data_source_create(self, info: Info, input: DataSourceCreateInput) -> Payload:
        data_source = await data_sources.create(
            *info.context.caller,
            key=input.key,
            name=input.name,
            integration_key=input.integration_key,
            universal_key=input.universal_key,
            udm=input.udm,
            pointer=input.pointer.read() if input.pointer else None,
            pull_updates_interval_seconds=input.pull_updates_interval_seconds,
            full_sync_interval_seconds=input.full_sync_interval_seconds,
            event_bodies=input.event_bodies,
        )
        return {"data_source": data_source}

    @mutation("Change a data source: whatever does not override it follows at once. Only for admins.", payload=DataSourcePayload)
    async def data_source_update(self, info: Info, input: DataSourceUpdateInput) -> Payload:
        given = changes(input, "name", "udm", "pointer", "pull_updates_interval_seconds", "full_sync_interval_seconds", "event_bodies")
        by = input.by.read("input", "by")
        return {"data_source": await data_sources.update(*info.context.caller, by=by, if_revision=input.if_revision, **given)}

    @mutation(
        "Give integrations customisations of a universal data source, where they have none yet. Only for admins.",
        payload=DataSourcesPayload,
    )
    async def data_source_apply(self, info: Info, input: DataSourceApplyInput) -> Payload:
        applied = await data_sources.apply(*info.context.caller, key=input.key, integration_keys=input.integration_keys)
        return {"data_sources": applied}

    @mutation("Set up a data source: its default, state and errors are worked out again. Only for admins.", payload=DataSourcePayload)
    async def data_source_setup(self, info: Info, input: DataSourceSetupInput) -> Payload:
        return {"data_source": await data_sources.setup(*info.context.caller, by=input.by.read("input", "by"))}

    @mutation(
        "Drop what a customisation overrides, so that it follows its universal data source. Only for admins.", payload=DataSourcePayload
    )
    async def data_source_reset(self, info: Info, input: DataSourceResetInput) -> Payload:
        return {"data_source": await data_sources.reset(*info.context.caller, by=input.by.read("input", "by"))}

    @mutation("Archive a data source with its customisations. Only for admins.", payload=DataSourcePayload)
    async def data_source_archive(self, info: Info, input: DataSourceArchiveInput) -> Payload:
        return {"data_source": await data_sources.archive(*info.context.caller, by=input.by.read("input", "by"))}

    @mutation(
        "Restore an archived data source with the customisations that were archived with it. Only for admins.", payload=DataSourcePayload
    )
    async def data_source_restore(self, info: Info, input: DataSourceRestoreInput) -> Payload:
        row_id = ids.local_id(input.id, models.DataSource, field=["input", "id"])
        return {"data_source": await data_sources.restore(*info.context.caller, id=row_id)}
