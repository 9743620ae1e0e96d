"""What a field of a model is compared with, as what the app's field is compared with."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import time

from gateway.errors import InvalidError, UnsupportedError
from gateway.expressions import times
from gateway.models import Condition, FilterOperator, JsonSchema, JsonValue
from gateway.udm.coercion import coercion

EQUALITY = (FilterOperator.EQ, FilterOperator.NE, FilterOperator.IN)
_OF_TEXT = (FilterOperator.CONTAINS, FilterOperator.STARTS_WITH)
_NUMBERS = ("number", "integer")
_AFTER_A_DAY_BEGAN = {FilterOperator.LT: FilterOperator.LTE, FilterOperator.GTE: FilterOperator.GT}
"""A day begins before any later time of it, so what is before 10 o'clock begins on that day or an earlier one."""


def checked(condition: Condition, schema: JsonSchema) -> Condition:
    """The condition with values of the type that the model's field has. Raises InvalidError for a value that is none."""
    what = _what(schema)
    if what is None or condition.operator in _OF_TEXT:
        return condition
    make = coercion(schema)

    def made(value: JsonValue) -> JsonValue:
        found = make(value)
        if found is None and value is not None:
            raise InvalidError(f"{condition.field} is compared with {str(value)[:100]!r}, which is no {what}.", field=[condition.field])
        # A day alone stays one: what the app writes of a time is not known.
        return value if what == "time" and isinstance(value, str) and _is_day(value) else found

    given = condition.value
    return replace(condition, value=[made(item) for item in given] if isinstance(given, list) else made(given))


def in_order(condition: Condition, *, schema: JsonSchema, native: JsonSchema) -> Condition:
    """The condition, with the operator that means the same of the app's values.

    Raises UnsupportedError where their order is not that of the model's values, or days are compared with other times.
    """
    if condition.operator not in (*EQUALITY, *_OF_TEXT) and schema.get("type") in _NUMBERS and _is_text(native):
        raise _refused(condition, "is a text in this app, and texts have another order than numbers: compare it by EQ, NE or IN.")
    if native.get("format") != "date" or schema.get("format") != "date-time" or _begin_days(condition.value):
        return condition
    if condition.operator in (*EQUALITY, *_OF_TEXT):
        raise _refused(condition, "is a day in this app: compare it with one, such as 2026-11-21.")
    return replace(condition, operator=_AFTER_A_DAY_BEGAN.get(condition.operator, condition.operator))


def _what(schema: JsonSchema) -> str | None:
    """What values of a field are called; null where any text or JSON is one."""
    if isinstance(choices := schema.get("enum"), list):
        return f"choice: there are {', '.join(map(str, choices))}"
    kind, form = schema.get("type"), schema.get("format")
    if kind == "string":
        return {"date-time": "time", "date": "date"}.get(str(form))
    return {"number": "number", "integer": "whole number", "boolean": "boolean"}.get(str(kind))


def _is_text(schema: JsonSchema) -> bool:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return "string" in kinds and not any(number in kinds for number in _NUMBERS)


def _is_day(text: str) -> bool:
    return ":" not in text and times.parse(text) is not None


def _begin_days(value: JsonValue) -> bool:
    values: Sequence[JsonValue] = value if isinstance(value, list) else [value]
    found = (times.parse(each) for each in values if isinstance(each, str))
    return all(moment is None or moment.time() == time() for moment in found)


def _refused(condition: Condition, message: str) -> UnsupportedError:
    return UnsupportedError(f"{condition.field} {message}", field=[condition.field])
