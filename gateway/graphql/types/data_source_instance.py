"""Instances of data sources in the schema."""

from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.graphql import relay
from gateway.graphql.batching import ByIdentity
from gateway.graphql.context import Info
from gateway.graphql.event_sources import ChangeEventSource, history_of
from gateway.graphql.fields import (
    CHANGE_EVENT,
    COLLECTION_SPEC,
    CONNECTION,
    DATA_COLLECTION,
    DATA_SOURCE,
    EVENT_SUBSCRIPTION,
    LOCATION,
    RECORD,
    SYNC_RUN,
    field,
    pages,
)
from gateway.graphql.layers import InstanceLayers
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
from gateway.graphql.relay import After, First, FirstItems
from gateway.graphql.sources import Origin, Place, RecordSource
from gateway.graphql.types.element import Pointing, from_layers, of_pointer
from gateway.graphql.types.location import DirectoryPath, list_locations, spec_of_place
from gateway.models import ChangeType
from gateway.services import elements

ChangeTypes = Annotated[
    list[ChangeType] | None, strawberry.argument(description="Only changes of these types; of all where it is left out.")
]


async def _layers_of(instance: models.DataSourceInstance, info: Info) -> InstanceLayers:
    return await info.context.loaders.layers_by_instance.load(ByIdentity(instance))


def _origin_of(layers: InstanceLayers) -> Origin:
    """Through what the app is asked. Raises InvalidError for an archived instance or data source: the app is not asked for those."""
    layers.context.require_in_use()
    settings = layers.settings
    return Origin(connection=layers.context.connection, is_instance=True, default=settings.default_pointer, udm=settings.udm)


async def _collection_of(instance: models.DataSourceInstance, info: Info) -> Place:
    """The collection that an instance points at. Raises NoCollectionSelectedError where it points at none."""
    layers = await _layers_of(instance, info)
    origin = _origin_of(layers)
    return Place(origin=origin, pointer=elements.pointer_of(layers.runtime, layers.settings, layers.context.integration))


async def _selected_collection_of(instance: models.DataSourceInstance, info: Info) -> Place | None:
    """The collection that an instance points at; null where it points at none."""
    layers = await _layers_of(instance, info)
    return await _collection_of(instance, info) if layers.settings.pointer is not None else None


@strawberry.type(
    description="A data source within one connection: the collection of the customer's own app that is meant there, and the customer's "
    "own settings."
)
class DataSourceInstance(Pointing):
    instance_key: str | None = strawberry.field(description="Tells several instances in one connection apart. Null for the default one.")
    is_customized: bool = strawberry.field(description="Whether the connection overrides any setting.")
    default_path = from_layers(
        "The pointer that a reset returns to, as a path. Null where there is none.",
        of_pointer("path", setting="default_pointer"),
        type=str | None,
    )
    default_collection_key = from_layers(
        "The collection key that a reset returns to. Null where there is none.",
        of_pointer("key", setting="default_pointer"),
        type=str | None,
    )
    default_collection_parameters = from_layers(
        "The collection parameters that a reset returns to. Null where there is no pointer to return to.",
        of_pointer("parameters", setting="default_pointer"),
        type=JSON | None,
    )

    connection = from_layers("The connection that it belongs to.", lambda layers: layers.context.connection, type=CONNECTION)
    data_source = from_layers(
        "The data source that it is an instance of: a universal one, or one of the integration that stands for itself.",
        lambda layers: layers.context.root,
        type=DATA_SOURCE,
    )

    @field(
        "The collection that it points at. Asks the external app for its name. Null where none is selected, or when the app fails.",
        type=DATA_COLLECTION | None,
        asks_app=True,
    )
    async def collection(self: models.DataSourceInstance, info: Info) -> Place | None:
        return await _selected_collection_of(self, info)

    @field(
        "What the collection can do in this connection. Asks the external app. Null where none is selected, or when the app fails.",
        type=COLLECTION_SPEC | None,
        asks_app=True,
    )
    async def collection_spec(self: models.DataSourceInstance, info: Info) -> models.CollectionSpec | None:
        place = await _selected_collection_of(self, info)
        return await spec_of_place(info, place) if place is not None else None

    @field(
        "JSON Schema of a record's fields, with the customer's custom fields. Asks the external app. Null where no collection is "
        "selected, where its fields are not known, or when the app fails.",
        type=JSON | None,
        asks_app=True,
    )
    async def fields_schema(self: models.DataSourceInstance, info: Info) -> Any:
        place = await _selected_collection_of(self, info)
        spec = await spec_of_place(info, place) if place is not None else None
        return spec.fields_schema if spec is not None else None

    @field(
        "What a directory of the app holds, to choose a collection from; those that suit the model come first in each of the app's "
        "pages, and the instance's own default is marked. Asks the external app. Null when the app fails.",
        type=pages(relay.AppConnection, LOCATION) | None,
        asks_app=True,
    )
    async def locations(
        self: models.DataSourceInstance,
        info: Info,
        path: DirectoryPath = "/",
        first: FirstItems = 50,
        after: After = strawberry.UNSET,
    ) -> relay.ItemPage[Place]:
        return await list_locations(info, _origin_of(await _layers_of(self, info)), path=path, first=first, after=after)

    @field(
        "The records of the collection that it points at that fit, in the order asked for or else in the app's. Asks the external app. "
        "Null when the app fails.",
        type=pages(relay.AppConnection, RECORD) | None,
        asks_app=True,
    )
    async def records(
        self: models.DataSourceInstance,
        info: Info,
        first: FirstItems = 50,
        after: After = strawberry.UNSET,
        filter: Filter = strawberry.UNSET,
        unified_filter: UnifiedFilter = strawberry.UNSET,
        search: Search = strawberry.UNSET,
        order_by: OrderBy = strawberry.UNSET,
    ) -> relay.ItemPage[RecordSource]:
        query = query_of(filter, unified_filter, search, order_by)
        return await list_records(info, await _collection_of(self, info), query, first=first, after=after)

    @field("The record of that id. Asks the external app. Null when it has none, or fails.", type=RECORD | None, asks_app=True)
    async def record(self: models.DataSourceInstance, info: Info, external_id: ExternalId) -> RecordSource | None:
        return await record_at(info, await _collection_of(self, info), external_id)

    @field(
        "The first record whose fields equal these. Asks the external app. Null when it has none, or fails.",
        type=RECORD | None,
        asks_app=True,
    )
    async def match(self: models.DataSourceInstance, info: Info, by: By) -> RecordSource | None:
        return await matching_record(info, await _collection_of(self, info), by)

    @field(
        "Who is interested in changes of its records: for each type of change at most one, also one that has ended.",
        type=list[EVENT_SUBSCRIPTION],
    )
    async def subscriptions(self: models.DataSourceInstance, info: Info) -> list[models.EventSubscription]:
        return await info.context.loaders.events.subscriptions_by_instance.load(self.id)

    @field(
        "What was recorded of its records, the oldest first, as far back as events are kept. Its cursors and those of the streams are the "
        "same. Refused with CURSOR_EXPIRED after what is no longer kept.",
        type=pages(relay.Connection, CHANGE_EVENT),
    )
    async def events(
        self: models.DataSourceInstance,
        info: Info,
        first: First = 50,
        after: After = strawberry.UNSET,
        types: ChangeTypes = strawberry.UNSET,
    ) -> relay.Page[ChangeEventSource]:
        return await history_of(info.context, self, first=first, after=after, types=types)

    @field(
        "The end of the event log now. Read it with or before the records of an instance that is in sync, subscribe after it, and no "
        "change is missed."
    )
    async def events_cursor(self: models.DataSourceInstance, info: Info) -> str:
        return await info.context.loaders.events.log_end()

    @field("Its sync runs, the newest first, as long as they are kept.", type=pages(relay.Connection, SYNC_RUN))
    async def sync_runs(
        self: models.DataSourceInstance, info: Info, first: First = 50, after: After = strawberry.UNSET
    ) -> relay.Page[models.SyncRun]:
        return await _runs_of(self, info, first=first, after=after)

    @field("The newest of its sync runs. Null when it was never synced, or not for long.", type=SYNC_RUN | None)
    async def latest_sync_run(self: models.DataSourceInstance, info: Info) -> models.SyncRun | None:
        page = await _runs_of(self, info, first=1, after=None)
        return page.nodes[0] if page.nodes else None


async def _runs_of(instance: models.DataSourceInstance, info: Info, *, first: int, after: str | None) -> relay.Page[models.SyncRun]:
    column = models.SyncRun.instance_id
    return await info.context.loaders.children(column, instance.id, first=first, after=after, include_archived=True, is_newest_first=True)
