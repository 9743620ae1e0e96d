"""What the gateway stores, as SQLModel tables, and the values that cross its floors, as frozen dataclasses."""

from gateway.models.collections import (
    ChangeType,
    CollectionEventSupport,
    CollectionFilter,
    CollectionOperation,
    CollectionSpec,
    EventMethod,
    FilterOperator,
)
from gateway.models.connection import Connection, ConnectionState
from gateway.models.connectors import AuthMethod, AuthType, ConnectorSpec
from gateway.models.customer import Customer
from gateway.models.data_source import DataSource
from gateway.models.data_source_instance import DataSourceInstance
from gateway.models.elements import ElementError, ElementState
from gateway.models.integration import Integration
from gateway.models.json import JsonObject, JsonSchema, JsonValue
from gateway.models.locations import Location, LocationKind, LocationPath, Pointer
from gateway.models.principal import Principal
from gateway.models.queries import Condition, OrderDirection, RecordOrder, RecordQuery
from gateway.models.records import Page, PageRequest, Record, Written

__all__ = [
    "AuthMethod",
    "AuthType",
    "ChangeType",
    "CollectionEventSupport",
    "CollectionFilter",
    "CollectionOperation",
    "CollectionSpec",
    "Condition",
    "Connection",
    "ConnectionState",
    "ConnectorSpec",
    "Customer",
    "DataSource",
    "DataSourceInstance",
    "ElementError",
    "ElementState",
    "EventMethod",
    "FilterOperator",
    "Integration",
    "JsonObject",
    "JsonSchema",
    "JsonValue",
    "Location",
    "LocationKind",
    "LocationPath",
    "OrderDirection",
    "Page",
    "PageRequest",
    "Pointer",
    "Principal",
    "Record",
    "RecordOrder",
    "RecordQuery",
    "Written",
]
