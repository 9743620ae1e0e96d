"""Pages of which nobody reads more than a few fields of their items."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from gateway.connectors.http import JsonPage, PageShape

Item = TypeVar("Item")


class Unread(NamedTuple, Generic[Item]):
    """How items are made of which nobody reads more than a shape says, nor of the answer around them."""

    shape: PageShape
    make: Callable[[JsonPage], list[Item] | None]
    """Makes something of each item; null where any of them takes a reading of all of it."""
