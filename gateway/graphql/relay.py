"""Pages as Relay describes them, forward only: connections, edges, cursors."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import strawberry
from msgspec import Struct

from gateway.errors import InvalidError, PageTooLargeError
from gateway.graphql import ids
from gateway.graphql.fields import field, given
from gateway.services.app_pages import AppPage
from gateway.services.listing import Listing
from gateway.storage.rows import RowPage, RowWindow

Item = TypeVar("Item")
Node = TypeVar("Node")

First = Annotated[int, strawberry.argument(description="How many to return, from 1 to 100 unless the operator set another limit.")]
FirstItems = Annotated[int, strawberry.argument(description="How many to return, from 1 to 1000 unless the operator set another limit.")]
After = Annotated[
    str | None, strawberry.argument(description="The `cursor` of the last one that you have; leave it out for the first page.")
]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether those that are archived are in the list too.")]


@dataclass(frozen=True, slots=True)
class Position(Generic[Item]):
    """An item of a list, and the place after it."""

    cursor: str
    node: Item


@dataclass(frozen=True, slots=True)
class RowPosition(Generic[Item]):
    """The same of a row of ours, whose cursor is made when it is asked for."""

    node: Item

    @property
    def cursor(self) -> str:
        """The place after the row."""
        return ids.cursor_of(self.node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """What an answer's connection is made of; `count` counts the whole list, and runs only when a client asks."""

    edges: tuple[Position[Item] | RowPosition[Item], ...]
    has_next_page: bool
    has_previous_page: bool
    count: Callable[[], Awaitable[int]] | None = None

    @property
    def nodes(self) -> list[Item]:
        """The items themselves."""
        return [edge.node for edge in self.edges]

    @property
    def page_info(self) -> "Page[Item]":
        """The page, as what it tells of itself."""
        return self

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first item, if there is one."""
        return self.edges[0].cursor if self.edges else None

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last item, if there is one."""
        return self.edges[-1].cursor if self.edges else None


class ItemPage(Struct, Generic[Item], frozen=True, kw_only=True):
    """The same of a list that an app keeps, whose cursors are made when they are asked for."""

    nodes: list[Item]
    cursor: Callable[[int], str]
    """The cursor of the item at an index."""
    has_next_page: bool
    has_previous_page: bool

    @property
    def edges(self) -> list[Position[Item]]:
        """The items, each with its place."""
        return [Position(self.cursor(index), node) for index, node in enumerate(self.nodes)]

    @property
    def page_info(self) -> "ItemPage[Item]":
        """The page, as what it tells of itself."""
        return self

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first item, if there is one."""
        return self.cursor(0) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last item, if there is one."""
        return self.cursor(len(self.nodes) - 1) if self.nodes else None


def bounded(first: int, *, maximum: int) -> int:
    """The page size as given. Raises InvalidError for none, and PageTooLargeError for more than one page may hold."""
    if first < 1:
        raise InvalidError(f"`first` is {first}; it must lie between 1 and {maximum}.", field=["first"])
    if first > maximum:
        raise PageTooLargeError(f"`first` is {first}; it must lie between 1 and {maximum}. Ask for several pages, by `after`.")
    return first


def window(first: int, after: str | None, *, maximum: int, is_newest_first: bool = False) -> RowWindow:
    """The rows that `first` and `after` mean. Raises as `bounded` does, and InvalidError for a cursor that is none of ours."""
    start = given(after)
    size = bounded(first, maximum=maximum)
    return RowWindow(first=size, after=ids.parse_cursor(start) if start is not None else None, is_newest_first=is_newest_first)


def page_of_rows(page: RowPage[Any], *, after: UUID | None, count: Callable[[], Awaitable[int]]) -> Page[Any]:
    """A page of our rows, with a cursor for each."""
    return Page(edges=tuple(map(RowPosition, page.rows)), has_next_page=page.has_next, has_previous_page=after is not None, count=count)


def page_of_listing(listing: Listing[Any], *, after: str | None) -> Page[Any]:
    """A page of our rows, as a service gives it."""
    edges = tuple(map(RowPosition, listing.rows))
    return Page(edges=edges, has_next_page=listing.has_next, has_previous_page=given(after) is not None, count=listing.count)


def page_of_app(page: AppPage[Item], *, after: str | None, show: Callable[[Iterable[Item]], list[Any]]) -> ItemPage[Any]:
    """A page of what the app holds; `show` makes of its items what the schema describes."""
    return ItemPage(nodes=show(page.items), cursor=page.cursor, has_next_page=page.has_next, has_previous_page=given(after) is not None)


def page_of_values(values: Iterable[Item], *, key: Callable[[Item], str], first: int, after: str | None, maximum: int) -> Page[Item]:
    """A page of values that are all at hand, sorted by a key that is unique."""
    first = bounded(first, maximum=maximum)
    cursor = given(after)
    start = ids.parse_key_cursor(cursor) if cursor is not None else None
    found = list(values)
    rest = [value for value in found if start is None or key(value) > start]

    async def count() -> int:
        return len(found)

    edges = tuple(Position(ids.key_cursor(key(value)), value) for value in rest[:first])
    return Page(edges=edges, has_next_page=len(rest) > first, has_previous_page=start is not None, count=count)


@strawberry.type(description="Where a page stands in its list. Lists are read forward only.")
class PageInfo:
    """What a page tells of itself."""

    has_next_page: bool = strawberry.field(description="Whether more follows: pass `endCursor` as `after` to read it.")
    has_previous_page: bool = strawberry.field(description="Whether the page was read from a cursor, so that something came before it.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item. Null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item. Null on an empty page.")


@strawberry.type(description="An item of a list with its place.")
class Edge(Generic[Node]):
    """An item of a list with its place."""

    cursor: str = strawberry.field(description="The place after this item: what `after` takes.")
    node: Node = strawberry.field(description="The item.")


@strawberry.type(name="Connection", description="A page of a list that an external app keeps, in the app's order.")
class AppConnection(Generic[Node]):
    """A page of a list that an external app keeps; how long the list is, only the app could tell."""

    edges: list[Edge[Node]] = strawberry.field(description="The items of the page, each with its cursor.")
    nodes: list[Node] = strawberry.field(description="The items of the page.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")


@strawberry.type(description="A page of a list in a stable order: by creation unless the field says otherwise, and connectors by key.")
class Connection(AppConnection[Node]):
    """A page of a list that the gateway keeps."""

    @field("How many items the whole list has, on all pages.")
    async def total_count(self: Page[Any]) -> int:
        """The length of the whole list."""
        assert self.count is not None  # noqa: S101 - pages of what the gateway keeps can be counted.
        return await self.count()
