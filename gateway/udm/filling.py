"""Fills the gaps of what was read: apps know a full name or its parts, seldom both."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from gateway.expressions import Expression, ExpressionError
from gateway.models import JsonObject, JsonSchema, JsonValue
from gateway.udm.coercion import coercion

Filling = Callable[[JsonObject, Collection[str]], None]
"""Fills the gaps of an object in place, given the names of the fields that the app has a place for."""

_NOTHING: tuple[JsonValue, ...] = (None, "", [], {})
"""Many apps have an empty text where they have nothing."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What a field of a model is where an app has nothing for it."""

    path: tuple[str, ...]
    """The field, or a part of an object that is there."""
    value: Expression
    """From the other fields of the model, those that were filled before included."""
    is_substitute: bool = False
    """Whether it is used only where the app has no place for the field: of one that has, no assignee means that there is none."""


def filling(gaps: tuple[Gap, ...], schema: JsonSchema) -> Filling:
    """What fills the gaps of an object, in their order; a gap stays where nothing can be told."""
    fillings = [_filling(gap, schema) for gap in gaps]

    def fill(unified: JsonObject, mapped: Collection[str]) -> None:
        for each in fillings:
            each(unified, mapped)

    return fill


def _filling(gap: Gap, schema: JsonSchema) -> Filling:
    *way, name = gap.path
    for part in gap.path:
        schema = schema.get("properties", {}).get(part, {})
    coerce = coercion(schema)
    sources = [path[0] for path in gap.value.paths]

    def fill(unified: JsonObject, mapped: Collection[str]) -> None:
        target = _target(unified, way) if way else unified
        if target is None:
            return
        held = target.get(name)
        if (
            # Most fields are there and true: that is something, told at once.
            held or held not in _NOTHING or (gap.is_substitute and name in mapped) or not any(source in unified for source in sources)
        ):
            return
        try:
            value = coerce(gap.value.evaluate(unified))
        except ExpressionError:
            # It is of no use for these values; the gap stays.
            return
        if value not in _NOTHING:
            target[name] = value

    return fill


def _target(unified: JsonObject, way: list[str]) -> JsonObject | None:
    target = unified
    for part in way:
        below = target.get(part)
        if not isinstance(below, dict):
            return None
        target = below
    return target
