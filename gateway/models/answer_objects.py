"""Objects of answers, of which a page has hundreds: made of values by their places, and only written."""

from collections.abc import Iterable
from operator import attrgetter
from sys import intern
from typing import Any
from weakref import WeakValueDictionary

from msgspec import Struct, defstruct, field

from gateway.models.json import JsonObject

__all__ = ["AnswerObject", "answer_class", "attribute_of", "members_of", "values_of"]

_START = "f_"


class AnswerObject(Struct, gc=False):
    """An object of an answer, with an attribute for each member, which `attribute_of` names. It takes a third of a dictionary's memory.

    Each sequence of names has a class of its own below this one. What is answered holds no circles, so the search for garbage need not
    see it.
    """


_known: "WeakValueDictionary[tuple[str, ...], type[AnswerObject]]" = WeakValueDictionary()
"""Documents ask for the same again and again; a class goes with the last of them."""


def answer_class(names: Iterable[str]) -> type[AnswerObject]:
    """The class whose objects are made of the values for these names, in this order, and written with them."""
    names = tuple(names)
    known = _known.get(names)
    if known is not None:
        return known
    members = [(attribute_of(name), Any, field(name=name)) for name in names]
    made: Any = defstruct(AnswerObject.__name__, members, bases=(AnswerObject,), gc=False)
    return _known.setdefault(names, made)


def attribute_of(name: str) -> str:
    """The attribute in which the member of that name stands: clients choose the names, and could else choose `__class__`.

    A name may be long, and be in many classes: all have it of one string.
    """
    return intern(_START + name)


def values_of(answered: list[Any], name: str) -> list[Any]:
    """What objects of an answer, these or dictionaries, have for a name, in any order; nothing of those without it."""
    found: list[Any] = []
    kinds: set[Any] = set(map(type, answered))
    for kind in kinds:
        alike = answered if len(kinds) == 1 else [each for each in answered if type(each) is kind]
        if kind is dict:
            found += [each[name] for each in alike if name in each]
        elif hasattr(kind, attribute := attribute_of(name)):
            found += map(attrgetter(attribute), alike)
    return found


def members_of(answered: AnswerObject) -> JsonObject:
    """The values by their names."""
    return {attribute.removeprefix(_START): getattr(answered, attribute) for attribute in answered.__struct_fields__}
