"""How a caller names a row, and how a list is narrowed."""

from dataclasses import dataclass
from uuid import UUID

from gateway.models import ConnectionState, ElementState, JsonObject


@dataclass(frozen=True, kw_only=True)
class ConnectionSelector:
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
