"""Pages of any size over an app's own pages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from gateway.errors import UpstreamCallsExceededError
from gateway.models import Page, PageRequest
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPage(Generic[Item]):
    """Items of an app in its order, each with the cursor of the place after it."""

    edges: tuple[tuple[str, Item], ...]
    has_next: bool


async def read(runtime: Runtime, fetch: Fetch[Item], *, first: int, after: str | None, scope: str) -> AppPage[Item]:
    """Up to `first` items after a cursor, whatever the size of the app's pages.

    `scope` names the list: a cursor works only with the scope it was made for. All or nothing: an error on the way
    is raised, never a short page. `has_next` is false only when the app says that nothing follows.
    """
    secret = runtime.settings.token_secret.get_secret_value()
    start = Position(size=max(first, MINIMUM_APP_PAGE_SIZE))
    position = cursors.decode(after, scope=scope, secret=secret) if after is not None else start
    found: list[tuple[Position, Item]] = []
    for _ in range(MAXIMUM_APP_PAGES):
        page = await fetch(PageRequest(size=position.size, token=position.token))
        found += _placed(page, position)
        if len(found) >= first or page.next_token is None:
            edges = tuple((cursors.encode(place, scope=scope, secret=secret), item) for place, item in found[:first])
            return AppPage(edges=edges, has_next=len(found) > first or page.next_token is not None)
        position = _next(page, position)
    raise UpstreamCallsExceededError(
        f"The app's pages are too small: {MAXIMUM_APP_PAGES} of them hold fewer than {first} items. Ask for fewer."
    )


def _placed(page: Page[Item], start: Position) -> list[tuple[Position, Item]]:
    """The items after a position, each with the position after it; after the last one it is the next page's start."""
    count = len(page.items)
    return [
        (_next(page, start) if index + 1 == count and page.next_token is not None else replace(start, offset=index + 1), item)
        for index, item in enumerate(page.items)
        if index >= start.offset
    ]


def _next(page: Page[Item], position: Position) -> Position:
    return Position(size=position.size, token=page.next_token)
