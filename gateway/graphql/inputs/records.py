"""How callers name collections and records' fields, and what the mutations of records take."""

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.graphql.fields import given
from gateway.graphql.inputs.patches import json_object
from gateway.graphql.inputs.selectors import ConnectionSelector, DataSourceInstanceSelector
from gateway.models import OrderDirection
from gateway.services import selectors

_IN = "The collection."
_UDM = "The model of `unifiedFields`; the data source's, else the collection's only one, where it is left out."
_IF_VERSION = (
    "The `version` that you have read: where it has changed meanwhile, the answer is CONFLICT. UNSUPPORTED where the app has none."
)


@strawberry.input(description="A collection of a connection, whether or not a data source points at it.")
class ConnectionCollectionKey:
    connection: ConnectionSelector = strawberry.field(description="The connection.")
    key: str = strawberry.field(description="The collection's key.")
    parameters: JSON | None = strawberry.field(description="Its parameters, where it takes any.")

    def read(self, *path: str) -> selectors.ConnectionCollectionKey:
        connection = self.connection.read(*path, "connection")
        return selectors.ConnectionCollectionKey(connection=connection, key=self.key, parameters=json_object(self.parameters))


@strawberry.input(one_of=True, description="Where records are: in the collection that an instance points at, or in one of a connection.")
class CollectionSelector:
    data_source_instance: DataSourceInstanceSelector | None = strawberry.field(description="What this instance points at.")
    collection: ConnectionCollectionKey | None = strawberry.field(description="This collection.")

    def read(self, *path: str) -> selectors.CollectionSelector:
        if self.collection:
            return selectors.CollectionSelector(collection=self.collection.read(*path, "collection"))
        assert self.data_source_instance  # noqa: S101 - one of the two is given.
        return selectors.CollectionSelector(instance=self.data_source_instance.read(*path, "dataSourceInstance"))


@strawberry.input(one_of=True, description="Fields of a record, in the app's own words or in those of a universal data model.")
class FieldsInput:
    fields: JSON | None = strawberry.field(description="By the names that `fieldsSchema` of the collection has.")
    unified_fields: JSON | None = strawberry.field(description="By the names that `fieldsSchema` of the model has.")

    def read(self) -> selectors.FieldValues:
        return selectors.FieldValues(fields=given(self.fields), unified_fields=given(self.unified_fields))

    def path_of(self, name: str) -> list[str]:
        """Where the value of a field stands."""
        return ["unifiedFields" if given(self.fields) is None else "fields", name]


@strawberry.input(description="The field that a list is ordered by, one of `orderFields` of the collection.")
class RecordOrder:
    field: str = strawberry.field(description="The field, by the app's own name.")
    direction: OrderDirection = strawberry.field(description="Whether the list rises or falls.", default=OrderDirection.ASC)

    def read(self) -> models.RecordOrder:
        return models.RecordOrder(field=self.field, direction=self.direction)


@strawberry.input(description="A new record.")
class RecordCreateInput:
    in_: CollectionSelector = strawberry.field(name="in", description=_IN)
    values: FieldsInput = strawberry.field(description="Its fields.")
    udm: str | None = strawberry.field(description=_UDM)
    idempotency_key: str | None = strawberry.field(
        description="A text of your choice: sent again with the same one, the creation gives the record that is there. UNSUPPORTED where "
        "the app does not know such keys."
    )


@strawberry.input(description="Changes to a record; fields that are left out stay.")
class RecordUpdateInput:
    in_: CollectionSelector = strawberry.field(name="in", description=_IN)
    external_id: str = strawberry.field(description="What the app calls the record.")
    values: FieldsInput = strawberry.field(description="The fields to change.")
    udm: str | None = strawberry.field(description=_UDM)
    if_version: str | None = strawberry.field(description=_IF_VERSION)


@strawberry.input(description="The record to delete.")
class RecordDeleteInput:
    in_: CollectionSelector = strawberry.field(name="in", description=_IN)
    external_id: str = strawberry.field(description="What the app calls the record.")
    if_version: str | None = strawberry.field(description=_IF_VERSION)


@strawberry.input(description="Fields of a model, to be shown as the app's own.")
class UnifiedFieldsToNativeInput:
    in_: CollectionSelector = strawberry.field(name="in", description=_IN)
    unified_fields: JSON = strawberry.field(description="The fields, by the names of the model.")
    udm: str | None = strawberry.field(description=_UDM)
