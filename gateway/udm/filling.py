"""Fills the gaps of what was read: apps know a full name or its parts, seldom both."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gateway.expressions import Expression, ExpressionError
from gateway.models import JsonObject, JsonSchema
from gateway.udm.coercion import coercion

Filling = Callable[[JsonObject], None]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What a field of a model is where an app has nothing for it."""

    path: tuple[str, ...]
    """The field, or a part of an object that is there."""
    value: Expression
    """From the other fields of the model, those that were filled before included."""


def filling(gaps: tuple[Gap, ...], schema: JsonSchema) -> Filling:
    """What fills the gaps of an object in place, in their order; a gap stays where nothing can be told."""
    fillings = [_filling(gap, schema) for gap in gaps]

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
        target = unified
        for part in way:
            below = target.get(part)
            if not isinstance(below, dict):
                return
            target = below
        if name in target or not any(source in unified for source in sources):
            return
        try:
            value = coerce(gap.value.evaluate(unified))
        except ExpressionError:
            return
        if value not in (None, "", [], {}):
            target[name] = value

    return fill


def read_gaps(notation: Mapping[str, str]) -> Iterator[Gap]:
    """The gaps of a model's file: expressions by field. Raises ExpressionError."""
    for path, source in notation.items():
        yield Gap(path=tuple(path.split(".")), value=Expression.compile(source))
