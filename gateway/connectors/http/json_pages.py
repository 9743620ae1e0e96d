"""A page of records as JSON of which only some fields are read: all else is passed on as the app wrote it."""

from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import DecodeError, Raw, ValidationError, defstruct, field
from msgspec.json import Decoder
from msgspec.structs import astuple

from gateway.connectors.http.json_bodies import count_values, may_hold_too_many_values
from gateway.errors import UpstreamResponseError
from gateway.models import JsonObject
from gateway.models.read_fields import ReadFields, attribute_of

__all__ = ["JsonPage", "PageShape", "read_page"]

_NOT_IN_A_NAME = frozenset('"\\') | frozenset(map(chr, range(0x20))) | frozenset(map(chr, range(0xD800, 0xE000)))
# The library looks for names as they are; of Unicode's own the last could not be looked for.
_WITHIN = "within"
_KEPT_SHAPES = 1_000
_FLAT = str | int | float | bool | None
_INNER = _FLAT | list[_FLAT] | dict[str, _FLAT]
_SHALLOW = _FLAT | list[_INNER] | dict[str, _INNER]
"""Values as most are. Of what is read as such nobody needs to count how deeply it nests."""


class PageShape(NamedTuple):
    """What is read of a page."""

    items: tuple[str, ...]
    """Where its list of items stands: the keys that lead there; none where the list is all there is."""
    keys: frozenset[str]
    """The fields of the items."""
    beside: frozenset[str] = frozenset()
    """Members of the outermost object beside that in which the list is."""
    has_texts: bool = True
    """Whether items are wanted as the app wrote them, too."""
    types: frozenset[tuple[str, Any]] = frozenset()
    """What fields of the items are likely to be, where they are not null: their keys, each with `str` or `list[str]`."""

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
    items: list[ReadFields]
    """The fields of each item that were asked for."""
    texts: list[Raw]
    """Each item as the app wrote it, where that was asked for: a JSON object in UTF-8. Of members of one name the last one counts."""

    def part(self, start: int, end: int) -> "JsonPage":
        """The page with the items from one place up to another."""
        is_all = start == 0 and end >= len(self.items)
        return self if is_all else self._replace(items=self.items[start:end], texts=self.texts[start:end])


def read_page(body: bytes, shape: PageShape) -> JsonPage | None:
    """The page; null where only a reading of all of it can tell whether it is one, and what is amiss with it.

    What is passed on is valid JSON, but for this: its numbers may be larger than a double.
    """
    if may_hold_too_many_values(body) or not _is_unicode(body):
        return None
    try:
        return _likely(body, shape) or _shallow(body, shape) or _deep(body, shape)
    except (DecodeError, UnicodeDecodeError, RecursionError, UpstreamResponseError):
        return None


def _likely(body: bytes, shape: PageShape) -> JsonPage | None:
    """The page where its fields are what they are likely to be: who reads these need not look at each."""
    return _valid_page_of(body, shape, _likely_decoder(shape)) if shape.types else None


def _shallow(body: bytes, shape: PageShape) -> JsonPage | None:
    """The page where none of its values nests deeply."""
    return _valid_page_of(body, shape, _shallow_decoder(shape))


def _valid_page_of(body: bytes, shape: PageShape, decoder: Decoder[Any]) -> JsonPage | None:
    try:
        return _page_of(body, shape, decoder)
    except ValidationError:
        return None


def _deep(body: bytes, shape: PageShape) -> JsonPage:
    page = _page_of(body, shape, _deep_decoder(shape))
    count_values([page.beside, *map(astuple, page.items)])
    return page


def _page_of(body: bytes, shape: PageShape, decoder: Decoder[Any]) -> JsonPage:
    read = decoder.decode(body)
    texts = _within(_texts_decoder(shape).decode(body), shape) if shape.has_texts else []
    return JsonPage({key: getattr(read, attribute_of(key)) for key in shape.beside}, _within(read, shape), texts)


def _is_unicode(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=_KEPT_SHAPES)
def _likely_decoder(shape: PageShape) -> Decoder[Any]:
    return _decoder(shape, _SHALLOW, types=shape.types)


@lru_cache(maxsize=_KEPT_SHAPES)
def _shallow_decoder(shape: PageShape) -> Decoder[Any]:
    return _decoder(shape, _SHALLOW)


@lru_cache(maxsize=_KEPT_SHAPES)
def _deep_decoder(shape: PageShape) -> Decoder[Any]:
    return _decoder(shape, Any)


@lru_cache(maxsize=_KEPT_SHAPES)
def _texts_decoder(shape: PageShape) -> Decoder[Any]:
    return Decoder(_page(shape.items, Raw))


def _decoder(shape: PageShape, values: Any, *, types: frozenset[tuple[str, Any]] = frozenset()) -> Decoder[Any]:
    item = _object("Item", shape.keys, values, types=types)
    return Decoder(_page(shape.items, item, beside=shape.beside, values=values))


def _page(way: tuple[str, ...], item: Any, *, beside: frozenset[str] = frozenset(), values: Any = Any) -> Any:
    """The type of a body in which the way leads to a list of such items."""
    page: Any = list[item]
    for depth, key in reversed(list(enumerate(way))):
        page = _object("Body", beside if depth == 0 else frozenset(), values, (_WITHIN, page, field(name=key)))
    return page


def _object(name: str, keys: frozenset[str], values: Any, *members: Any, types: frozenset[tuple[str, Any]] = frozenset()) -> type:
    """What has the values of keys as attributes, none of which an app needs to send, beside members that it must."""
    likely = dict(types)
    told = ((attribute_of(key), likely[key] | None if key in likely else values, field(default=None, name=key)) for key in keys)
    return defstruct(name, [*members, *told], bases=(ReadFields,), namespace={"types": types}, gc=False)


def _within(page: Any, shape: PageShape) -> list[Any]:
    for _ in shape.items:
        page = getattr(page, _WITHIN)
    found: list[Any] = page
    return found
