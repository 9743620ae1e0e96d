"""Mutations of records."""

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.graphql.context import Info
from gateway.graphql.errors import Payload, PayloadType
from gateway.graphql.inputs.records import (
    CollectionSelector,
    RecordCreateInput,
    RecordDeleteInput,
    RecordUpdateInput,
    UnifiedFieldsToNativeInput,
)
from gateway.graphql.mutations.base import mutation
from gateway.graphql.sources import RecordSource, records_of
from gateway.graphql.types.record import Record
from gateway.services import record_places, record_writes
from gateway.services.record_places import RecordPlace


@strawberry.type
class RecordPayload(PayloadType):
    record: Record | None = strawberry.field(description="The record as the app has it now. Null when nothing was done.")


@strawberry.type
class DeletedRecordPayload(PayloadType):
    deleted_external_id: str | None = strawberry.field(description="The id of the record that is gone. Null when nothing was done.")


@strawberry.type
class NativeFieldsPayload(PayloadType):
    fields: JSON | None = strawberry.field(description="The app's own fields. Null when the input cannot be translated.")
    unmapped_fields: list[str] | None = strawberry.field(
        description="The fields of the model that have no place in the app's. Null when the input cannot be translated."
    )


@strawberry.type
class RecordMutations:
    @mutation(
        "Create a record in the app. Where the app does not answer whether it did, nothing is sent again, and the error says what is not "
        "known.",
        payload=RecordPayload,
    )
    async def record_create(self, info: Info, input: RecordCreateInput) -> Payload:
        place = await _place_of(info, input.in_)
        record = await record_writes.create(
            *info.context.caller, place=place, values=input.values.read(), udm=input.udm, idempotency_key=input.idempotency_key
        )
        return {"record": _shown(info, place, record)}

    @mutation("Change fields of a record in the app; those that are left out stay as they are.", payload=RecordPayload)
    async def record_update(self, info: Info, input: RecordUpdateInput) -> Payload:
        place = await _place_of(info, input.in_)
        record = await record_writes.update(
            *info.context.caller,
            place=place,
            external_id=input.external_id,
            values=input.values.read(),
            udm=input.udm,
            if_version=input.if_version,
        )
        return {"record": _shown(info, place, record)}

    @mutation("Delete a record in the app.", payload=DeletedRecordPayload)
    async def record_delete(self, info: Info, input: RecordDeleteInput) -> Payload:
        place = await _place_of(info, input.in_)
        deleted = await record_writes.delete(*info.context.caller, place=place, external_id=input.external_id, if_version=input.if_version)
        return {"deleted_external_id": deleted}

    @mutation(
        "Show fields of a universal data model as the app's own, as `recordCreate` would write them. Nothing is written.",
        payload=NativeFieldsPayload,
    )
    async def unified_fields_to_native(self, info: Info, input: UnifiedFieldsToNativeInput) -> Payload:
        place = await _place_of(info, input.in_)
        native = await record_writes.unified_fields_to_native(
            *info.context.caller, place=place, unified_fields=input.unified_fields, udm=input.udm
        )
        return {"fields": native.fields, "unmapped_fields": native.unmapped}


async def _place_of(info: Info, given: CollectionSelector) -> RecordPlace:
    return await record_places.place_of(*info.context.caller, given.read("input", "in"), field=["input", "in"])


def _shown(info: Info, place: RecordPlace, record: models.Record) -> RecordSource:
    return records_of(info.context.loaders.records.collection_of(place), place)(record)
