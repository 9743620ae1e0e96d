"""Reads one page of anything that an app lists."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Generic, NamedTuple, TypeVar

from gateway.connectors.executor.answers import Answer
from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.names import Names, holds, kind_of, told
from gateway.connectors.executor.pagination import Place, Seen, first_place, place_after, place_of_token, resolved
from gateway.connectors.executor.records import ITEMS_IN_A_TURN
from gateway.connectors.executor.unread_pages import Unread
from gateway.connectors.format.requests import CursorPagination, NextUrlPagination, NoPagination, Pagination, Request
from gateway.connectors.http import WebAddress
from gateway.errors import UpstreamResponseError
from gateway.expressions import Expression, Template
from gateway.models import JsonObject, JsonValue, Page, PageRequest
from gateway.values import value

Item = TypeVar("Item")

_PLAIN_ITEMS_IN_A_TURN = 500
# Of those that are read in few steps and all belong to the list.


@value(kw_only=True)
class Listing(Generic[Item]):
    """What is listed, and what becomes of each item."""

    request: Request
    pagination: Pagination | str
    items: Template
    names: Names
    query: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the request's query says beside what its templates do, on every page."""
    where: Expression | None = None
    """Leaves out the items for which it does not hold."""
    gone: Expression | None = None
    """Leaves out the items for which it holds."""
    read: Callable[[JsonValue, int], Item]
    """Makes something of an item and its place on the page, counted from 1."""
    read_plain: Callable[[list[JsonValue]], list[Item] | None] = lambda items: None
    """Makes the same of many items in few steps; null where any of them takes more, or is none: `read` tells of which and why."""
    unread: Unread[Item] | None = None
    """Makes the same of whole pages, with no more read of them than that; null where all of them has to be read."""
    identify: Callable[[Item], str]
    """What tells one item from another, so that a page that comes again is known."""
    address: WebAddress | None = None
    """Where the first page is, if not where the request says."""
    check: Callable[[Names], None] = lambda names: None
    """Looks at each answer before its items are read, and raises an error for one that tells of something else."""


@value(kw_only=True)
class Listed(Generic[Item]):
    """One page of a listing."""

    items: tuple[Item, ...] = ()
    next_token: JsonValue = None
    names: Names = field(default_factory=dict)
    """The names of the listing and of the app's answer; none where the answer stands for nothing."""


async def read_page(caller: Caller, listing: Listing[Item], page: PageRequest) -> Page[Item]:
    """One page of the listing.

    Raises UpstreamResponseError when the app's pages repeat or do not end, and CursorExpiredError for a token of other pages.
    """
    listed = await read_listing(caller, listing, page)
    return Page(items=listed.items, next_token=listed.next_token)


async def read_listing(caller: Caller, listing: Listing[Item], page: PageRequest) -> Listed[Item]:
    """The same page, with what else the app's answer tells."""
    pagination = resolved(listing.pagination, caller.file.pagination)
    place = first_place(pagination, size=page.size) if page.token is None else _place(caller, pagination, page.token)
    is_address = isinstance(pagination, NextUrlPagination) and place.position is not None
    url = WebAddress.parse(place.position) if is_address else listing.address
    names = {**listing.names, "page": place.names(pagination)}
    shape = listing.unread.shape if listing.unread is not None else None
    answer = await caller.ask(listing.request, names=names, added=place.added(pagination, query=listing.query), url=url, shape=shape)
    if answer.is_empty:
        return Listed()

    around = {**caller.names, **names}
    read = await _read_unread(listing, answer, around) or await _read_whole(listing, answer, around)
    if isinstance(pagination, NoPagination):
        return Listed(items=read.items, names=read.names)
    following = place_after(pagination, place, _seen(caller, listing, place, answer, read, pagination=pagination))
    next_token = _token(caller, pagination, following) if following is not None else None
    return Listed(items=read.items, next_token=next_token, names=read.names)


class _Read(NamedTuple, Generic[Item]):
    """What was read of an answer."""

    items: tuple[Item, ...]
    sent: int
    """How many items the app sent."""
    last: JsonValue
    """The last of them as the app sent it; null where none was read whole."""
    names: Names
    """Those of the listing and of what was read."""


def _seen(
    caller: Caller,
    listing: Listing[Item],
    place: Place,
    answer: Answer,
    read: _Read[Item],
    *,
    pagination: Pagination,
) -> Seen:
    def identities() -> Iterable[str]:
        if read.items:
            return map(listing.identify, read.items)
        # Empty pages are all alike; one that the app named is told from others by its name.
        is_named = isinstance(pagination, CursorPagination | NextUrlPagination)
        return [repr(answer.body), str(place.position) if is_named else ""]

    return Seen(
        count=read.sent,
        identities=identities,
        names={**read.names, "page": place.names(pagination, count=read.sent), "last": read.last},
        follow=lambda target: str(_followed(caller, answer, target)),
    )


async def _read_unread(listing: Listing[Item], answer: Answer, names: Names) -> _Read[Item] | None:
    """What can be told of a page without reading all of it; null where that takes a reading of all of it."""
    page = answer.content.page(listing.unread.shape) if listing.unread is not None else None
    if page is None or listing.unread is None:
        return None
    items: list[Item] = []
    for start in range(0, len(page.items), _PLAIN_ITEMS_IN_A_TURN):
        if start:
            await asyncio.sleep(0)
        made = listing.unread.make(page.part(start, start + _PLAIN_ITEMS_IN_A_TURN))
        if made is None:
            return None
        items += made
    return _Read(tuple(items), len(items), None, {**names, **answer.names_with(page.beside)})


async def _read_whole(listing: Listing[Item], answer: Answer, names: Names) -> _Read[Item]:
    seen = {**names, **answer.names}
    listing.check(seen)
    raw = _items(listing, seen)
    return _Read(await _read_items(listing, raw, seen), len(raw), raw[-1] if raw else None, seen)


async def _read_items(listing: Listing[Item], raw: list[JsonValue], names: Names) -> tuple[Item, ...]:
    """What becomes of the items. A page may hold a million: everybody else, and the read's deadline, get their turn in between."""
    items: list[Item] = []
    is_whole = listing.where is None and listing.gone is None
    for start in range(0, len(raw), _PLAIN_ITEMS_IN_A_TURN):
        if start:
            await asyncio.sleep(0)
        part = raw[start : start + _PLAIN_ITEMS_IN_A_TURN]
        plain = listing.read_plain(part) if is_whole else None
        items += plain if plain is not None else await _read_in_turns(listing, part, start + 1, names)
    return tuple(items)


async def _read_in_turns(listing: Listing[Item], raw: list[JsonValue], first: int, names: Names) -> list[Item]:
    items: list[Item] = []
    for start in range(0, len(raw), ITEMS_IN_A_TURN):
        if start:
            await asyncio.sleep(0)
        items += _read_turn(listing, raw[start : start + ITEMS_IN_A_TURN], first + start, names)
    return items


def _read_turn(listing: Listing[Item], raw: list[JsonValue], first: int, names: Names) -> list[Item]:
    """What becomes of the items from the one that is the `first` on, counted from 1."""
    numbered = enumerate(raw, start=first)
    plain = listing.read_plain(raw)
    if plain is None:
        return [listing.read(item, number) for number, item in numbered if _belongs(listing, item, number, names)]
    return [made for made, (number, item) in zip(plain, numbered, strict=True) if _belongs(listing, item, number, names)]


def _belongs(listing: Listing[Item], item: JsonValue, number: int, names: Names) -> bool:
    if listing.where is None and listing.gone is None:
        return True
    seen = {**names, "item": item}
    if listing.where is not None and not holds(listing.where, seen, what=f"Whether item {number} belongs to the list"):
        return False
    return listing.gone is None or not holds(listing.gone, seen, what=f"Whether item {number} is deleted")


def _items(listing: Listing[Item], names: Names) -> list[JsonValue]:
    items = told(listing.items, names, what="The list of items")
    if not isinstance(items, list):
        raise UpstreamResponseError(
            f"The app's answer holds {kind_of(items)} where {listing.items.source!r} of its connector expects a list."
        )
    return items


def _place(caller: Caller, pagination: Pagination, token: JsonValue) -> Place:
    place = place_of_token(pagination, token)
    if not isinstance(place.position, str):
        return place
    position = caller.redactor.unsealed(place.position)
    if isinstance(pagination, NextUrlPagination):
        # The token comes back from outside: it is held to the same rules as the app's answer.
        position = str(caller.hosts.followed(position, source=caller.hosts.base, what="The cursor"))
    return place._replace(position=position)


def _followed(caller: Caller, answer: Answer, target: str) -> WebAddress:
    return caller.proof.off(caller.hosts.followed(target, source=answer.url, what=f"The next page of {caller.file.name}"))


def address_token(caller: Caller, target: str, *, what: str) -> str:
    """An address that the app told, to be kept for later: without the proof of who asked, and good wherever its server moves.

    Raises UpstreamResponseError where it leads away from the app.
    """
    url = caller.proof.off(caller.hosts.followed(target, source=caller.hosts.base, what=what))
    kept = caller.redactor.sealed(_without_origin(caller, url))
    if kept is None:
        raise UpstreamResponseError(f"{what} holds control characters.")
    return kept


def address_of(caller: Caller, kept: str, *, what: str) -> WebAddress:
    """The address that `address_token` kept, held to the same rules as the app's answer."""
    return caller.hosts.followed(caller.redactor.unsealed(kept), source=caller.hosts.base, what=what)


def _token(caller: Caller, pagination: Pagination, place: Place) -> JsonObject:
    position = place.position
    if isinstance(pagination, NextUrlPagination):
        position = _without_origin(caller, WebAddress.parse(position))
    if isinstance(position, str):
        position = caller.redactor.sealed(position)
        if position is None:
            raise UpstreamResponseError("The app names the next page with a text that holds control characters.")
    return place._replace(position=position).as_token(pagination)


def _without_origin(caller: Caller, url: WebAddress) -> str:
    """The address, without the app's own origin: a connection whose server moves keeps its cursors."""
    return url.target if caller.hosts.is_base(url) and not url.target.startswith("//") else str(url)
