"""What a collection of an app can do."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.models.json import JsonSchema


class CollectionOperation(StrEnum):
    """What can be done with the records of a collection."""

    LIST = "LIST"
    SEARCH = "SEARCH"
    MATCH = "MATCH"
    FIND_BY_ID = "FIND_BY_ID"
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class FilterOperator(StrEnum):
    """How a filter compares a field with a value."""

    EQ = "EQ"
    NE = "NE"
    LT = "LT"
    LTE = "LTE"
    GT = "GT"
    GTE = "GTE"
    IN = "IN"
    CONTAINS = "CONTAINS"
    STARTS_WITH = "STARTS_WITH"


class ChangeType(StrEnum):
    """What happened to a record."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


class EventMethod(StrEnum):
    """How the gateway learns of changes."""

    WEBHOOK = "WEBHOOK"
    DELTA = "DELTA"
    PULL = "PULL"
    FULL_SCAN = "FULL_SCAN"


@dataclass(frozen=True, kw_only=True)
class CollectionFilter:
    """The operators that the app can apply to one field; a field of `*` stands for any."""

    field: str
    operators: tuple[FilterOperator, ...]


@dataclass(frozen=True, kw_only=True)
class CollectionEventSupport:
    """How changes of one type reach the gateway."""

    type: ChangeType
    method: EventMethod


@dataclass(frozen=True, kw_only=True)
class CollectionSpec:
    """What a collection is and can do. Schemas are null where only the app of a connection knows them."""

    key: str
    name: str
    description: str | None = None
    fields_schema: JsonSchema | None = None
    parameters_schema: JsonSchema | None = None
    operations: tuple[CollectionOperation, ...] = ()
    filters: tuple[CollectionFilter, ...] = ()
    order_fields: tuple[str, ...] = ()
    match_fields: tuple[str, ...] = ()
    create_fields_schema: JsonSchema | None = None
    update_fields_schema: JsonSchema | None = None
    events: tuple[CollectionEventSupport, ...] = ()
    universal_data_models: tuple[str, ...] = ()
    """Keys of the models that its records can be read as."""
    has_custom_fields: bool = False
    find_by_ids_maximum: int = 1
    """How many records the app finds by id with one request."""
    takes_version: bool = False
    """Whether updates, deletions or both can be bound to the version that the caller has read."""
    takes_idempotency_key: bool = False
    """Whether the app knows a creation again that is sent twice with the same key."""
