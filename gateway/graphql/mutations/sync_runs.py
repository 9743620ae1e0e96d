"""Mutations of sync runs."""

from uuid import UUID

import strawberry

from gateway import models
from gateway.graphql import ids
from gateway.graphql.context import Info
from gateway.graphql.errors import Payload, PayloadType
from gateway.graphql.inputs.sync_runs import DataSourceInstanceSyncInput, SyncRunCancelInput, SyncRunReleaseInput
from gateway.graphql.mutations.base import mutation
from gateway.graphql.types.sync_run import SyncRun
from gateway.services import sync_runs


@strawberry.type
class SyncRunPayload(PayloadType):
    sync_run: SyncRun | None = strawberry.field(description="The run as it is now. Null when nothing was done.")


@strawberry.type
class SyncRunMutations:
    @mutation(
        "Sync an instance now. A run that waits already is not queued twice; one that failed or is held goes on.", payload=SyncRunPayload
    )
    async def data_source_instance_sync(self, info: Info, input: DataSourceInstanceSyncInput) -> Payload:
        run = await sync_runs.request(*info.context.caller, by=input.by.read("input", "by"), kind=input.kind)
        return {"sync_run": run}

    @mutation("End a run before its time; what it has recorded stays.", payload=SyncRunPayload)
    async def sync_run_cancel(self, info: Info, input: SyncRunCancelInput) -> Payload:
        return {"sync_run": await sync_runs.cancel(*info.context.caller, id=_run_id(input.id))}

    @mutation(
        "Let a run that is held go on: it lists the collection once more, and tells every record that is missing as deleted.",
        payload=SyncRunPayload,
    )
    async def sync_run_release(self, info: Info, input: SyncRunReleaseInput) -> Payload:
        return {"sync_run": await sync_runs.release(*info.context.caller, id=_run_id(input.id))}


def _run_id(id: str) -> UUID:
    return ids.local_id(id, models.SyncRun, field=["input", "id"])
