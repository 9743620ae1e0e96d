"""What the gateway stores, as SQLModel tables, and the values that cross its floors, as frozen dataclasses."""

from gateway.models.changes import (
    Change,
    ChangeHint,
    ChangePage,
    CursorOrder,
    CursorSync,
    CursorType,
    CursorValue,
    Since,
    SyncSupport,
    WebhookAnswer,
    WebhookDelivery,
    WebhookReading,
    WebhookRegistration,
    WebhookSupport,
    WebhookTarget,
)
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
from gateway.models.event_log import Event, EventLog, Snapshot, Stage, Webhook, WebhookInbox
from gateway.models.event_subscription import EventSubscription, SubscriptionStatus
from gateway.models.integration import Integration
from gateway.models.json import JsonObject, JsonSchema, JsonValue, is_same_json
from gateway.models.locations import Location, LocationKind, LocationPath, Pointer
from gateway.models.principal import Principal
from gateway.models.queries import Condition, OrderDirection, RecordOrder, RecordQuery
from gateway.models.records import Page, PageRequest, Record, Written
from gateway.models.sync import SyncConclusion, SyncGeneration, SyncKind, SyncRun, SyncState, SyncStatus, SyncTask, TaskKind

__all__ = [
    "AuthMethod",
    "AuthType",
    "Change",
    "ChangeHint",
    "ChangePage",
    "ChangeType",
    "CollectionEventSupport",
    "CollectionFilter",
    "CollectionOperation",
    "CollectionSpec",
    "Condition",
    "Connection",
    "ConnectionState",
    "ConnectorSpec",
    "CursorOrder",
    "CursorSync",
    "CursorType",
    "CursorValue",
    "Customer",
    "DataSource",
    "DataSourceInstance",
    "ElementError",
    "ElementState",
    "Event",
    "EventLog",
    "EventMethod",
    "EventSubscription",
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
    "Since",
    "Snapshot",
    "Stage",
    "SubscriptionStatus",
    "SyncConclusion",
    "SyncGeneration",
    "SyncKind",
    "SyncRun",
    "SyncState",
    "SyncStatus",
    "SyncSupport",
    "SyncTask",
    "TaskKind",
    "Webhook",
    "WebhookAnswer",
    "WebhookDelivery",
    "WebhookInbox",
    "WebhookReading",
    "WebhookRegistration",
    "WebhookSupport",
    "WebhookTarget",
    "Written",
    "is_same_json",
]
