"""Sync runs in the schema."""

from datetime import datetime

import strawberry

from gateway import models
from gateway.graphql.context import Info
from gateway.graphql.event_sources import instance_of
from gateway.graphql.fields import DATA_SOURCE_INSTANCE, field
from gateway.graphql.types.element import ElementError, stored_error
from gateway.graphql.types.node import Node
from gateway.models import SyncConclusion, SyncKind, SyncStatus

_MISSING_COUNT = (
    "How many records that were known before are missing in the app's list, as the run read it last: those that it recorded as deleted, "
    "that it is held for, or that the app still had when it was asked for each of them. 0 while the list is read."
)


@strawberry.type(description="One pull of updates or full sync of an instance's collection.")
class SyncRun(Node):
    record_count: int = strawberry.field(description="How many records it has read so far.")
    event_count: int = strawberry.field(description="How many changes it has recorded so far.")
    page_count: int = strawberry.field(description="How many pages of the app it has read so far.")
    missing_count: int = strawberry.field(description=_MISSING_COUNT)
    created_at: datetime = strawberry.field(description="When it was asked for, or began.")
    started_at: datetime | None = strawberry.field(description="When it began. Null while it is queued.")
    completed_at: datetime | None = strawberry.field(description="When it ended. Null until it has.")

    @field("The instance whose collection it reads.", type=DATA_SOURCE_INSTANCE)
    async def data_source_instance(self: models.SyncRun, info: Info) -> models.DataSourceInstance:
        return await instance_of(info.context, self.instance_id)

    @field("What it does.")
    def kind(self: models.SyncRun) -> SyncKind:
        return SyncKind(self.kind)

    @field("How far it is.")
    def status(self: models.SyncRun) -> SyncStatus:
        return SyncStatus(self.status)

    @field("How it ended. Null until it has.")
    def conclusion(self: models.SyncRun) -> SyncConclusion | None:
        return SyncConclusion(self.conclusion) if self.conclusion is not None else None

    @field("Why it failed, or failed last where it goes on. Null when it did not.", type=ElementError | None)
    def error(self: models.SyncRun) -> models.ElementError | None:
        return stored_error(self.error)
