"""Connections in the schema."""

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.errors import NotFoundError
from gateway.graphql import relay
from gateway.graphql.context import Info
from gateway.graphql.fields import (
    CUSTOMER,
    DATA_COLLECTION,
    DATA_SOURCE_INSTANCE,
    INTEGRATION,
    LOCATION,
    Asked,
    field,
    given,
    loaded,
    pages,
)
from gateway.graphql.inputs.selectors import DataSourceSelector
from gateway.graphql.instance_places import InstancePlace
from gateway.graphql.relay import After, First, IncludeArchived
from gateway.graphql.sources import Origin, Place, place_of
from gateway.graphql.types.element import Configured, ElementError
from gateway.models import ConnectionState
from gateway.services import elements, places


def _integration_of(connection: models.Connection, info: Info) -> Asked:
    # There is one: a foreign key holds it, and everybody sees integrations.
    return info.context.loaders.row_by_id(models.Integration), connection.integration_id


def _customer_of(connection: models.Connection, info: Info) -> Asked:
    return info.context.loaders.row_by_id(models.Customer), connection.customer_id


@strawberry.type(
    description="One customer's link to one integration. Not to be mistaken for a page: a page of these is a `ConnectionConnection`."
)
class Connection(Configured):
    name: str = strawberry.field(description="What the customer calls it.")
    parameters: JSON = strawberry.field(description="What the customer set, without secrets.")
    auth_method: str = strawberry.field(description="The key of the connector's auth method that it uses.")

    @loaded("The integration that it links to.", type=INTEGRATION, asks=_integration_of)
    def integration(self: models.Connection, info: Info, integration: models.Integration) -> models.Integration:
        return integration

    @loaded("The customer whose connection it is.", type=CUSTOMER, asks=_customer_of)
    def customer(self: models.Connection, info: Info, customer: models.Customer | None) -> models.Customer:
        if customer is None:
            raise NotFoundError("The customer of this connection was deleted at this moment.")
        return customer

    @loaded("Whether it can be used.", type=ConnectionState, asks=_integration_of)
    def state(self: models.Connection, info: Info, integration: models.Integration) -> ConnectionState:
        return elements.connection_state(info.context.runtime, self, integration)

    @loaded("Why it cannot be used; empty when it can.", type=list[ElementError], asks=_integration_of)
    def errors(self: models.Connection, info: Info, integration: models.Integration) -> tuple[models.ElementError, ...]:
        return elements.connection_errors(info.context.runtime, self, integration)

    @field(
        "The location at a path. Asks the external app where only that knows the name. Null when it says that there is no such "
        "location, or fails.",
        type=LOCATION | None,
        asks_app=True,
    )
    async def location(
        self: models.Connection,
        info: Info,
        path: Annotated[str, strawberry.argument(description="The path, as `path` of a location gives it; `/` is the root.")] = "/",
    ) -> Place | None:
        location = await places.location(
            *info.context.caller, connection=self, integration=await info.context.loaders.integration_of(self), path=path
        )
        return place_of(location, Origin(connection=self)) if location is not None else None

    @field(
        "A collection by its key and parameters. Asks the external app where only that knows the name; whether the collection is "
        "there shows when its records or its spec are read. Null when the app says that there is none, or fails.",
        type=DATA_COLLECTION | None,
        asks_app=True,
    )
    async def collection(
        self: models.Connection,
        info: Info,
        key: Annotated[str, strawberry.argument(description="The collection's key.")],
        parameters: Annotated[JSON | None, strawberry.argument(description="Its parameters, where it takes any.")] = strawberry.UNSET,
    ) -> Place | None:
        integration = await info.context.loaders.integration_of(self)
        found = await places.collection(
            *info.context.caller, connection=self, integration=integration, key=key, parameters=given(parameters)
        )
        return place_of(found[0], Origin(connection=self), home=found[1]) if found is not None else None

    @field(
        "The end of the event log now. Read it with or before the records of instances that are in sync, subscribe after it, and no "
        "change is missed."
    )
    async def events_cursor(self: models.Connection, info: Info) -> str:
        return await info.context.loaders.events.log_end()

    @field("Its data source instances, the oldest first.", type=pages(relay.Connection, DATA_SOURCE_INSTANCE))
    async def data_source_instances(
        self: models.Connection,
        info: Info,
        first: First = 50,
        after: After = strawberry.UNSET,
        include_archived: IncludeArchived = False,
    ) -> relay.Page[models.DataSourceInstance]:
        column = models.DataSourceInstance.connection_id
        return await info.context.loaders.children(column, self.id, first=first, after=after, include_archived=include_archived)

    @field("The instance of a data source in this connection. Null when there is none.", type=DATA_SOURCE_INSTANCE | None)
    async def data_source_instance(
        self: models.Connection,
        info: Info,
        data_source: Annotated[DataSourceSelector, strawberry.argument(description="Which data source.")],
        instance_key: Annotated[
            str | None, strawberry.argument(description="Which of several instances; leave it out for the default one.")
        ] = strawberry.UNSET,
    ) -> models.DataSourceInstance | None:
        place = InstancePlace.of(self, data_source.read("dataSource"), given(instance_key))
        return await info.context.loaders.instance_by_place.load(place)
