"""How callers narrow lists."""

import strawberry

from gateway.graphql.inputs.selectors import ConnectionSelector, DataSourceSelector
from gateway.models import ConnectionState, ElementState
from gateway.services import selectors


@strawberry.input(description="Which connections a list holds; all that is given must fit.")
class ConnectionFilter:
    integration_key: str | None = strawberry.field(description="Those in the integration of this key.")
    customer_external_id: str | None = strawberry.field(description="Those of this customer.")
    states: list[ConnectionState] | None = strawberry.field(description="Those in one of these states.")
    search: str | None = strawberry.field(description="Those whose name contains this text.")

    def read(self) -> selectors.ConnectionFilter:
        return selectors.ConnectionFilter(
            integration_key=self.integration_key,
            customer_external_id=self.customer_external_id,
            states=tuple(self.states) if self.states is not None else None,
            search=self.search,
        )


@strawberry.input(description="Which data sources a list holds; all that is given must fit.")
class DataSourceFilter:
    integration_key: str | None = strawberry.field(description="Those of the integration of this key.")
    is_universal: bool | None = strawberry.field(description="Whether to list the universal ones, or those of integrations.")
    udm: str | None = strawberry.field(description="Those of the universal data model of this key.")
    search: str | None = strawberry.field(description="Those whose key or name contains this text.")

    def read(self) -> selectors.DataSourceFilter:
        return selectors.DataSourceFilter(
            integration_key=self.integration_key, is_universal=self.is_universal, udm=self.udm, search=self.search
        )


@strawberry.input(description="Which data source instances a list holds; all that is given must fit.")
class DataSourceInstanceFilter:
    integration_key: str | None = strawberry.field(description="Those in connections of the integration of this key.")
    connection: ConnectionSelector | None = strawberry.field(description="Those in this connection.")
    data_source: DataSourceSelector | None = strawberry.field(description="Those of this data source.")
    states: list[ElementState] | None = strawberry.field(description="Those in one of these states.")

    def read(self) -> selectors.DataSourceInstanceFilter:
        return selectors.DataSourceInstanceFilter(
            integration_key=self.integration_key,
            connection=self.connection.read("filter", "connection") if self.connection else None,
            data_source=self.data_source.read("filter", "dataSource") if self.data_source else None,
            states=tuple(self.states) if self.states is not None else None,
        )
