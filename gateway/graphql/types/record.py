"""Records in the schema."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from gateway.graphql import ids
from gateway.graphql.context import Info
from gateway.graphql.fields import DATA_COLLECTION, RECORD, field, part
from gateway.graphql.sources import Place, RecordSource, UnifiedSource
from gateway.graphql.types.node import Node
from gateway.graphql.types.unified import UnifiedRecord
from gateway.graphql.unified import native_reference
from gateway.models.answer_objects import AnswerObject
from gateway.udm import PageReader, Translation

Udm = Annotated[
    str | None,
    strawberry.argument(description="The key of the model; the data source's, else the collection's only one, where it is left out."),
]


def _read_unified(
    shown: Sequence[RecordSource | None], info: Info, picks: Callable[[Translation], PageReader], udm: Any = strawberry.UNSET
) -> Sequence[AnswerObject | None]:
    return info.context.loaders.records.picked(shown, udm, picks)


@strawberry.type(description="A record of an external app, in the app's own fields.")
class Record(Node):
    @field("The id of the record in this collection and connection; opaque, and the same for ever.", type=strawberry.ID)
    def id(self: RecordSource) -> str:
        record, _, home = self
        return ids.record_id(home.connection.id, home.pointer, record.external_id)

    external_id: str = part(0, "external_id", "What the app calls it, as text whatever the app uses.")
    name: str | None = part(0, "name", "What people call it. Null where the connector does not say.")
    url: str | None = part(0, "url", "Where people find it in the app. Null where the connector does not say.")
    version: str | None = part(0, "version", "Changes with every change of the record. Null where the app has none.")
    fields: JSON = part(0, "fields", "The record's fields, as `fieldsSchema` describes them.")
    raw_fields: JSON | None = part(
        0, "raw_fields", "What the app sent, before the connector brought it into `fields`. Null where the two are the same."
    )
    created_at: datetime | None = part(0, "created_at", "When it was created in the app. Null where the app does not say.")
    updated_at: datetime | None = part(0, "updated_at", "When it was last changed in the app. Null where the app does not say.")

    @field(
        "Its fields in the words of a universal data model. Null, with the reason among the errors, where it cannot be read as the model.",
        type=JSON | None,
        computes=True,
    )
    def unified_fields(self: RecordSource, info: Info, udm: Udm = strawberry.UNSET) -> Any:
        return info.context.loaders.records.unified_fields(self, udm)

    @field(
        "The record in the words of a universal data model, typed; through it to the records that it refers to. Null, with the reason "
        "among the errors, where it cannot be read as the model.",
        type=UnifiedRecord | None,
        computes=True,
        reads=_read_unified,
    )
    def unified(self: RecordSource, info: Info, udm: Udm = strawberry.UNSET) -> UnifiedSource:
        return info.context.loaders.records.unified(self, udm)

    @field(
        "The record that one of its fields names, in the same connection: `x-reference` in `fieldsSchema` tells of which collection. Asks "
        "the external app. Null where the field is empty, when the app has no such record, or fails.",
        type=RECORD | None,
        asks_app=True,
        together=True,
    )
    async def reference(
        self: RecordSource, info: Info, field: Annotated[str, strawberry.argument(description="The name of the field.")]
    ) -> RecordSource | None:
        return await native_reference(info, self, field)

    @field("The collection that it was read from.", type=DATA_COLLECTION)
    def collection(self: RecordSource) -> Place:
        _, place, _ = self
        return place
