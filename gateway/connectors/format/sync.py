"""How changes of a collection's records are learned of. With nothing said, by comparing the whole list."""

from typing import Literal

from pydantic import Field, model_validator

from gateway.connectors.format.base import Condition, Part, Value
from gateway.connectors.format.requests import PaginationRef, Request


class _Changes(Part):
    """A list of records that changed. Its request sees `since` and `page`; what reads the answer sees `body`, `headers`, `status` too."""

    request: Request | None = None
    pagination: PaginationRef | None = None
    """By default that of `list`."""
    records: Value | None = None
    """Selects the records from `body`; by default as `list` does."""
    where: Condition | None = None
    """Leaves out the items for which it does not hold; name: `item`. Without a request of its own, that of `list`."""

    @model_validator(mode="after")
    def _reads_what_it_asks_for(self) -> "_Changes":
        given = [key for key in ("pagination", "records", "where") if getattr(self, key) is not None]
        if self.request is None and given:
            raise ValueError(f"without a `request` of its own this is read as `list` says; take {' and '.join(given)} out")
        return self


class Cursor(_Changes):
    """Records have a value that grows with each change, and the app lists those from a value on: `since.start` to `since.end`.

    The app is told by `filter`, through the conditions of `list`, or by a `request` of its own. With neither, `list` is read as it is.
    """

    type: Literal["datetime", "count"] = "datetime"
    value: Value | None = None
    """Where the value stands in a record; names: `record`, `parameters`. By default `updated_at` of the record."""
    times: Literal["auto", "epoch_s", "epoch_ms"] | None = None
    """How times are written, in records and in `since`; by default as the record says."""
    filter: str | None = None
    """The field by which `list` filters (`gte` or `gt`, and `lte` or `lt`), and orders if `order` says so."""
    order: Literal["ascending", "newest_first", "unsorted"] = "unsorted"
    """In which order the app lists them."""
    inclusive: bool | None = None
    """Whether records of exactly `since.start` come as well; with `filter` it is seen by the condition, else true by default."""
    granularity: float = Field(default=0, ge=0, le=86_400)
    """The smallest step that the app's values tell apart, in seconds, or by number."""
    lookback: float = Field(default=0, ge=0, le=31_536_000)
    """How far behind the last value is read again: by how much records come into sight late."""
    window: float | None = Field(default=None, gt=0, le=315_360_000)
    """How much is asked for at once; by default all."""
    max_records: int | None = Field(default=None, ge=1)
    """How many records the app gives at most, however many there are: a part with as many is read in smaller ones."""

    @model_validator(mode="after")
    def _has_one_way(self) -> "Cursor":
        if self.request is not None and self.filter is not None:
            raise ValueError("the app is told by `filter` or by a `request`, not both")
        if self.filter is not None and self.inclusive is not None:
            raise ValueError("`filter` tells by the condition that `list` has, `gte` or `gt`, what is included; take `inclusive` out")
        return self


class Delta(_Changes):
    """The app gives out a token, and later what changed since: the request sees it as `since.token`, null for everything."""

    token: Value
    """The token for the next reading; names: `body`, `headers`, `status`."""
    told_on: Literal["first_page", "last_page"] = "last_page"
    """The page of a reading that tells the token."""
    is_address: bool = False
    """Whether the token is the whole address to ask the next time, rather than a value that the request says."""
    gone: Condition | None = None
    """Holds when an answer of success tells that `since.token` is no longer known; a 404, a 410 and the error action `gone` tell it too."""


class Deleted(Part):
    """How records that are gone are told among those that changed."""

    when: Condition
    """Holds for an item that stands for a record that is gone; name: `item`."""
    id: Value | None = None
    """The record's id; names: `item`, `record`. By default as the record says, as the items are records themselves."""


class Sync(Part):
    """How changes are learned of."""

    cursor: Cursor | None = None
    delta: Delta | None = None
    deleted: Deleted | None = None
    """Without it, deletions are found by comparing the whole list."""
    volatile_fields: tuple[str, ...] = ()
    """Fields whose change is no change of the record, such as counters of views."""

    @model_validator(mode="after")
    def _is_one_way(self) -> "Sync":
        if self.cursor is not None and self.delta is not None:
            raise ValueError("changes are learned of by `cursor` or by `delta`, not both")
        if self.deleted is not None and self.cursor is None and self.delta is None:
            raise ValueError("`deleted` speaks of the items of `cursor` or `delta`; a list that is compared holds no deleted records")
        return self
