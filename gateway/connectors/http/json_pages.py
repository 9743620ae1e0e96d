"""A page of records as JSON of which only some fields are read: all else is passed on as the app wrote it."""

from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import DecodeError, Raw, defstruct, field
from msgspec.json import Decoder

from gateway.connectors.http.json_bodies import may_hold_too_many_values
from gateway.models import JsonObject

__all__ = ["JsonPage", "PageShape", "attribute_of", "read_page"]

_NOT_IN_A_NAME = frozenset('"\\') | frozenset(map(chr, range(0x20))) | frozenset(map(chr, range(0xD800, 0xE000)))
# The library looks for names as they are; of Unicode's own the last could not be looked for.
_WITHIN = "within"
_KEPT_SHAPES = 1_000


class PageShape(NamedTuple):
    """What is read of a page."""

    items: tuple[str, ...]
    """Where its list of items stands: the keys that lead there; none where the list is all there is."""
    keys: frozenset[str]
    """The fields of the items."""
    beside: frozenset[str] = frozenset()
    """Members of the outermost object beside that in which the list is."""

    @property
    def is_possible(self) -> bool:
        """Whether a page can be read so."""
        names = {*self.items, *self.keys, *self.beside}
        has_place_beside = not self.beside or (self.items and self.items[0] not in self.beside)
        return bool(has_place_beside) and all(_NOT_IN_A_NAME.isdisjoint(name) for name in names)


class JsonPage(NamedTuple):
    """A page as far as it was read."""

    beside: JsonObject
    """The members of the outermost object that were asked for; null where there are none of them."""
    items: list[Any]
    """Each item with the fields that were asked for, as attributes by `attribute_of`; null where it has none of them."""
    texts: list[Raw]
    """Each item as the app wrote it: a JSON object in UTF-8. Of several members of one name the last one counts."""

    def part(self, start: int, end: int) -> "JsonPage":
        """The page with the items from one place up to another."""
        return self if start == 0 and end >= len(self.items) else JsonPage(self.beside, self.items[start:end], self.texts[start:end])


def attribute_of(key: str) -> str:
    """The attribute in which an item has a field."""
    return f"k{key.encode().hex()}"


def read_page(body: bytes, shape: PageShape) -> JsonPage | None:
    """The page; null where only a reading of all of it can tell whether it is one, and what is amiss with it.

    What is passed on is valid JSON, but for this: its numbers may be larger than a double.
    """
    if may_hold_too_many_values(body) or not _is_unicode(body):
        return None
    texts_of, items_of = _decoder(shape, list[Raw]), _items_decoder(shape)
    try:
        outer, inner = texts_of.decode(body), items_of.decode(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    beside = {key: getattr(outer, attribute_of(key)) for key in shape.beside}
    return JsonPage(beside, _within(inner, shape), _within(outer, shape))


def _is_unicode(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=_KEPT_SHAPES)
def _items_decoder(shape: PageShape) -> Decoder[Any]:
    item: Any = _object("Item", shape.keys)
    return _decoder(shape._replace(beside=frozenset()), list[item])


@lru_cache(maxsize=_KEPT_SHAPES)
def _decoder(shape: PageShape, kind: Any) -> Decoder[Any]:
    for depth, key in reversed(list(enumerate(shape.items))):
        kind = _object("Body", shape.beside if depth == 0 else frozenset(), (_WITHIN, kind, field(name=key)))
    return Decoder(kind)


def _object(name: str, keys: frozenset[str], *members: Any) -> type:
    """What has the values of keys as attributes, none of which an app needs to send, beside members that it must."""
    read = ((attribute_of(key), Any, field(default=None, name=key)) for key in keys)
    # What an app sends holds no circles, for which the search for garbage would look at each of them.
    return defstruct(name, [*members, *read], gc=False)


def _within(page: Any, shape: PageShape) -> list[Any]:
    for _ in shape.items:
        page = getattr(page, _WITHIN)
    found: list[Any] = page
    return found
