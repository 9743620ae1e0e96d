"""Places in an app, in the schema."""

from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.errors import NotFoundError
from gateway.graphql import relay
from gateway.graphql.context import Info
from gateway.graphql.fields import COLLECTION_SPEC, LOCATION, RECORD, field, pages
from gateway.graphql.loaders import PlaceKey
from gateway.graphql.place_records import (
    By,
    ExternalId,
    Filter,
    OrderBy,
    Search,
    UnifiedFilter,
    list_records,
    matching_record,
    query_of,
    record_at,
)
from gateway.graphql.relay import After, FirstItems
from gateway.graphql.sources import Origin, Place, RecordSource, place_of
from gateway.graphql.types.connector import spec_of
from gateway.models import LocationKind
from gateway.services import places

_TYPE_NAMES = {LocationKind.DIRECTORY: "Directory", LocationKind.COLLECTION: "DataCollection"}

DirectoryPath = Annotated[str, strawberry.argument(description="The directory to list, as its `path` gives it; `/` is the root.")]


@strawberry.interface(description="A place in an app: a directory that holds places, or a collection of records.")
class Location:
    path: str = strawberry.field(description="Where it is: `/data/<key>?<parameters>`, and `/` for the root.")
    key: str = strawberry.field(description="Its key in the connector; for a collection what a pointer takes. Empty for the root.")
    parameters: JSON = strawberry.field(description="Its parameters; for a collection what a pointer takes.")

    @field("What the app calls it. Asks the external app where nothing else has told it.")
    async def name(self: Place, info: Info) -> str:
        return self.known_name if self.known_name is not None else await _ask_name(self, info)

    @classmethod
    def resolve_type(cls, source: Place, info: object, type_: object) -> str:
        return _TYPE_NAMES[source.kind]

    @classmethod
    def is_type_of(cls, source: Any, info: object) -> bool:
        return isinstance(source, Place) and _TYPE_NAMES[source.kind] == cls.__name__


@strawberry.type(description="A place in an app that holds other places.")
class Directory(Location):
    @field(
        "What it holds, in the app's order. Asks the external app. Null when the app fails.",
        type=pages(relay.AppConnection, LOCATION) | None,
        asks_app=True,
    )
    async def locations(self: Place, info: Info, first: FirstItems = 50, after: After = strawberry.UNSET) -> relay.ItemPage[Place]:
        return await list_locations(info, self.origin, path=self.path, first=first, after=after)


@strawberry.type(description="A collection of records in an app.")
class DataCollection(Location):
    is_default: bool = strawberry.field(
        description="Whether it is the default: under an instance what a reset of the instance returns to, else the connector's choice."
    )

    @field(
        "What it is and can do. Asks the external app for the fields that only it knows, where there is a connection. "
        "Null when the app fails.",
        type=COLLECTION_SPEC | None,
        asks_app=True,
    )
    async def spec(self: Place, info: Info) -> models.CollectionSpec | None:
        return await spec_of_place(info, self)

    @field(
        "Its records that fit, in the order asked for or else in the app's. Asks the external app, and needs a connection. Null when the "
        "app fails.",
        type=pages(relay.AppConnection, RECORD) | None,
        asks_app=True,
    )
    async def records(
        self: Place,
        info: Info,
        first: FirstItems = 50,
        after: After = strawberry.UNSET,
        filter: Filter = strawberry.UNSET,
        unified_filter: UnifiedFilter = strawberry.UNSET,
        search: Search = strawberry.UNSET,
        order_by: OrderBy = strawberry.UNSET,
    ) -> relay.ItemPage[RecordSource]:
        query = query_of(filter, unified_filter, search, order_by)
        return await list_records(info, self, query, first=first, after=after)

    @field("The record of that id. Asks the external app. Null when it has none, or fails.", type=RECORD | None, asks_app=True)
    async def record(self: Place, info: Info, external_id: ExternalId) -> RecordSource | None:
        return await record_at(info, self, external_id)

    @field(
        "The first record whose fields equal these. Asks the external app. Null when it has none, or fails.",
        type=RECORD | None,
        asks_app=True,
    )
    async def match(self: Place, info: Info, by: By) -> RecordSource | None:
        return await matching_record(info, self, by)


async def list_locations(info: Info, origin: Origin, *, path: str, first: int, after: str | None) -> relay.ItemPage[Place]:
    """A page of what a directory holds."""
    size = relay.bounded(first, maximum=info.context.runtime.settings.max_app_page_size)
    window: Any = {"path": path, "first": size, "after": after or None}
    if origin.connection is not None:
        integration = await info.context.loaders.integration_of(origin.connection)
        page = await places.locations(*info.context.caller, connection=origin.connection, integration=integration, udm=origin.udm, **window)
    else:
        assert origin.integration is not None  # noqa: S101 - an origin has the one or the other.
        page = await places.integration_locations(*info.context.caller, integration=origin.integration, **window)
    info.context.budget.spend(len(page.items))
    return relay.page_of_app(page, after=after, show=lambda locations: [place_of(each, origin) for each in locations])


async def spec_of_place(info: Info, place: Place) -> models.CollectionSpec | None:
    """What a collection can do: as its app tells it, or what is known without a connection."""
    origin = place.origin
    if origin.connection is not None:
        return await info.context.loaders.spec_by_place.load(PlaceKey.of(origin.connection, place.pointer))
    assert origin.integration is not None  # noqa: S101 - an origin has the one or the other.
    return spec_of(info.context.runtime, origin.integration.connector_key).collection(place.key)


async def _ask_name(place: Place, info: Info) -> str:
    assert place.origin.connection is not None  # noqa: S101 - what an integration alone lists comes with its names.
    location = await info.context.loaders.location_by_place.load(PlaceKey.of(place.origin.connection, place.pointer))
    if location is None:
        raise NotFoundError(f"The app no longer has {place.path!r}.")
    return location.name
