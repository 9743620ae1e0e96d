"""Pages of any size over an app's own pages."""

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gateway.errors import UpstreamCallsExceededError
from gateway.models import Page, PageRequest
from gateway.models.records import RECORD_PARTS
from gateway.runtime import Runtime
from gateway.services import cursors
from gateway.services.cursors import Position

Item = TypeVar("Item")
Fetch = Callable[[PageRequest], Awaitable[Page[Item]]]
"""Reads one page of the app."""

MAXIMUM_APP_PAGES = 100
"""Pages of the app that one page of ours may take; an app with tiny pages must be read in several steps."""
MINIMUM_APP_PAGE_SIZE = 20
"""The smallest page that the app is asked for: with it a list that was begun one by one can still be read a thousand at a time."""


class AppPage(Struct, Generic[Item], frozen=True, kw_only=True):
    """Items of an app in its order; the cursor of the place after one is made when it is asked for."""

    items: tuple[Item, ...]
    has_next: bool
    cursor: Callable[[int], str]
    """The cursor of the place after the item at an index."""

    @property
    def edges(self) -> tuple[tuple[str, Item], ...]:
        """The items, each with its cursor."""
        return tuple((self.cursor(index), item) for index, item in enumerate(self.items))


class _Part(Struct, Generic[Item], frozen=True):
    """The items of one of the app's pages from a position on."""

    page: Page[Item]
    start: Position
    count: int
    """How many there are."""

    @property
    def has_token(self) -> bool:
        """Whether a position in it holds a token of the app's, which alone makes cursors long."""
        return self.start.token is not None or self.page.next_token is not None

    def after(self, index: int) -> Position:
        """The position after the item at an index; after the last one it is the next page's start."""
        if index + 1 == self.count and self.page.next_token is not None:
            return _next(self.page, self.start)
        return replace(self.start, offset=self.start.offset + index + 1)


class _ListCursors:
    """The cursors of one list. It is named when the first of them is needed."""

    def __init__(self, runtime: Runtime, scope: Callable[[], str]) -> None:
        self._secret = runtime.settings.token_secret
        self._name = scope

    @cached_property
    def _scope(self) -> str:
        return self._name()

    def encode(self, position: Position) -> str:
        return cursors.encode(position, scope=self._scope, secret=self._secret.get_secret_value())

    def decode(self, cursor: str) -> Position:
        return cursors.decode(cursor, scope=self._scope, secret=self._secret.get_secret_value())


async def read(
    runtime: Runtime,
    fetch: Fetch[Item],
    *,
    first: int,
    after: str | None,
    scope: Callable[[], str],
    record_parts: frozenset[str] = RECORD_PARTS,
) -> AppPage[Item]:
    """Up to `first` items after a cursor, whatever the size of the app's pages.

    `scope` names the list, where there is a cursor: it works only with the scope it was made for. `record_parts` are those of records
    that somebody looks at. All or nothing: an error on the way is raised, never a short page. `has_next` is false only when the app
    says that nothing follows.
    """
    list_cursors = _ListCursors(runtime, scope)
    position = list_cursors.decode(after) if after is not None else Position(size=max(first, MINIMUM_APP_PAGE_SIZE))
    parts: list[_Part[Item]] = []
    found = 0
    for _ in range(MAXIMUM_APP_PAGES):
        page = await fetch(PageRequest(size=position.size, token=position.token, parts=record_parts))
        count = max(len(page.items) - position.offset, 0)
        parts.append(_Part(page, position, count))
        found += count
        if found >= first or page.next_token is None:
            has_next = found > first or page.next_token is not None
            return _page_of(parts, first=first, has_next=has_next, encode=list_cursors.encode)
        position = _next(page, position)
    raise UpstreamCallsExceededError(
        f"The app's pages are too small: {MAXIMUM_APP_PAGES} of them hold fewer than {first} items. Ask for fewer."
    )


def _page_of(parts: list[_Part[Item]], *, first: int, has_next: bool, encode: Callable[[Position], str]) -> AppPage[Item]:
    items: tuple[Item, ...] = ()
    for part in parts:
        missing = first - len(items)
        items += part.page.items[part.start.offset : part.start.offset + missing]
        if 0 < part.count <= missing and part.has_token:
            # A token that is too long to be handed out is an error of the page, whether its cursor is asked for or not.
            encode(part.after(part.count - 1))
    return AppPage(items=items, has_next=has_next, cursor=lambda index: encode(_after(parts, index)))


def _after(parts: list[_Part[Item]], index: int) -> Position:
    """The position after the item at an index of them all."""
    for part in parts:
        if index < part.count:
            return part.after(index)
        index -= part.count
    raise IndexError("no page has an item at this index")


def _next(page: Page[Item], position: Position) -> Position:
    return Position(size=position.size, token=page.next_token)
