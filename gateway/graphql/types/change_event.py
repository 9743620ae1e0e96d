"""Changes as they were recorded, in the schema. Nothing here asks the app."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.events.batches import Batch
from gateway.graphql.context import Info
from gateway.graphql.event_sources import ChangeEventSource, changed_fields_of, events_of, instance_of, record_of
from gateway.graphql.fields import DATA_SOURCE_INSTANCE, RECORD, field
from gateway.graphql.sources import RecordSource
from gateway.models import ChangeType, EventMethod
from gateway.services import change_events


@strawberry.type(description="A change of a record, as it was recorded. Nothing of it asks the external app.")
class ChangeEvent:
    cursor: str = strawberry.field(description="The place after it: what `after` takes, in `events` and in the streams alike.")

    @field("What happened to the record.")
    def type(self: ChangeEventSource) -> ChangeType:
        return self.event.type

    @field("How the gateway learned of it.")
    def method(self: ChangeEventSource) -> EventMethod:
        return self.event.method

    @field("What the app calls the record.")
    def external_id(self: ChangeEventSource) -> str:
        return self.event.record_id

    @field("The instance whose record it is.", type=DATA_SOURCE_INSTANCE)
    async def data_source_instance(self: ChangeEventSource, info: Info) -> models.DataSourceInstance:
        return await instance_of(info.context, self.event.instance_id)

    @field("The record as it was after the change. Null when it was deleted, and where `eventBodies` is off.", type=RECORD | None)
    async def record(self: ChangeEventSource, info: Info) -> RecordSource | None:
        return await record_of(info.context, self)

    @field("Its fields before the change. Null when it was created, and where `eventBodies` is off.", type=JSON | None)
    def previous_fields(self: ChangeEventSource) -> Any:
        return change_events.previous_fields(self.event)

    @field("The names of the fields that changed. Null unless it was updated, and where `eventBodies` is off.")
    async def changed_fields(self: ChangeEventSource, info: Info) -> list[str] | None:
        return await changed_fields_of(info.context, self)

    @field("When the gateway recorded it.")
    def recorded_at(self: ChangeEventSource) -> datetime:
        return self.event.recorded_at


@strawberry.type(description="Changes that came in together.")
class ChangeEventBatch:
    cursor: str = strawberry.field(
        description="The place after all of them: pass it as `after` to go on from here, also through another connection."
    )

    @field("The changes, the oldest first. Empty in the first frame of a stream that has nothing to replay.", type=list[ChangeEvent])
    def events(self: Batch) -> list[ChangeEventSource]:
        return events_of(self)
