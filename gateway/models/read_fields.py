"""Fields of records of which only some were read."""

from typing import Any, ClassVar

from msgspec import Struct

from gateway.models.json import JsonObject

__all__ = ["ReadFields", "attribute_of", "object_of"]

_START = "k"


class ReadFields(Struct, gc=False):
    """The fields of a record that were read, each as an attribute that `attribute_of` names; null where the app sent none.

    Each set of them has a class of its own below this one. What an app sends holds no circles, so the search for garbage need not see it.
    """

    types: ClassVar[frozenset[tuple[str, Any]]] = frozenset()
    """What fields are in all of its objects, where they are not null: their keys, each with `str` or `list[str]`."""


def attribute_of(key: str) -> str:
    """The attribute in which a field stands."""
    return _START + key.encode().hex()


def object_of(fields: ReadFields) -> JsonObject:
    """The fields by their keys."""
    return {bytes.fromhex(name.removeprefix(_START)).decode(): getattr(fields, name) for name in fields.__struct_fields__}
