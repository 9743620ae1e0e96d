"""Fills the gaps of what was read: apps know a full name or its parts, seldom both."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from gateway.expressions import Expression, ExpressionError
from gateway.models import JsonObject, JsonSchema, JsonValue
from gateway.udm.coercion import coercion

Filling = Callable[[JsonObject], None]
"""Fills the gaps of an object in place."""

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


def filling(gaps: Iterable[Gap], schema: JsonSchema, *, mapped: Collection[str]) -> Filling:
    """What fills the gaps of an object, in their order; a gap stays where nothing can be told.

    `mapped` are the fields that the app has a place for.
    """
    fillings = [_filling(gap, schema) for gap in gaps if not (gap.is_substitute and gap.path[-1] in mapped)]

    def fill(unified: JsonObject) -> None:
        for each in fillings:
            each(unified)

    return fill


def _filling(gap: Gap, schema: JsonSchema) -> Filling:
    *way, name = gap.path
    for part in gap.path:
        schema = schema.get("properties", {}).get(part, {})
    coerce = coercion(schema)
    sources = [path[0] for path in gap.value.paths]

    def fill(unified: JsonObject) -> None:
        target = _target(unified, way) if way else unified
        if target is None:
            return
        held = target.get(name)
        # Most fields are there and true: that is something, told at once.
        if held or held not in _NOTHING or unified.keys().isdisjoint(sources):
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
