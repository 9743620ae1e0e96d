"""Values made to fit a JSON Schema: what apps send is seldom of the type that a model promises."""

import math
import re
from collections.abc import Callable, Container, Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.expressions import times
from gateway.models import JsonSchema, JsonValue

Coercion = Callable[[Any], JsonValue]
"""Gives a value of the wanted type, null where the value cannot be one."""

_NUMBER = re.compile(r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,3})?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
_EPOCH = re.compile(r"-?[0-9]{9,13}(\.[0-9]{1,9})?")
_FIRST_EPOCH_IN_MILLISECONDS = 1e11
"""As seconds this is the year 5138; as milliseconds it is 1973. Apps mean the latter."""
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class ListCoercion:
    """Makes lists: of one value a list of it."""

    def __init__(self, item: Coercion) -> None:
        self._item = item
        self.kind = LEFT_AS_THEY_ARE.get(item)
        """A list of items of this very type is given back as it is; null where no type tells that."""
        self._leaves_items = frozenset({self.kind}).issuperset

    def __call__(self, value: Any) -> JsonValue:
        """The list; null of nothing."""
        if value.__class__ is list and self._leaves_items(map(type, value)):
            left: JsonValue = value
            return left
        if value is None:
            return None
        items = value if isinstance(value, (list, tuple)) else (value,)
        kind, item = self.kind, self._item
        return [made for each in items if (made := each if each.__class__ is kind else item(each)) is not None]


def coercion(schema: JsonSchema) -> Coercion:
    """What makes values fit the schema: numbers from text, booleans from 0 and 1, times as RFC 3339 in UTC, one value as a list of it."""
    wanted = schema.get("type")
    if wanted == "string":
        return _text_coercion(schema)
    if wanted == "array":
        return ListCoercion(coercion(_mapping(schema.get("items"))))
    if wanted == "object" and _mapping(schema.get("properties")):
        return _object_coercion({name: coercion(_mapping(part)) for name, part in schema["properties"].items()})
    return _BY_TYPE.get(wanted, _as_it_is) if isinstance(wanted, str) else _as_it_is


def fitted(value: JsonValue, schema: JsonSchema) -> JsonValue:
    """The value as the schema wants it where that can be told, else as it is: whoever validates it says what is wrong."""
    wanted = schema.get("type")
    types = [kind for kind in (wanted if isinstance(wanted, list) else [wanted]) if isinstance(kind, str)]
    if value is None or not types or any(_IS.get(kind, _never)(value) for kind in types):
        return _with_fitted_parts(value, schema)
    for kind in types:
        made = None if kind == "null" else coercion({**schema, "type": kind})(value)
        if made is not None:
            return made
    return value


def text_of(value: JsonValue) -> str | None:
    """A text, number or boolean as text; null for anything else, and for what is no number that JSON can carry."""
    if isinstance(value, str):
        return value
    if value.__class__ is int:
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        # A float that is whole comes from an app that writes 5.0 for 5.
        return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else str(value)
    return None


def _with_fitted_parts(value: JsonValue, schema: JsonSchema) -> JsonValue:
    if isinstance(value, dict) and isinstance(properties := schema.get("properties"), dict):
        return {key: fitted(part, properties[key]) if isinstance(properties.get(key), dict) else part for key, part in value.items()}
    if isinstance(value, list) and isinstance(items := schema.get("items"), dict):
        return [fitted(item, items) for item in value]
    if isinstance(value, str) and schema.get("format") == "date":
        return _date(value) or value
    return value


def _text_coercion(schema: JsonSchema) -> Coercion:
    if schema.get("format") == "date-time":
        return _time
    if schema.get("format") == "date":
        return _date
    choices = {choice.lower(): choice for choice in _list(schema.get("enum")) if isinstance(choice, str)}
    if not choices:
        return text_of
    return lambda value: choices.get((text_of(value) or "").strip().lower())


def _mapping(value: Any) -> dict[str, Any]:
    """What ought to be a mapping in a schema, but schemas of apps hold anything."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object_coercion(parts: dict[str, Coercion]) -> Coercion:
    def coerce(value: Any) -> JsonValue:
        if not isinstance(value, dict):
            return None
        return {name: made for name, part in parts.items() if (made := part(value.get(name))) is not None}

    return coerce


def _time(value: Any) -> JsonValue:
    if value.__class__ is str and times.is_as_told(value):
        return value
    return times.to_text(_moment(value))


def _date(value: Any) -> JsonValue:
    if isinstance(value, str) and times.parse(value) is not None:
        # The day that the text names, whatever its zone: a birthday does not move with the zone.
        return datetime.fromisoformat(value.strip().upper()).date().isoformat()
    time = _moment(value)
    return time.date().isoformat() if time is not None else None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        text = value.strip()
        # A date has its first hyphen where a number since 1970 has a digit.
        is_epoch = text[4:5] != "-" and _EPOCH.fullmatch(text)
        return _of_epoch(float(text)) if is_epoch else times.parse(text)
    return _of_epoch(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _of_epoch(number: float) -> datetime | None:
    try:
        seconds = number / 1000 if abs(number) >= _FIRST_EPOCH_IN_MILLISECONDS else number
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _number(value: Any) -> JsonValue:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _integer(value: Any) -> JsonValue:
    number = _number(value)
    if isinstance(number, float):
        return int(number) if number.is_integer() else None
    return number


def _boolean(value: Any) -> JsonValue:
    return value if isinstance(value, bool) else _BOOLEANS.get((text_of(value) or "").strip().lower())


def _object(value: Any) -> JsonValue:
    return value if isinstance(value, dict) else None


def _as_it_is(value: Any) -> JsonValue:
    checked: JsonValue = value
    return checked


def _never(_: Any) -> bool:
    return False


LEFT_AS_THEY_ARE: Mapping[Coercion, type] = {text_of: str, _number: int, _integer: int, _boolean: bool, _object: dict}
"""By what makes values: values of which very type it gives back as they are, so that nobody needs to ask it."""
MADE_BY_TYPE: Mapping[Coercion, Mapping[type, Callable[[Any], JsonValue]]] = {text_of: {int: str}}
"""The same of values of which very type another function makes at once what it would."""
LEFT_IF_TOLD_SO: Mapping[Coercion, tuple[Container[str], Callable[[str], object]]] = {_time: (times.AS_TOLD, times.is_as_told)}
"""The same of texts only that are among some, or for which something holds."""
TEXTS: frozenset[Coercion] = frozenset({text_of, _time})
"""What makes texts, and leaves those as they are that it has made."""

_BY_TYPE: dict[str, Coercion] = {"number": _number, "integer": _integer, "boolean": _boolean, "object": _object}
_IS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}
