"""Integrations in the schema."""

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.graphql import relay
from gateway.graphql.context import Info
from gateway.graphql.fields import CONNECTION, CONNECTOR, DATA_SOURCE, LOCATION, field, pages
from gateway.graphql.relay import After, First, FirstItems
from gateway.graphql.sources import Origin, Place
from gateway.graphql.types.connector import spec_of
from gateway.graphql.types.element import Configured, ElementError
from gateway.graphql.types.location import DirectoryPath, list_locations
from gateway.models import ElementState
from gateway.services import elements


@strawberry.type(description="A connector, configured for this gateway by its operator, that customers can connect to.")
class Integration(Configured):
    key: str = strawberry.field(description="The name that code uses; unique among the integrations in use.")
    name: str = strawberry.field(description="What customers read.")
    parameters: JSON = strawberry.field(description="What the operator set for the connector.")

    @field(
        "The app's description. Where it is no longer installed, one that can do nothing; `errors` says so then.",
        type=CONNECTOR,
        computes=True,
    )
    def connector(self: models.Integration, info: Info) -> models.ConnectorSpec:
        return spec_of(info.context.runtime, self.connector_key)

    @field("Whether it can be used.", computes=True)
    def state(self: models.Integration, info: Info) -> ElementState:
        return ElementState.CONFIGURATION_ERROR if elements.integration_errors(info.context.runtime, self) else ElementState.READY

    @field("Why it cannot be used; empty when it can.", type=list[ElementError], computes=True)
    def errors(self: models.Integration, info: Info) -> tuple[models.ElementError, ...]:
        return elements.integration_errors(info.context.runtime, self)

    @field(
        "What a directory of the app holds, in the app's order. Asks the external app where only it can tell, through your only "
        "connection here. Null when the app fails.",
        type=pages(relay.AppConnection, LOCATION) | None,
        asks_app=True,
    )
    async def data_collections(
        self: models.Integration,
        info: Info,
        path: DirectoryPath = "/",
        first: FirstItems = 50,
        after: After = strawberry.UNSET,
    ) -> relay.ItemPage[Place]:
        return await list_locations(info, Origin(integration=self), path=path, first=first, after=after)

    @field("Its connections that are in use, as far as you may see them, the oldest first.", type=pages(relay.Connection, CONNECTION))
    async def connections(
        self: models.Integration, info: Info, first: First = 50, after: After = strawberry.UNSET
    ) -> relay.Page[models.Connection]:
        return await info.context.loaders.children(models.Connection.integration_id, self.id, first=first, after=after)

    @field(
        "Its own data sources that are in use, customisations of universal ones among them, the oldest first.",
        type=pages(relay.Connection, DATA_SOURCE),
    )
    async def data_sources(
        self: models.Integration, info: Info, first: First = 50, after: After = strawberry.UNSET
    ) -> relay.Page[models.DataSource]:
        return await info.context.loaders.children(models.DataSource.integration_id, self.id, first=first, after=after)
