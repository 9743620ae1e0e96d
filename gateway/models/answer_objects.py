"""Objects of answers, of which a page has hundreds: made of values by their places, and only written."""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from msgspec import Struct, defstruct, field

from gateway.models.json import JsonObject

__all__ = ["AnswerObject", "answer_class", "members_of", "values_of"]


class AnswerObject(Struct, gc=False):
    """An object of an answer, which takes a third of a dictionary's memory.

    Each sequence of names has a class of its own below this one. What is answered holds no circles, so the search for garbage need not
    see it.
    """

    attributes: ClassVar[Mapping[str, str]] = {}
    """The attribute in which each member stands, by the member's name. Clients choose the names, and could choose `__class__`; and Python
    never forgets what an attribute was called."""


_known: "WeakValueDictionary[tuple[str, ...], type[AnswerObject]]" = WeakValueDictionary()
"""Documents ask for the same again and again; a class goes with the last of them."""


def answer_class(names: Iterable[str]) -> type[AnswerObject]:
    """The class whose objects are made of the values for these names, in this order, and written with them."""
    names = tuple(names)
    known = _known.get(names)
    if known is not None:
        return known
    attributes = {name: f"member_{place}" for place, name in enumerate(names)}
    members = [(attribute, Any, field(name=name)) for name, attribute in attributes.items()]
    namespace = {"attributes": attributes}
    made: Any = defstruct(AnswerObject.__name__, members, bases=(AnswerObject,), namespace=namespace, gc=False)
    return _known.setdefault(names, made)


def values_of(answered: list[Any], name: str) -> list[Any]:
    """What objects of an answer, these or dictionaries, have for a name, in any order; nothing of those without it."""
    found: list[Any] = []
    kinds: set[Any] = set(map(type, answered))
    for kind in kinds:
        alike = answered if len(kinds) == 1 else [each for each in answered if type(each) is kind]
        if kind is dict:
            found += [each[name] for each in alike if name in each]
        elif issubclass(kind, AnswerObject) and name in kind.attributes:
            found += map(attrgetter(kind.attributes[name]), alike)
    return found


def members_of(answered: AnswerObject) -> JsonObject:
    """The values by their names."""
    return {name: getattr(answered, attribute) for name, attribute in answered.attributes.items()}
