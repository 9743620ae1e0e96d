"""Instances of data sources in the schema."""

from typing import Any

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.graphql import relay
from gateway.graphql.batching import ByIdentity
from gateway.graphql.context import Info
from gateway.graphql.fields import COLLECTION_SPEC, CONNECTION, DATA_COLLECTION, DATA_SOURCE, LOCATION, RECORD, field, pages
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
from gateway.graphql.relay import After, FirstItems
from gateway.graphql.sources import Origin, Place, RecordSource
from gateway.graphql.types.element import Pointing, from_layers, of_pointer
from gateway.graphql.types.location import DirectoryPath, list_locations, spec_of_place
from gateway.services import elements


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

    @field("The connection that it belongs to.", type=CONNECTION)
    async def connection(self: models.DataSourceInstance, info: Info) -> models.Connection:
        return (await _layers_of(self, info)).context.connection

    @field(
        "The data source that it is an instance of: a universal one, or one of the integration that stands for itself.", type=DATA_SOURCE
    )
    async def data_source(self: models.DataSourceInstance, info: Info) -> models.DataSource:
        return (await _layers_of(self, info)).context.root

    @field(
        "The collection that it points at. Asks the external app for its name. Null where none is selected, or when the app fails.",
        type=DATA_COLLECTION | None,
    )
    async def collection(self: models.DataSourceInstance, info: Info) -> Place | None:
        return await _selected_collection_of(self, info)

    @field(
        "What the collection can do in this connection. Asks the external app. Null where none is selected, or when the app fails.",
        type=COLLECTION_SPEC | None,
    )
    async def collection_spec(self: models.DataSourceInstance, info: Info) -> models.CollectionSpec | None:
        place = await _selected_collection_of(self, info)
        return await spec_of_place(info, place) if place is not None else None

    @field(
        "JSON Schema of a record's fields, with the customer's custom fields. Asks the external app. Null where no collection is "
        "selected, where its fields are not known, or when the app fails.",
        type=JSON | None,
    )
    async def fields_schema(self: models.DataSourceInstance, info: Info) -> Any:
        place = await _selected_collection_of(self, info)
        spec = await spec_of_place(info, place) if place is not None else None
        return spec.fields_schema if spec is not None else None

    @field(
        "What a directory of the app holds, to choose a collection from; those that suit the model come first in each of the app's "
        "pages, and the instance's own default is marked. Asks the external app. Null when the app fails.",
        type=pages(relay.AppConnection, LOCATION) | None,
    )
    async def locations(
        self: models.DataSourceInstance,
        info: Info,
        path: DirectoryPath = "/",
        first: FirstItems = 50,
        after: After = strawberry.UNSET,
    ) -> relay.Page[Place]:
        return await list_locations(info, _origin_of(await _layers_of(self, info)), path=path, first=first, after=after)

    @field(
        "The records of the collection that it points at that fit, in the order asked for or else in the app's. Asks the external app. "
        "Null when the app fails.",
        type=pages(relay.AppConnection, RECORD) | None,
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
    ) -> relay.Page[RecordSource]:
        query = query_of(filter, unified_filter, search, order_by)
        return await list_records(info.context, await _collection_of(self, info), query, first=first, after=after)

    @field("The record of that id. Asks the external app. Null when it has none, or fails.", type=RECORD | None)
    async def record(self: models.DataSourceInstance, info: Info, external_id: ExternalId) -> RecordSource | None:
        return await record_at(info.context, await _collection_of(self, info), external_id)

    @field("The first record whose fields equal these. Asks the external app. Null when it has none, or fails.", type=RECORD | None)
    async def match(self: models.DataSourceInstance, info: Info, by: By) -> RecordSource | None:
        return await matching_record(info.context, await _collection_of(self, info), by)
