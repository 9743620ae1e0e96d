"""How callers name rows."""

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.graphql import ids
from gateway.graphql.fields import given
from gateway.graphql.inputs.patches import json_object
from gateway.services import selectors


@strawberry.input(description="A customer's connection in an integration, by the names that the product uses.")
class CustomerIntegrationKey:
    customer_external_id: str = strawberry.field(description="What the product calls the customer.")
    integration_key: str = strawberry.field(description="The key of the integration.")


@strawberry.input(one_of=True, description="A connection.")
class ConnectionSelector:
    id: strawberry.ID | None = strawberry.field(description="The connection of this id, archived or not.")
    integration_key: str | None = strawberry.field(
        description="Your only connection in the integration of this key; several are AMBIGUOUS."
    )
    customer_integration: CustomerIntegrationKey | None = strawberry.field(
        description="A customer's only connection in an integration: how an admin, who acts for no customer, selects by key."
    )

    def read(self, *path: str) -> selectors.ConnectionSelector:
        if (row_id := given(self.id)) is not None:
            return selectors.ConnectionSelector(id=ids.local_id(row_id, models.Connection, field=[*path, "id"]))
        if self.customer_integration:
            named = self.customer_integration
            return selectors.ConnectionSelector(integration_key=named.integration_key, customer_external_id=named.customer_external_id)
        return selectors.ConnectionSelector(integration_key=self.integration_key)


@strawberry.input(description="A data source in an integration, by key.")
class KeyInIntegration:
    key: str = strawberry.field(description="The key of the data source.")
    integration_key: str = strawberry.field(description="The key of the integration.")


@strawberry.input(one_of=True, description="A data source.")
class DataSourceSelector:
    id: strawberry.ID | None = strawberry.field(description="The data source of this id, archived or not.")
    key: str | None = strawberry.field(
        description="The universal data source of this key, else the one of an integration that has this key."
    )
    key_in_integration: KeyInIntegration | None = strawberry.field(description="The data source of a key in an integration.")

    def read(self, *path: str) -> selectors.DataSourceSelector:
        if (row_id := given(self.id)) is not None:
            return selectors.DataSourceSelector(id=ids.local_id(row_id, models.DataSource, field=[*path, "id"]))
        if self.key_in_integration:
            return selectors.DataSourceSelector(key=self.key_in_integration.key, integration_key=self.key_in_integration.integration_key)
        return selectors.DataSourceSelector(key=self.key)


@strawberry.input(description="An instance by what it connects.")
class DataSourceInstanceKey:
    connection: ConnectionSelector = strawberry.field(description="The connection that it belongs to.")
    data_source: DataSourceSelector = strawberry.field(description="The data source that it is an instance of.")
    instance_key: str | None = strawberry.field(description="Which of several instances; leave it out for the default one.")


@strawberry.input(one_of=True, description="A data source instance.")
class DataSourceInstanceSelector:
    id: strawberry.ID | None = strawberry.field(description="The instance of this id, archived or not.")
    of: DataSourceInstanceKey | None = strawberry.field(description="The instance of a data source in a connection.")

    def read(self, *path: str) -> selectors.DataSourceInstanceSelector:
        if self.of:
            return selectors.DataSourceInstanceSelector(
                connection=self.of.connection.read(*path, "of", "connection"),
                data_source=self.of.data_source.read(*path, "of", "dataSource"),
                instance_key=self.of.instance_key,
            )
        return selectors.DataSourceInstanceSelector(id=ids.local_id(self.id or "", models.DataSourceInstance, field=[*path, "id"]))


@strawberry.input(description="A collection by key and parameters.")
class CollectionPointerInput:
    key: str = strawberry.field(description="The collection's key.")
    parameters: JSON | None = strawberry.field(description="Its parameters, where it takes any.")


@strawberry.input(one_of=True, description="A pointer to a collection in one of its two spellings. It is one setting, replaced whole.")
class PointerInput:
    path: str | None = strawberry.field(description="The pointer as a path, such as `/data/tasks?projectId=12`.")
    collection: CollectionPointerInput | None = strawberry.field(description="The pointer as key and parameters.")

    def read(self) -> selectors.PointerInput:
        if self.collection:
            return selectors.PointerInput(key=self.collection.key, parameters=json_object(self.collection.parameters))
        return selectors.PointerInput(path=self.path)
