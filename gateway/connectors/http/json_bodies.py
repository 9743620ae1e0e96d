"""JSON as apps write it, read so that nothing is lost and nothing breaks later."""

import json
import math
import re
from collections.abc import Iterator
from functools import partial
from gc import get_referents
from itertools import islice
from typing import Any

import orjson

from gateway.errors import UpstreamResponseError
from gateway.models.json import JsonValue

MAX_DEPTH = 200
"""The deepest nesting that is read; orjson writes no more than 254 levels, of which the GraphQL answer around it takes some."""

MAX_VALUES = 2_000_000
"""How many values are read. A value of three bytes takes up to two hundred in memory: 32 MB of them would fill a gigabyte."""

_LONG_NUMBER = b"0" * 19
_STEP = 4
_PERHAPS_LONG = b"0" * (len(_LONG_NUMBER) // _STEP)
# As many digits in a row are seen in a long number by who looks at each fourth sign only. In dates and times there are fewer.
_DIGITS = bytes(ord("0") if chr(byte).isdecimal() else ord(" ") for byte in range(256))
# Other signs than digits become one sign, of which long numbers have none: the search skips them nineteen at a time.
_OF_64_BITS = 2**63
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def decode_json(body: bytes) -> JsonValue:
    """The value of a JSON body. Integers of up to 4,300 digits are exact.

    Where JSON is not quite kept to, the page stays readable: NaN, infinities, longer integers and other numbers beyond a double
    become null, broken UTF-8 and lone surrogates become U+FFFD, a byte order mark is skipped.
    Raises UpstreamResponseError for what is no JSON at all, for nesting deeper than MAX_DEPTH, and for more than MAX_VALUES.
    """
    return counted_json(body)[0]


def counted_json(body: bytes) -> tuple[JsonValue, int]:
    """The same, and how many values it is made of."""
    if may_hold_too_many_values(body):
        raise UpstreamResponseError(f"The app's answer holds more than the {MAX_VALUES} values that the gateway reads.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _decode_tolerantly(body)
    count = count_values(value)
    # orjson turns integers of 65 bits and more into floats.
    if shows_long_number(body) and _holds_rounded(value):
        return _decode_tolerantly(body)
    return value, count


def may_hold_too_many_values(body: bytes) -> bool:
    """Whether there may be more than MAX_VALUES: those that only seem to be some, within texts, count too."""
    # Each value but the outermost follows one of these.
    return len(body) > MAX_VALUES and sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES


def shows_long_number(body: bytes) -> bool:
    """Whether there are so many digits in a row, be it in a text: a cheap look for what most bodies have none of, then a sure one."""
    return _PERHAPS_LONG in body[::_STEP].translate(_DIGITS) and _LONG_NUMBER in body.translate(_DIGITS)


def _decode_tolerantly(body: bytes) -> tuple[JsonValue, int]:
    text = body.decode(json.detect_encoding(body), errors="replace")
    try:
        value = _loaded(text)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise _not_json(text) from None
    count = count_values(value)
    return _without_surrogates(value) if _SURROGATE_ESCAPE.search(text) else value, count


def _loaded(text: str) -> JsonValue:
    read = partial(json.loads, text, parse_constant=_null, parse_float=_finite)
    try:
        return read()
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python reads no integer of more digits, as that takes the square of their number.
        return read(parse_int=_readable)


def _levels(value: Any) -> Iterator[list[Any]]:
    """The value, what it holds, what that holds, and so on; level by level, so that no depth exhausts the stack."""
    level: list[Any] = [value]
    while level:
        yield level
        # What arrays and objects hold, for the garbage collector and thereby for us: nothing else tells it without a step for each.
        level = get_referents(*level)


def count_values(value: Any) -> int:
    """How many values it is made of, itself included. Raises UpstreamResponseError where they nest too deeply."""
    levels = _levels(value)
    count = sum(map(len, islice(levels, MAX_DEPTH)))
    deepest = next(levels, [])
    if any(isinstance(item, list | dict) for item in deepest):
        raise _too_deep()
    return count + len(deepest)


def _holds_rounded(value: JsonValue) -> bool:
    """Whether there are floats that may have been written as integers of more than 64 bits."""
    return any(type(item) is float and abs(item) >= _OF_64_BITS for level in _levels(value) for item in level)


def _null(constant: str) -> None:
    """NaN, Infinity and -Infinity are no JSON values, and what JavaScript writes for them is null."""


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _readable(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:
        return None


def _without_surrogates(value: JsonValue) -> JsonValue:
    """The value with every lone surrogate replaced; a pair is one character already."""
    match value:
        case str():
            return _SURROGATE.sub("�", value)
        case list():
            return [_without_surrogates(item) for item in value]
        case dict():
            return {_SURROGATE.sub("�", key): _without_surrogates(item) for key, item in value.items()}
        case _:
            return value


def _too_deep() -> UpstreamResponseError:
    return UpstreamResponseError(f"The app's answer is JSON nested deeper than the {MAX_DEPTH} levels that the gateway reads.")


def _not_json(text: str) -> UpstreamResponseError:
    start = text.lstrip()[:1]
    what = {"": "is empty where JSON was expected", "<": "is not JSON; it looks like a page of HTML or XML"}.get(start, "is not JSON")
    return UpstreamResponseError(f"The app's answer {what}.")
