"""Changes as an app tells them, and what a connector knows of how to learn of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.models.collections import ChangeType
from gateway.models.json import JsonObject, JsonValue
from gateway.models.records import Record

CursorValue = datetime | int | float
"""Where a record stands in the order of changes: a time in UTC, or a number that grows."""


class CursorOrder(StrEnum):
    """In which order an app lists records that changed."""

    ASCENDING = "ASCENDING"
    NEWEST_FIRST = "NEWEST_FIRST"
    UNSORTED = "UNSORTED"


class CursorType(StrEnum):
    """What an app's cursor field holds."""

    DATETIME = "DATETIME"
    COUNT = "COUNT"


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorSync:
    """How records that changed since a value of their cursor field are read. Steps are seconds for times, else units of the number."""

    type: CursorType = CursorType.DATETIME
    order: CursorOrder = CursorOrder.UNSORTED
    is_inclusive: bool = True
    """Whether records of exactly the value that is asked for come as well."""
    granularity: float = 0
    """The smallest step that the app's values tell apart."""
    lookback: float = 0
    """How far behind the last value is read again, as records may come into sight late."""
    window: float | None = None
    """How much the app is asked for at once; null for all."""
    maximum_records: int | None = None
    """How many records the app gives at most, however many there are: a window with as many is split."""
    is_filtered: bool = True
    """Whether the app leaves out older records; else it lists all, which are compared here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSupport:
    """What an app tells by itself."""

    key: str
    """The name of the webhook in its connector."""
    types: frozenset[ChangeType]
    is_registered: bool = True
    """Whether the gateway registers the webhook at the app; else somebody does by hand."""
    secret_parameter: str | None = None
    """The parameter of the address in which the secret stands; null where the app is told of it in another way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSupport:
    """How changes of a collection can be learned of. With nothing said, only by a complete listing."""

    has_delta: bool = False
    """Whether the app gives out a token, and later what changed since."""
    cursor: CursorSync | None = None
    sees_deletions: bool = False
    """Whether delta or cursor tell of deletions too, by tombstones or a flag."""
    webhook: WebhookSupport | None = None
    volatile_fields: tuple[str, ...] = ()
    """Fields whose change is none of the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A record as the app tells it among those that changed."""

    external_id: str
    record: Record | None = None
    """Null when the app no longer has it."""
    cursor: CursorValue | None = None
    """The value of its cursor field; null where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """From where on changes are wanted: a delta token, or a range of cursor values; with nothing said, every record there is."""

    delta_token: JsonValue = None
    start: CursorValue | None = None
    """The first value that is wanted; it is up to the connector that records of exactly this value are not left out."""
    end: CursorValue | None = None
    """The last value that is wanted; null for no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """One page of changes as the app gave it."""

    changes: tuple[Change, ...]
    next_token: JsonValue = None
    """JSON that reads the page after this one; null when this is the last."""
    delta_token: JsonValue = None
    """What the next reading starts from, once this one is complete; on one page of those that make up a reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """Where an app is to send its webhooks. Its `repr` shows no secret."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    """Proves to the gateway that the app sent it; at least 32 random bytes as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRegistration:
    """What the app said when a webhook was registered."""

    state: JsonObject = field(default_factory=dict, repr=False)
    """What it takes to renew and remove it."""
    expires_at: datetime | None = None
    secret: str | None = field(default=None, repr=False)
    """What the app chose to prove itself with; null where it took the secret of the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One request that came in, as it came."""

    headers: Mapping[str, str] = field(repr=False)
    """By name in lower case."""
    query: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHint:
    """What a webhook says of one record. It may come late, twice, or out of order."""

    type: ChangeType
    external_id: str
    record: Record | None = None
    """The record as the app sent it; null where it sent only the id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """What the app waits for."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReading:
    """What a delivery says, once it is known to come from the app."""

    answer: WebhookAnswer | None = None
    """Set for a handshake, which says nothing of records."""
    dedupe_key: str | None = None
    """Equal for deliveries that repeat each other; null where the app names none."""
    hints: tuple[ChangeHint, ...] = ()
