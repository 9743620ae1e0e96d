"""What a collection of a connector file is and can do."""

from collections.abc import Iterator
from dataclasses import replace

from gateway.connectors.executor.conditions import ANY_FIELD
from gateway.connectors.executor.sync_support import sync_support
from gateway.connectors.executor.write_schemas import write_schema
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.operations import ListOperation, Operations
from gateway.connectors.format.scopes import names_read
from gateway.models import CollectionFilter, CollectionOperation, CollectionSpec, FilterOperator, JsonSchema, WebhookSupport
from gateway.models.detection import event_support


def collection_spec(key: str, collection: Collection, *, webhook: WebhookSupport | None = None) -> CollectionSpec:
    """What a collection promises without asking any app; `webhook` is what the app tells of it by itself."""
    operations = collection.operations
    listing = operations.list
    return with_fields(
        CollectionSpec(
            key=key,
            name=collection.name,
            description=collection.description,
            parameters_schema=collection.parameters,
            operations=tuple(_operations(operations)),
            filters=_filters(listing) if listing is not None else (),
            order_fields=listing.order.fields if listing is not None and listing.order is not None else (),
            match_fields=operations.match.fields if operations.match is not None else (),
            events=event_support(replace(sync_support(collection), webhook=webhook)) if listing is not None else (),
            universal_data_models=tuple(collection.universal_data_models),
            has_custom_fields=collection.dynamic_fields is not None,
            find_by_ids_maximum=operations.get_many.max if operations.get_many is not None else 1,
            takes_version=_takes_version(operations),
            takes_idempotency_key=operations.create is not None and "idempotency_key" in names_read(operations.create.request),
        ),
        collection,
        collection.fields,
    )


def with_fields(spec: CollectionSpec, collection: Collection, fields: JsonSchema | None) -> CollectionSpec:
    """The spec of a collection whose records have these fields."""
    return replace(
        spec,
        fields_schema=fields,
        create_fields_schema=write_schema(collection.operations.create, fields),
        update_fields_schema=write_schema(collection.operations.update, fields),
    )


def _operations(operations: Operations) -> Iterator[CollectionOperation]:
    if operations.list is not None:
        yield CollectionOperation.LIST
    if operations.search is not None or (operations.list is not None and operations.list.is_searchable):
        yield CollectionOperation.SEARCH
    if operations.match is not None:
        yield CollectionOperation.MATCH
    if operations.get is not None or operations.get_many is not None:
        yield CollectionOperation.FIND_BY_ID
    if operations.create is not None:
        yield CollectionOperation.CREATE
    if operations.update is not None:
        yield CollectionOperation.UPDATE
    if operations.delete is not None:
        yield CollectionOperation.DELETE


def _filters(listing: ListOperation) -> tuple[CollectionFilter, ...]:
    """By field; what is said of any field comes last, as it counts for those only that are not named."""
    named = sorted(listing.filters.items(), key=lambda item: item[0] == ANY_FIELD)
    return tuple(
        CollectionFilter(field=field, operators=tuple(FilterOperator(key.upper()) for key in terms))
        for field, terms in named
        if terms or ANY_FIELD in listing.filters
    )


def _takes_version(operations: Operations) -> bool:
    writes = [operation for operation in (operations.update, operations.delete) if operation is not None]
    return any("version" in names_read(operation.request) for operation in writes)
