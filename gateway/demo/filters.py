"""Which things a list of the demo's external app holds, and in which order.

`<field>.<operator>=<value>` is a condition; all that are given must hold. `ids=101,102` are the things of those ids, `search` holds
words that all must stand in a thing's texts, in any case, and `sort=dueAt` or `sort=-dueAt` orders, with what has no value last.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from gateway.demo.things import PRIORITIES, STATUSES, Thing, as_time

MOST_IDS = 100
NULL = "null"

Read = Callable[[str], Any]
"""What a text of the query stands for. Raises ValueError that says what it must be."""


def number(text: str) -> int:
    """The positive number that a text stands for."""
    if re.fullmatch("[1-9][0-9]{0,8}", text) is None:
        raise ValueError("must be a positive number.")
    return int(text)


def numbers(text: str) -> frozenset[int]:
    """The positive numbers that stand in a text, with commas between them."""
    if text.count(",") >= MOST_IDS:
        raise ValueError(f"takes {MOST_IDS} numbers at most.")
    return frozenset(map(number, text.split(",")))


def _time(text: str) -> datetime:
    time = as_time(text)
    if time is None:
        raise ValueError("must be a time with its zone, such as 2026-03-01T09:00:00Z.")
    return time


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false.")
    return text == "true"


def one_of(*choices: str) -> Read:
    """Reads one of the choices."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}.")
        return text

    return read


@dataclass(frozen=True, kw_only=True)
class Filterable:
    """A field that lists can be filtered by."""

    operators: frozenset[str]
    read: Read = str
    is_nullable: bool = False

    def value(self, text: str, *, operator: str) -> Any:
        """What the field is compared with."""
        if operator != "in":
            return self._one(text)
        parts = text.split(",")
        if len(parts) > MOST_IDS:
            raise ValueError(f"takes {MOST_IDS} values at most.")
        return frozenset(map(self._one, parts))

    def _one(self, text: str) -> Any:
        return None if self.is_nullable and text == NULL else self.read(text)


_SAME = frozenset({"eq", "ne", "in"})
_TEXTS = frozenset({"eq", "contains", "startsWith"})
_ORDERED = frozenset({"lt", "lte", "gt", "gte"})
_STAMP = Filterable(read=_time, operators=_ORDERED)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a list of one kind of thing can be asked for."""

    filters: Mapping[str, Filterable]
    sorts: tuple[str, ...]
    searched: tuple[str, ...]
    """The fields that a search looks into."""


TASKS = Listing(
    filters={
        "projectId": Filterable(read=number, operators=_SAME),
        "title": Filterable(operators=_TEXTS),
        "status": Filterable(read=one_of(*STATUSES), operators=_SAME),
        "priority": Filterable(read=one_of(*PRIORITIES), operators=_SAME),
        "assigneeId": Filterable(read=number, operators=_SAME, is_nullable=True),
        "followerIds": Filterable(read=number, operators=frozenset({"contains"})),
        "labels": Filterable(operators=frozenset({"contains"})),
        "createdById": Filterable(read=number, operators=_SAME),
        "dueAt": Filterable(read=_time, operators=_ORDERED | {"eq"}, is_nullable=True),
        "createdAt": _STAMP,
        "updatedAt": _STAMP,
    },
    sorts=("id", "title", "status", "dueAt", "createdAt", "updatedAt"),
    searched=("title", "notes", "labels"),
)
PROJECTS = Listing(
    filters={"name": Filterable(operators=_TEXTS), "ownerId": Filterable(read=number, operators=_SAME), "createdAt": _STAMP},
    sorts=("id", "name", "createdAt"),
    searched=("name", "description"),
)
USERS = Listing(
    filters={
        "name": Filterable(operators=_TEXTS),
        "email": Filterable(operators=_TEXTS),
        "title": Filterable(operators=_TEXTS),
        "isActive": Filterable(read=_boolean, operators=frozenset({"eq"})),
        "createdAt": _STAMP,
    },
    sorts=("id", "name", "email", "createdAt"),
    searched=("name", "email", "title"),
)


def chosen(things: Sequence[Thing], listing: Listing, query: QueryParams, *, others: frozenset[str]) -> list[Thing]:
    """The things that are asked for, in the order asked for; `others` are parameters that mean something else."""
    wanted = list(things)
    for name, text in query.multi_items():
        if name == "ids":
            ids = _read(name, numbers, text)
            wanted = [thing for thing in wanted if thing.id in ids]
        elif name == "search":
            words = text.lower().split()
            wanted = [thing for thing in wanted if _mentions(thing, listing.searched, words)]
        elif name != "sort" and name not in others:
            holds = _condition(name, text, listing)
            wanted = [thing for thing in wanted if holds(thing)]
    return _sorted(wanted, listing, query.get("sort"))


def _condition(name: str, text: str, listing: Listing) -> Callable[[Thing], bool]:
    field, _, operator = name.partition(".")
    filterable = listing.filters.get(field)
    if filterable is None or operator not in filterable.operators:
        raise HTTPException(400, f"There is no parameter {name[:100]!r}.")
    value = _read(name, lambda given: filterable.value(given, operator=operator), text)
    compare = _COMPARISONS[operator]

    def holds(thing: Thing) -> bool:
        own = getattr(thing, field)
        if filterable.read is _time and own is not None:
            own = as_time(own)
        return compare(own, value)

    return holds


def _read(name: str, read: Read, text: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise HTTPException(400, f"{name} {error}") from None


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda own, value: own == value,
    "ne": lambda own, value: own != value,
    "in": lambda own, value: own in value,
    "lt": lambda own, value: own is not None and value is not None and own < value,
    "lte": lambda own, value: own is not None and value is not None and own <= value,
    "gt": lambda own, value: own is not None and value is not None and own > value,
    "gte": lambda own, value: own is not None and value is not None and own >= value,
    "contains": lambda own, value: value.lower() in own.lower() if isinstance(own, str) else value in own,
    "startsWith": lambda own, value: own.lower().startswith(value.lower()),
}


def _mentions(thing: Thing, fields: tuple[str, ...], words: Sequence[str]) -> bool:
    values = [getattr(thing, field) or "" for field in fields]
    text = "\n".join(value if isinstance(value, str) else "\n".join(value) for value in values).lower()
    return all(word in text for word in words)


def _sorted(things: list[Thing], listing: Listing, sort: str | None) -> list[Thing]:
    if sort is None:
        return things
    field = sort.removeprefix("-")
    if field not in listing.sorts:
        raise HTTPException(400, f"sort must be one of {', '.join(listing.sorts)}, or one of them after a '-'.")
    valued = sorted((thing for thing in things if getattr(thing, field) is not None), key=lambda thing: (getattr(thing, field), thing.id))
    if sort.startswith("-"):
        valued.reverse()
    return valued + [thing for thing in things if getattr(thing, field) is None]
