"""Records of an external app, and the pages they come in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct

from gateway.models.json import JsonObject, JsonValue
from gateway.values import value

Item = TypeVar("Item")


class Record(Struct, frozen=True, gc=False):
    """One record: its id as text, whatever the app uses, and its fields as the connector maps them.

    A struct, because pages hold a thousand: a tuple of its parts takes two to four times as long to make. What an app sends holds no
    circles, so the search for garbage does not see records: whoever makes one of other fields keeps circles out of them, or it stays for
    ever.
    """

    external_id: str
    fields: JsonObject
    """Of pages whose `PageRequest` was content with less, perhaps a `msgspec.Raw`, which can only be written, or `ReadFields`."""
    raw_fields: JsonObject | None = None
    """The app's payload before the connector's mapping; null where nothing was mapped."""
    name: str | None = None
    url: str | None = None
    version: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


TOLD_PARTS = frozenset({"name", "url", "version", "created_at", "updated_at"})
"""What a record tells beside its id and its fields."""
RECORD_PARTS = TOLD_PARTS | {"fields"}
"""The same, and its fields as they are."""
SHOWN_FIELDS = "shown_fields"
"""Stands among parts in place of `fields` where these are written and nothing else: as the app wrote them is good enough."""
MODELS_FIELDS = "models_fields"
"""The same where nobody reads more of them than universal data models do: only these fields are good enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write left in the app."""

    external_id: str
    """The record's id from now on; an update may change it."""
    record: Record | None = None
    """The record as it is now; null where the app answers only an id, or nothing."""


@value(kw_only=True)
class PageRequest:
    """Which page to read from an app: about `size` items, from the start or from a token of the page before."""

    size: int
    token: JsonValue = None
    """The `next_token` of the page before, as it was given; null for the first page."""
    parts: frozenset[str] = RECORD_PARTS
    """Which `RECORD_PARTS`, SHOWN_FIELDS and MODELS_FIELDS of records somebody looks at: the others may be left out."""


@value(kw_only=True)
class Page(Generic[Item]):
    """One page as the app gave it: it may hold more or fewer items than asked for, none included."""

    items: tuple[Item, ...]
    next_token: JsonValue = None
    """JSON that reads the page after this one, at any later time; null when this is the last."""
