"""Fills the gaps of what was read: apps know a full name or its parts, seldom both."""

from collections.abc import Callable, Collection, Iterable, Iterator
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


def fillable(gaps: Iterable[Gap], *, mapped: Collection[str], told: Collection[str]) -> Iterator[Gap]:
    """The gaps that can come to be filled, in their order.

    `mapped` are the fields that the app has a place for, and `told` those that an object may have before any gap is filled.
    """
    known = set(told)
    for gap in gaps:
        is_in_place = len(gap.path) == 1 or gap.path[0] in known
        if is_in_place and not known.isdisjoint(gap.value.names) and not (gap.is_substitute and gap.path[-1] in mapped):
            known.add(gap.path[0])
            yield gap


def filling(gap: Gap, schema: JsonSchema) -> Filling:
    """What fills the gap in objects of the schema; it stays where nothing can be told."""
    *way, name = gap.path
    for part in gap.path:
        schema = schema.get("properties", {}).get(part, {})
    coerce, evaluate, sources = coercion(schema), gap.value.evaluate, gap.value.names

    def fill(unified: JsonObject) -> None:
        target = _target(unified, way) if way else unified
        if target is None:
            return
        held = target.get(name)
        if held or held not in _NOTHING or unified.keys().isdisjoint(sources):
            return
        try:
            value = coerce(evaluate(unified))
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
