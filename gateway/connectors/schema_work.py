"""Bounds the work of schemas that refer to their own parts.

By references a schema of a few lines can ask for more work than any process will ever do: each part refers twice to the next,
or twice to the whole. What has no references asks for no more work than it is long.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from gateway.models import JsonSchema

MAX_WORK = 10_000
"""How many parts of a schema may apply on the way from the outermost value to any one within it."""

_MAX_LEVELS = 100
_MAX_STEPS = 150_000
_OTHER_REFERENCES = ("$dynamicRef", "$recursiveRef")
_MAPPINGS = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})


class TooMuchWorkError(ValueError):
    """A schema whose references lead to more work than is done, or cannot be followed to tell."""


def require_bounded_work(schema: JsonSchema) -> None:
    """Raises TooMuchWorkError for a schema that takes too much work to hold a value against."""
    work = _Work(schema)
    try:
        for _ in range(_MAX_LEVELS):
            if not work.grows_with_next_level():
                return
    except RecursionError:
        raise TooMuchWorkError("its references lead on too far") from None


@dataclass(frozen=True, slots=True)
class _Amount:
    """The work on an object and on a list: no value is both, and what is said of one costs nothing with the other."""

    on_object: int = 1
    on_list: int = 1

    @property
    def most(self) -> int:
        return max(self.on_object, self.on_list)


_LEAST = _Amount()


class _Work:
    """The work of each part, for values that nest one level deeper each time."""

    def __init__(self, root: JsonSchema) -> None:
        self._root = root
        self._parts: dict[int, JsonSchema] = {id(root): root}
        self._known: dict[int, _Amount] = {}
        self._known_within: dict[int, _Amount] = {}
        self._on_the_way: set[int] = set()
        self._steps = 0

    def grows_with_next_level(self) -> bool:
        """Whether values that nest one level deeper than before are more work."""
        self._known_within, self._known = self._known, {}
        rest = list(self._parts.values())
        while rest:
            for part in rest:
                self._of(part)
            rest = [part for key, part in self._parts.items() if key not in self._known]
        return self._known != self._known_within

    def _of(self, part: Any) -> _Amount:
        if not isinstance(part, dict):
            return _LEAST
        key = id(part)
        if key in self._known:
            return self._known[key]
        if key in self._on_the_way:
            raise TooMuchWorkError("a part of it refers to itself at the same place, which never ends")
        self._on_the_way.add(key)
        others = [self._of(other) for other in _applied_as_well(part, self._root)]
        self._on_the_way.remove(key)
        amount = _Amount(
            on_object=1 + self._of_members(part) + sum(other.on_object for other in others),
            on_list=1 + self._of_items(part) + sum(other.on_list for other in others),
        )
        self._steps += 1
        if amount.most > MAX_WORK or self._steps > _MAX_STEPS:
            raise TooMuchWorkError("its references lead on in too many ways")
        self._known[key] = amount
        return amount

    def _of_members(self, part: JsonSchema) -> int:
        """A member has one name; patterns may fit it as well."""
        named = max(self._within(part, "properties", "additionalProperties", "unevaluatedProperties"), default=0)
        return named + sum(self._within(part, "patternProperties", "propertyNames"))

    def _of_items(self, part: JsonSchema) -> int:
        placed = max(self._within(part, "prefixItems", "items", "additionalItems", "unevaluatedItems"), default=0)
        return placed + sum(self._within(part, "contains"))

    def _within(self, part: JsonSchema, *keys: str) -> Iterator[int]:
        for inner in _parts(part, *keys):
            if isinstance(inner, dict):
                self._parts[id(inner)] = inner
            yield self._known_within.get(id(inner), _LEAST).most


def _applied_as_well(part: JsonSchema, root: JsonSchema) -> Iterator[Any]:
    """The parts that a value is held against as well where it is held against this one."""
    yield from _parts(part, "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")
    if any(name in part for name in _OTHER_REFERENCES) or ("$id" in part and part is not root and isinstance(part["$id"], str)):
        raise TooMuchWorkError("it refers to its parts in another way than by `$ref` to '#/...'")
    reference = part.get("$ref")
    if isinstance(reference, str):
        yield _referred(reference, root)


def _parts(part: JsonSchema, *keys: str) -> Iterator[Any]:
    for key in keys:
        value = part.get(key)
        if isinstance(value, list):
            yield from value
        elif isinstance(value, dict) and key in _MAPPINGS:
            yield from value.values()
        elif value is not None:
            yield value


def _referred(reference: str, root: JsonSchema) -> Any:
    if reference != "#" and not reference.startswith("#/"):
        raise TooMuchWorkError(f"it refers to {reference[:100]!r}; only its own parts can be referred to, as '#/...'")
    found: Any = root
    for step in unquote(reference[1:]).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise TooMuchWorkError(f"it refers to {reference[:100]!r}, which it does not hold")
    return found
