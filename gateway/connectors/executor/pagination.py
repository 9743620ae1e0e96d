"""Where a page stands among the pages, and which one comes next. Nothing here asks the app."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from gateway.connectors.executor.names import Names, holds, kind_of, told
from gateway.connectors.executor.requests import Added
from gateway.connectors.format.requests import (
    MAX_PAGE_SIZE,
    CursorPagination,
    NextUrlPagination,
    NoPagination,
    OffsetPagination,
    PagePagination,
    Pagination,
    Placement,
    Stop,
)
from gateway.errors import CursorExpiredError, UpstreamResponseError
from gateway.models import JsonObject, JsonValue

_MAX_POSITION_CHARACTERS = 8_192
# Longer ones fit into no address that servers are known to read.
_POSITION_TYPES: dict[type, tuple[type, ...]] = {
    NoPagination: (),
    PagePagination: (int,),
    OffsetPagination: (int,),
    CursorPagination: (str,),
    NextUrlPagination: (str,),
}

_NONE = NoPagination(type="none")


class Place(NamedTuple):
    """Which page to read: what there is to know of it, and of the pages before it."""

    size: int
    """The same from the first page to the last: another size would move the borders of the pages."""
    position: JsonValue
    """The page's number, offset, cursor or address; null for the first page by cursor or address."""
    pages_before: int = 0
    last_print: str | None = None
    """The fingerprint of the page before."""
    marked_print: str | None = None
    """The fingerprint of an earlier page, a later one each time the number of pages doubles: no circle of pages escapes it."""

    def as_token(self, pagination: Pagination) -> JsonObject:
        """The place as a page token: JSON, small, good at any later time."""
        return {
            "type": pagination.type,
            "size": self.size,
            "position": self.position,
            "pages": self.pages_before,
            "prints": [self.last_print, self.marked_print],
        }

    def added(self, pagination: Pagination, *, query: Mapping[str, JsonValue]) -> Added:
        """What the request says of the place, beside what its query says on every page."""
        added: dict[Placement, dict[str, JsonValue]] = {"query": {**query}, "header": {}, "body": {}, "request": {}}
        if pagination.size.name is not None:
            added[pagination.size.in_][pagination.size.name] = self.size
        if isinstance(pagination, PagePagination | OffsetPagination | CursorPagination) and self.position is not None:
            added[pagination.in_][pagination.name] = self.position
        return Added(query=added["query"], headers=added["header"], body=added["body"])

    def names(self, pagination: Pagination, *, count: int | None = None) -> JsonObject:
        """The place as `page` in expressions; `count` is known once the page is read."""
        return {
            "number": self.position if isinstance(pagination, PagePagination) else self.pages_before + 1,
            "offset": self.position if isinstance(pagination, OffsetPagination) else None,
            "token": self.position if isinstance(pagination, CursorPagination) else None,
            "size": self.size,
            "count": count,
        }


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a page turned out to hold."""

    count: int
    identities: Callable[[], Iterable[str]]
    """What tells the page from others, which nobody asks for of a first page that is the last."""
    names: Names
    """The names for `next` and `has_more`: those of the answer, `page` and `last`."""
    follow: Callable[[str], str]
    """The address that the app means by a next page's address; raises UpstreamResponseError where it leads away from the app."""

    @cached_property
    def print(self) -> str:
        """The page's fingerprint."""
        return fingerprint(self.identities())


def first_place(pagination: Pagination, *, size: int) -> Place:
    """The place of the first page. The size is at most what the app allows, and the app's own where it cannot be said."""
    fitting = min(size, pagination.size.max) if pagination.size.is_told else pagination.size.usual
    start = pagination.start if isinstance(pagination, PagePagination | OffsetPagination) else None
    return Place(size=max(fitting, 1), position=start)


def place_of_token(pagination: Pagination, token: JsonValue) -> Place:
    """The place that `as_token` gave. Raises CursorExpiredError when it is none, such as that of an earlier connector version."""
    match token:
        case {
            "type": pagination.type,
            "size": int(size),
            "position": position,
            "pages": int(pages),
            "prints": [str() | None as last, str() | None as marked],
        } if 1 <= size <= MAX_PAGE_SIZE and pages >= 1 and _is_position(pagination, position):
            return Place(size=size, position=position, pages_before=pages, last_print=last, marked_print=marked)
    raise CursorExpiredError("The cursor does not fit the app's pages (any more). Start again from the first page.")


def place_after(pagination: Pagination, place: Place, seen: Seen) -> Place | None:
    """The place of the next page; null after the last.

    Raises UpstreamResponseError when the pages repeat or do not end.
    """
    if place.pages_before and seen.print in (place.last_print, place.marked_print):
        raise UpstreamResponseError(
            f"The app gives a page again (page {place.pages_before + 1}): its pages would never end. The connector may need another `stop`."
        )
    position = _next_position(pagination, place, seen)
    if position is None:
        return None
    pages = place.pages_before + 1
    if pages >= pagination.max_pages:
        raise UpstreamResponseError(f"The app's pages did not end after {pages}, the most that its connector reads (max_pages).")
    is_marked = pages & (pages - 1) == 0
    return Place(
        size=place.size,
        position=position,
        pages_before=pages,
        last_print=seen.print,
        marked_print=seen.print if is_marked else place.marked_print,
    )


def fingerprint(parts: Iterable[str]) -> str:
    """A short text that is the same for the same parts, and for no others."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return hashlib.blake2b(b"".join([b"%d:%b" % (len(part), part) for part in encoded]), digest_size=9).hexdigest()


def _next_position(pagination: Pagination, place: Place, seen: Seen) -> JsonValue:
    match pagination:
        case NoPagination():
            return None
        case PagePagination():
            return place.position + 1 if _goes_on(pagination, place, seen) else None
        case OffsetPagination():
            # By what came, not by what was asked for: an app that gives fewer would otherwise be read with gaps.
            return place.position + (seen.count or place.size) if _goes_on(pagination, place, seen) else None
        case CursorPagination() | NextUrlPagination():
            return _named_position(pagination, place, seen)


def _goes_on(pagination: PagePagination | OffsetPagination, place: Place, seen: Seen) -> bool:
    if pagination.has_more is not None:
        return holds(pagination.has_more, seen.names, what="Whether there are more pages")
    return seen.count >= place.size if pagination.stop is Stop.SHORT_PAGE else seen.count > 0


def _named_position(pagination: CursorPagination | NextUrlPagination, place: Place, seen: Seen) -> JsonValue:
    if pagination.has_more is not None and not holds(pagination.has_more, seen.names, what="Whether there are more pages"):
        return None
    if (pagination.stop is Stop.SHORT_PAGE and seen.count < place.size) or (pagination.stop is Stop.EMPTY_PAGE and not seen.count):
        return None
    position = told(pagination.next, seen.names, what="The next page")
    if position is None or position is False or position == "":
        if pagination.has_more is not None:
            raise UpstreamResponseError("The app says that there are more pages, and not where the next one is.")
        return None
    if isinstance(position, int | float) and not isinstance(position, bool):
        # Page tokens go through other JSON libraries, not all of which keep large numbers; a query holds text anyway.
        position = json.dumps(position)
    if not _is_position(pagination, position):
        raise UpstreamResponseError(f"The app names the next page with {kind_of(position)}, or with a text that is too long.")
    if isinstance(pagination, NextUrlPagination):
        position = seen.follow(position)
    if position == place.position:
        raise UpstreamResponseError(f"The app names page {place.pages_before + 1} as the page after itself. Its pages would never end.")
    return position


def _is_position(pagination: Pagination, position: JsonValue) -> bool:
    if isinstance(position, bool) or not isinstance(position, _POSITION_TYPES[type(pagination)]):
        return False
    if isinstance(position, str):
        return len(position) <= _MAX_POSITION_CHARACTERS
    return isinstance(position, int) and position >= 0


def resolved(pagination: Pagination | str, named: Mapping[str, Pagination]) -> Pagination:
    """The pagination that an operation names, or is given."""
    if not isinstance(pagination, str):
        return pagination
    return named.get(pagination) or _NONE
