"""What every text, key, JSON value and interval that a caller sends must satisfy before it is stored."""

import json
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import orjson

from gateway.errors import ConflictError, InvalidError
from gateway.models import ChangeType, JsonObject

MAXIMUM_TEXT = 255
MAXIMUM_JSON_BYTES = 65_536
MAXIMUM_JSON_DEPTH = 64
MAXIMUM_RECORD_BYTES = 10 * 1024 * 1024
MAXIMUM_RECORD_DEPTH = 100
MAXIMUM_INTERVAL_SECONDS = 31_536_000
_NO_NAME = object()
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
# PostgreSQL stores no NUL character, and a lone surrogate cannot be written as UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UNSTORABLE_TEXT = "a NUL character or half of a surrogate pair"
_UNSENDABLE = re.compile("[\ud800-\udfff]")
# Beyond these what is stored comes back inexact, as a floating-point number.
_STORABLE_INTEGERS = range(-(2**63), 2**64)
# What is sent is exact as far as requests to this gateway are read: beyond, no floating-point number comes near.
_SENDABLE_INTEGERS = range(1 - 10**308, 10**308)


def key(value: str, *, field: Sequence[str]) -> str:
    """The key as given. Raises InvalidError unless it is a name of letters, digits, `-` and `_` that starts with a letter."""
    if not _KEY.fullmatch(value):
        raise InvalidError(f"Key {value[:100]!r} must start with a letter and hold at most 100 letters, digits, '-' and '_'.", field=field)
    return value


def text(value: str, *, field: Sequence[str], maximum: int = MAXIMUM_TEXT) -> str:
    """The text as given. Raises InvalidError when it is blank, too long, or holds what no database stores."""
    if not value.strip():
        raise InvalidError("The text must not be blank.", field=field)
    if len(value) > maximum:
        raise InvalidError(f"The text has {len(value)} characters; at most {maximum} are stored.", field=field)
    if _UNSTORABLE.search(value):
        raise InvalidError(f"The text holds {_UNSTORABLE_TEXT}.", field=field)
    return value


def optional_text(value: str | None, *, field: Sequence[str]) -> str | None:
    """The same for a text that may be null."""
    return None if value is None else text(value, field=field)


def search(value: str | None) -> str | None:
    """The text to look for, null for none. Raises InvalidError when it is longer than any text that is looked through."""
    if value and len(value) > MAXIMUM_TEXT:
        raise InvalidError(f"The search has {len(value)} characters; no text that is searched has more than {MAXIMUM_TEXT}.")
    return value or None


def json_object(value: object, *, field: Sequence[str] | None) -> JsonObject:
    """The object as given; null is the empty one. Raises InvalidError when it is no object, too large or cannot be stored."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidError("The value must be a JSON object.", field=field)
    problem = _problem(value, _STORABLE)
    if problem is not None:
        raise InvalidError(f"The object holds {problem}.", field=field)
    size = len(orjson.dumps(value))
    if size > MAXIMUM_JSON_BYTES:
        raise InvalidError(f"The object takes {size} bytes of JSON; at most {MAXIMUM_JSON_BYTES} are stored.", field=field)
    return value


def record_object(value: object, *, field: Sequence[str], maximum: int = MAXIMUM_RECORD_BYTES) -> JsonObject:
    """The object as given, of what can be sent to an app and stored nowhere here. Raises InvalidError for anything else."""
    if not isinstance(value, dict):
        raise InvalidError("The value must be a JSON object of fields by name.", field=field)
    problem = _problem(value, _SENDABLE)
    if problem is not None:
        raise InvalidError(f"The object holds {problem}.", field=field)
    size = _size(value)
    if size > maximum:
        raise InvalidError(f"The object takes {size} bytes of JSON; at most {maximum} are sent.", field=field)
    return value


def interval(value: int | None, *, minimum: int, field: Sequence[str]) -> int | None:
    """The seconds as given; null inherits. Raises InvalidError outside of what the gateway allows."""
    if value is not None and not minimum <= value <= MAXIMUM_INTERVAL_SECONDS:
        raise InvalidError(f"The interval of {value} seconds must lie between {minimum} and {MAXIMUM_INTERVAL_SECONDS}.", field=field)
    return value


def change_types(types: Collection[ChangeType] | None, *, field: Sequence[str]) -> frozenset[ChangeType]:
    """The types as given, all where none were. Raises InvalidError for an empty list."""
    if types is None:
        return frozenset(ChangeType)
    if not types:
        raise InvalidError("The list of types is empty. Name one, or leave it out for all.", field=field)
    return frozenset(types)


def revision(stored: int, *, expected: str | None) -> None:
    """Returns when the row is still the one that the caller read, or when the caller does not mind. Raises ConflictError."""
    if expected is not None and expected != str(stored):
        raise ConflictError(
            f"It has changed: its revision is {stored}, not {expected[:40]!r}. Read it again.", field=["input", "ifRevision"]
        )


@dataclass(frozen=True, kw_only=True)
class _Carrier:
    """What JSON may hold where it goes."""

    maximum_depth: int
    excluded: re.Pattern[str]
    excluded_text: str
    integers: range
    excluded_integer: str


_STORABLE = _Carrier(
    maximum_depth=MAXIMUM_JSON_DEPTH,
    excluded=_UNSTORABLE,
    excluded_text=_UNSTORABLE_TEXT,
    integers=_STORABLE_INTEGERS,
    excluded_integer="an integer beyond 64 bits",
)
_SENDABLE = _Carrier(
    maximum_depth=MAXIMUM_RECORD_DEPTH,
    excluded=_UNSENDABLE,
    excluded_text="half of a surrogate pair",
    integers=_SENDABLE_INTEGERS,
    excluded_integer="an integer of more than 308 digits",
)


def _problem(value: JsonObject, carrier: _Carrier) -> str | None:
    """What keeps an object from being kept and shown exactly wherever it goes; null when nothing does."""
    level: list[object] = [value]
    for _ in range(carrier.maximum_depth):
        below: list[object] = []
        for part in level:
            if isinstance(part, str):
                if carrier.excluded.search(part):
                    return f"a text with {carrier.excluded_text}"
            elif isinstance(part, dict):
                # A name that is no text is refused like any other such value: as a child it would pass for a number.
                for name in part:
                    below.append(name if isinstance(name, str) else _NO_NAME)
                below += part.values()
            elif isinstance(part, list):
                below += part
            elif (problem := _problem_of_value(part, carrier)) is not None:
                return problem
        if not below:
            return None
        level = below
    return f"more than {carrier.maximum_depth} levels"


def _problem_of_value(part: object, carrier: _Carrier) -> str | None:
    if part is None or isinstance(part, bool):
        return None
    if isinstance(part, int):
        return None if part in carrier.integers else carrier.excluded_integer
    if isinstance(part, float):
        return None if math.isfinite(part) else "a number that is not finite"
    return "a value that JSON cannot carry"


def _size(value: JsonObject) -> int:
    try:
        return len(orjson.dumps(value))
    except TypeError:
        # An integer beyond 64 bits, which only the standard library writes.
        return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
