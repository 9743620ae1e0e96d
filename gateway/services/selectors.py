"""How a caller names a row, and how a list is narrowed."""

from dataclasses import dataclass
from uuid import UUID

from msgspec import Struct

from gateway.models import ConnectionState, ElementState, JsonObject, JsonValue, RecordOrder


class ConnectionSelector(Struct, frozen=True, kw_only=True):
    """A connection by id, or by its integration's key where the customer has exactly one there."""

    id: UUID | None = None
    integration_key: str | None = None
    customer_external_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataSourceSelector:
    """A definition by id, by key, or by key within an integration."""

    id: UUID | None = None
    key: str | None = None
    integration_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataSourceInstanceSelector:
    """An instance by id, or by its connection, its data source and its key."""

    id: UUID | None = None
    connection: ConnectionSelector | None = None
    data_source: DataSourceSelector | None = None
    instance_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class ConnectionCollectionKey:
    """A collection of a connection, whether or not a data source points at it."""

    connection: ConnectionSelector
    key: str
    parameters: JsonValue = None


@dataclass(frozen=True, kw_only=True)
class CollectionSelector:
    """Where records are: what an instance points at, or a collection of a connection. One of the two is given."""

    instance: DataSourceInstanceSelector | None = None
    collection: ConnectionCollectionKey | None = None


@dataclass(frozen=True, kw_only=True)
class FieldValues:
    """Fields of a record, by the app's own names or by those of a universal data model. One of the two is given."""

    fields: JsonValue = None
    unified_fields: JsonValue = None


@dataclass(frozen=True, kw_only=True)
class RecordListQuery:
    """How a caller asks for a list of records; all conditions of both filters must hold."""

    filter: JsonValue = None
    """`{field: value}` and `{field: {operator: value}}`, by the app's own names."""
    unified_filter: JsonValue = None
    """The same by the names of the data source's model."""
    search: str | None = None
    order: RecordOrder | None = None


ALL_RECORDS = RecordListQuery()
"""Every record, in the app's order."""


@dataclass(frozen=True, kw_only=True)
class PointerInput:
    """A pointer in one of its two spellings: a path, or a key and parameters."""

    path: str | None = None
    key: str | None = None
    parameters: JsonObject | None = None


@dataclass(frozen=True, kw_only=True)
class ConnectionFilter:
    """Which connections a list holds; all that is given must fit."""

    integration_key: str | None = None
    customer_external_id: str | None = None
    states: tuple[ConnectionState, ...] | None = None
    search: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataSourceFilter:
    """Which definitions a list holds; all that is given must fit."""

    integration_key: str | None = None
    is_universal: bool | None = None
    udm: str | None = None
    search: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataSourceInstanceFilter:
    """Which instances a list holds; all that is given must fit."""

    integration_key: str | None = None
    connection: ConnectionSelector | None = None
    data_source: DataSourceSelector | None = None
    states: tuple[ElementState, ...] | None = None
