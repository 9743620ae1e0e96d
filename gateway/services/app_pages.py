"""Pages of any size over an app's own pages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, NamedTuple, TypeVar

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
    """Items of an app in its order; the cursor of the place after one is made when it is asked for."""

    items: tuple[Item, ...]
    has_next: bool
    cursor: Callable[[int], str] = field(compare=False)
    """The cursor of the place after the item at an index."""

    @property
    def edges(self) -> tuple[tuple[str, Item], ...]:
        """The items, each with its cursor."""
        return tuple((self.cursor(index), item) for index, item in enumerate(self.items))


class _Placed(NamedTuple, Generic[Item]):
    """An item of a page that was read from a position."""

    page: Page[Item]
    start: Position
    place: int
    """Where it stands on that page."""

    @property
    def is_last(self) -> bool:
        """Whether it is the last item of its page."""
        return self.place + 1 == len(self.page.items)

    @property
    def after(self) -> Position:
        """The position after it; after the last item of a page it is the next page's start."""
        if self.is_last and self.page.next_token is not None:
            return _next(self.page, self.start)
        return replace(self.start, offset=self.place + 1)


async def read(runtime: Runtime, fetch: Fetch[Item], *, first: int, after: str | None, scope: str) -> AppPage[Item]:
    """Up to `first` items after a cursor, whatever the size of the app's pages.

    `scope` names the list: a cursor works only with the scope it was made for. All or nothing: an error on the way
    is raised, never a short page. `has_next` is false only when the app says that nothing follows.
    """
    secret = runtime.settings.token_secret.get_secret_value()
    start = Position(size=max(first, MINIMUM_APP_PAGE_SIZE))
    position = cursors.decode(after, scope=scope, secret=secret) if after is not None else start
    found: list[_Placed[Item]] = []
    for _ in range(MAXIMUM_APP_PAGES):
        page = await fetch(PageRequest(size=position.size, token=position.token))
        found += [_Placed(page, position, place) for place in range(position.offset, len(page.items))]
        if len(found) >= first or page.next_token is None:
            has_next = len(found) > first or page.next_token is not None
            return _page_of(found[:first], has_next=has_next, encode=partial(cursors.encode, scope=scope, secret=secret))
        position = _next(page, position)
    raise UpstreamCallsExceededError(
        f"The app's pages are too small: {MAXIMUM_APP_PAGES} of them hold fewer than {first} items. Ask for fewer."
    )


def _page_of(found: list[_Placed[Item]], *, has_next: bool, encode: Callable[[Position], str]) -> AppPage[Item]:
    for each in found:
        if each.is_last:
            # A token that is too long to be handed out is an error of the page, whether its cursor is asked for or not.
            encode(each.after)
    items = tuple(each.page.items[each.place] for each in found)
    return AppPage(items=items, has_next=has_next, cursor=lambda index: encode(found[index].after))


def _next(page: Page[Item], position: Position) -> Position:
    return Position(size=position.size, token=page.next_token)
