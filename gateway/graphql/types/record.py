"""Records in the schema."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from gateway.graphql.fields import DATA_COLLECTION, field
from gateway.graphql.sources import Place, RecordSource
from gateway.graphql.types.node import Node


@strawberry.type(description="A record of an external app, in the app's own fields.")
class Record(Node):
    id: strawberry.ID = strawberry.field(
        description="The id of the record in this collection and connection; opaque, and the same for ever."
    )
    external_id: str = strawberry.field(description="What the app calls it, as text whatever the app uses.")
    name: str | None = strawberry.field(description="What people call it. Null where the connector does not say.")
    url: str | None = strawberry.field(description="Where people find it in the app. Null where the connector does not say.")
    version: str | None = strawberry.field(description="Changes with every change of the record. Null where the app has none.")
    fields: JSON = strawberry.field(description="The record's fields, as `fieldsSchema` describes them.")
    raw_fields: JSON | None = strawberry.field(
        description="What the app sent, before the connector brought it into `fields`. Null where the two are the same."
    )
    created_at: datetime | None = strawberry.field(description="When it was created in the app. Null where the app does not say.")
    updated_at: datetime | None = strawberry.field(description="When it was last changed in the app. Null where the app does not say.")

    @field("The collection that it was read from.", type=DATA_COLLECTION)
    def collection(self: RecordSource) -> Place:
        place: Place = self["collection"]
        return place
