"""What collections can do, in the schema."""

import strawberry
from strawberry.scalars import JSON

from gateway import models, udm
from gateway.graphql.context import Info
from gateway.graphql.fields import UNIVERSAL_DATA_MODEL, field
from gateway.graphql.types.udm import named
from gateway.models import ChangeType, CollectionOperation, EventMethod, FilterOperator


@strawberry.type(description="The operators that the app can apply to one field in a filter.")
class CollectionFilter:
    field: str = strawberry.field(description="The name of the field; `*` stands for any field.")
    operators: list[FilterOperator] = strawberry.field(description="The operators that the app can apply to it.")


@strawberry.type(description="How changes of one type reach the gateway.")
class CollectionEventSupport:
    type: ChangeType = strawberry.field(description="What happens to a record.")
    method: EventMethod = strawberry.field(description="How the gateway learns of it.")


@strawberry.type(description="What a collection of an app is and can do.")
class CollectionSpec:
    key: str = strawberry.field(description="The collection's name in its connector.")
    name: str = strawberry.field(description="What people call it.")
    description: str | None = strawberry.field(description="What its records are. Null where the connector does not say.")
    fields_schema: JSON | None = strawberry.field(
        description="JSON Schema of a record's fields. Null where the app decides it and there is no connection to ask."
    )
    parameters_schema: JSON | None = strawberry.field(
        description="JSON Schema of the parameters that a pointer to it takes. Null where unknown."
    )
    operations: list[CollectionOperation] = strawberry.field(description="What can be done with its records.")
    filters: list[CollectionFilter] = strawberry.field(description="What the app can filter by.")
    order_fields: list[str] = strawberry.field(description="The fields that the app can order by.")
    match_fields: list[str] = strawberry.field(description="The fields by which the app can find one record.")
    create_fields_schema: JSON | None = strawberry.field(
        description="JSON Schema of the fields that a new record takes. Null where none can be created."
    )
    update_fields_schema: JSON | None = strawberry.field(
        description="JSON Schema of the fields that can be changed. Null where none can be changed."
    )
    events: list[CollectionEventSupport] = strawberry.field(description="The changes that the gateway can learn of, and how.")
    has_custom_fields: bool = strawberry.field(description="Whether customers can add fields of their own to it in the app.")

    @field("The models that its records can be read as.", type=list[UNIVERSAL_DATA_MODEL])
    def universal_data_models(self: models.CollectionSpec, info: Info) -> list[udm.UniversalDataModel]:
        return named(info.context.runtime.udm, self.universal_data_models)
