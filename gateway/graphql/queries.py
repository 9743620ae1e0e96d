"""The entry points for reading."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry

from gateway import models, udm
from gateway.errors import InvalidError
from gateway.graphql import ids, relay
from gateway.graphql.context import Context, Info
from gateway.graphql.fields import (
    CONNECTION,
    CONNECTOR,
    CUSTOMER,
    DATA_SOURCE,
    DATA_SOURCE_INSTANCE,
    INTEGRATION,
    UNIVERSAL_DATA_MODEL,
    field,
    given,
    pages,
)
from gateway.graphql.inputs.filters import ConnectionFilter, DataSourceFilter, DataSourceInstanceFilter
from gateway.graphql.inputs.selectors import ConnectionSelector, DataSourceInstanceSelector, DataSourceSelector
from gateway.graphql.place_records import record_of_home
from gateway.graphql.record_loaders import AddressKey
from gateway.graphql.relay import After, First, IncludeArchived
from gateway.graphql.types.customer import Viewer
from gateway.graphql.types.node import Node
from gateway.models import ConnectorSpec
from gateway.services import connections, customers, data_source_instances, data_sources, integrations, selectors

Search = Annotated[str | None, strawberry.argument(description="Only those that contain this text, in upper or lower case.")]
Found = TypeVar("Found", models.Connection, models.DataSource, models.DataSourceInstance)
UNSET: Any = strawberry.UNSET
MAXIMUM_IDS = 100


def _argument(description: str) -> Any:
    return strawberry.argument(description=description)


async def _node(info: Info, id: str) -> Any:
    context = info.context
    context.require_caller()
    name, rest = ids.parse_global_id(id, field=["id"])
    if name == ids.RECORD:
        connection_id, pointer, external_id = ids.parse_record_id(id, field=["id"])
        home = await context.loaders.records.place_by_address.load(AddressKey.of(connection_id, pointer))
        return await record_of_home(info, home, external_id) if home is not None else None
    row_type = ids.ROW_TYPES[name]
    return await context.loaders.row_by_id(row_type).load(UUID(rest))


async def _selected(context: Context, row_type: type[Found], by: Any, find: Callable[..., Awaitable[Found | None]]) -> Found | None:
    """The row that a selector names; those that are named by their ids are read together."""
    context.require_caller()
    selector = by.read("by")
    if selector.id is not None:
        loaders, row_id = context.loaders, selector.id
        return loaders.row_at_hand(row_type, row_id) or await loaders.row_by_id(row_type).load(row_id)
    return await find(*context.caller, by=selector)


@strawberry.type(description="What can be read.")
class Query:
    @field("Whatever has this id, archived or not. Null when there is no such thing, or not for you.", type=Node | None)
    async def node(self, info: Info, id: Annotated[strawberry.ID, _argument("The `id` that the gateway gave.")]) -> Any:
        return await _node(info, id)

    @field("Whatever has these ids, in their order; null in place of what does not exist, or not for you.", type=list[Node | None])
    async def nodes(self, info: Info, ids: Annotated[list[strawberry.ID], _argument("At most 100 ids.")]) -> list[Awaitable[Any]]:
        info.context.require_caller()
        if len(ids) > MAXIMUM_IDS:
            raise InvalidError(f"There are {len(ids)} ids; at most {MAXIMUM_IDS} are read at once.", field=["ids"])
        return [_node(info, each) for each in ids]

    @field("Who asks.", type=Viewer)
    async def viewer(self, info: Info) -> models.Principal:
        return info.context.caller[1]

    @field("The connectors of this gateway, by key.", type=pages(relay.Connection, CONNECTOR))
    async def connectors(self, info: Info, first: First = 50, after: After = UNSET, search: Search = UNSET) -> relay.Page[ConnectorSpec]:
        runtime, _ = info.context.caller
        wanted = (search or "").casefold()
        specs = [connector.spec for connector in runtime.connectors.values()]
        found = [spec for spec in specs if wanted in spec.key.casefold() or wanted in spec.name.casefold()]
        return relay.page_of_values(found, key=lambda spec: spec.key, first=first, after=after, maximum=runtime.settings.max_page_size)

    @field("The connector of a key. Null when there is none.", type=CONNECTOR | None)
    async def connector(self, info: Info, key: Annotated[str, _argument("Its key.")]) -> ConnectorSpec | None:
        runtime, _ = info.context.caller
        connector = runtime.connectors.get(key)
        return connector.spec if connector is not None else None

    @field("The integrations that customers can connect to, the oldest first.", type=pages(relay.Connection, INTEGRATION))
    async def integrations(
        self, info: Info, first: First = 50, after: After = UNSET, search: Search = UNSET, include_archived: IncludeArchived = False
    ) -> relay.Page[models.Integration]:
        window = info.context.window(first, after)
        found = await integrations.page(*info.context.caller, window=window, search=given(search), include_archived=include_archived)
        return relay.page_of_listing(found, after=after)

    @field("The integration of a key that is in use. Null when there is none.", type=INTEGRATION | None)
    async def integration(self, info: Info, key: Annotated[str, _argument("Its key.")]) -> models.Integration | None:
        return await integrations.by_key(*info.context.caller, key=key)

    @field("All customers, the oldest first. Only for admins.", type=pages(relay.Connection, CUSTOMER) | None)
    async def customers(self, info: Info, first: First = 50, after: After = UNSET, search: Search = UNSET) -> relay.Page[models.Customer]:
        found = await customers.page(*info.context.caller, window=info.context.window(first, after), search=given(search))
        return relay.page_of_listing(found, after=after)

    @field("The customer that the product calls so. Null when there is none. Only for admins.", type=CUSTOMER | None)
    async def customer(
        self, info: Info, external_id: Annotated[str, _argument("What the product calls the customer.")]
    ) -> models.Customer | None:
        return await customers.by_external_id(*info.context.caller, external_id=external_id)

    @field("The connections that you may see, the oldest first.", type=pages(relay.Connection, CONNECTION))
    async def connections(
        self,
        info: Info,
        first: First = 50,
        after: After = UNSET,
        filter: Annotated[ConnectionFilter | None, _argument("Which of them; all where it is left out.")] = UNSET,
        include_archived: IncludeArchived = False,
    ) -> relay.Page[models.Connection]:
        found = await connections.page(
            *info.context.caller,
            window=info.context.window(first, after),
            filter=filter.read() if filter else selectors.ConnectionFilter(),
            include_archived=include_archived,
        )
        return relay.page_of_listing(found, after=after)

    @field("The connection that a selector names. Null when there is none.", type=CONNECTION | None)
    async def connection(self, info: Info, by: Annotated[ConnectionSelector, _argument("Which connection.")]) -> models.Connection | None:
        return await _selected(info.context, models.Connection, by, connections.by_selector)

    @field("The data sources of every layer, the oldest first.", type=pages(relay.Connection, DATA_SOURCE))
    async def data_sources(
        self,
        info: Info,
        first: First = 50,
        after: After = UNSET,
        filter: Annotated[DataSourceFilter | None, _argument("Which of them; all where it is left out.")] = UNSET,
        include_archived: IncludeArchived = False,
    ) -> relay.Page[models.DataSource]:
        found = await data_sources.page(
            *info.context.caller,
            window=info.context.window(first, after),
            filter=filter.read() if filter else selectors.DataSourceFilter(),
            include_archived=include_archived,
        )
        return relay.page_of_listing(found, after=after)

    @field("The data source that a selector names. Null when there is none.", type=DATA_SOURCE | None)
    async def data_source(self, info: Info, by: Annotated[DataSourceSelector, _argument("Which data source.")]) -> models.DataSource | None:
        return await _selected(info.context, models.DataSource, by, data_sources.by_selector)

    @field("The data source instances that you may see, the oldest first.", type=pages(relay.Connection, DATA_SOURCE_INSTANCE))
    async def data_source_instances(
        self,
        info: Info,
        first: First = 50,
        after: After = UNSET,
        filter: Annotated[DataSourceInstanceFilter | None, _argument("Which of them; all where it is left out.")] = UNSET,
        include_archived: IncludeArchived = False,
    ) -> relay.Page[models.DataSourceInstance]:
        found = await data_source_instances.page(
            *info.context.caller,
            window=info.context.window(first, after),
            filter=filter.read() if filter else selectors.DataSourceInstanceFilter(),
            include_archived=include_archived,
        )
        return relay.page_of_listing(found, after=after)

    @field("The data source instance that a selector names. Null when there is none.", type=DATA_SOURCE_INSTANCE | None)
    async def data_source_instance(
        self, info: Info, by: Annotated[DataSourceInstanceSelector, _argument("Which instance.")]
    ) -> models.DataSourceInstance | None:
        return await _selected(info.context, models.DataSourceInstance, by, data_source_instances.by_selector)

    @field("The universal data models of this gateway, by key.", type=list[UNIVERSAL_DATA_MODEL])
    async def universal_data_models(self, info: Info) -> list[udm.UniversalDataModel]:
        info.context.require_caller()
        return list(info.context.runtime.udm.values())

    @field("The universal data model of a key. Null when there is none.", type=UNIVERSAL_DATA_MODEL | None)
    async def universal_data_model(self, info: Info, key: Annotated[str, _argument("Its key.")]) -> udm.UniversalDataModel | None:
        info.context.require_caller()
        return info.context.runtime.udm.get(key)
