"""JSON as apps write it, read so that nothing is lost and nothing breaks later."""

import json
import math
import re
from functools import partial
from typing import Any

import orjson

from gateway.errors import UpstreamResponseError
from gateway.models.json import JsonValue

MAX_DEPTH = 200
"""The deepest nesting that is read; orjson writes no more than 254 levels, of which the GraphQL answer around it takes some."""

MAX_VALUES = 2_000_000
"""How many values are read. A value of three bytes takes up to two hundred in memory: 32 MB of them would fill a gigabyte."""

_LONG_NUMBER = b"0" * 19
_DIGITS = bytes(ord("0") if chr(byte).isdecimal() else ord(" ") for byte in range(256))
# Other signs than digits become one sign, of which long numbers have none: the search skips them nineteen at a time.
_LEVELS_WRITTEN = 254
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def decode_json(body: bytes) -> JsonValue:
    """The value of a JSON body. Integers of up to 4,300 digits are exact.

    Where JSON is not quite kept to, the page stays readable: NaN, infinities, longer integers and other numbers beyond a double
    become null, broken UTF-8 and lone surrogates become U+FFFD, a byte order mark is skipped.
    Raises UpstreamResponseError for what is no JSON at all, for nesting deeper than MAX_DEPTH, and for more than MAX_VALUES.
    """
    # Each value but the outermost follows one of these; those within texts count too, which only the largest bodies notice.
    if len(body) > MAX_VALUES and sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise UpstreamResponseError(f"The app's answer holds more than the {MAX_VALUES} values that the gateway reads.")
    # orjson turns integers of 65 bits and more into floats. A regular expression would take longer to look than orjson to read.
    if _LONG_NUMBER in body.translate(_DIGITS):
        return _decode_tolerantly(body)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _decode_tolerantly(body)
    return value if _fits_writer(value) else _bounded(value)


def _decode_tolerantly(body: bytes) -> JsonValue:
    text = body.decode(json.detect_encoding(body), errors="replace")
    try:
        value = _loaded(text)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise _not_json(text) from None
    value = _bounded(value)
    return _without_surrogates(value) if _SURROGATE_ESCAPE.search(text) else value


def _loaded(text: str) -> JsonValue:
    read = partial(json.loads, text, parse_constant=_null, parse_float=_finite)
    try:
        return read()
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python reads no integer of more digits, as that takes the square of their number.
        return read(parse_int=_readable)


def _fits_writer(value: JsonValue) -> bool:
    """Whether orjson can write the value so many levels deep that MAX_DEPTH are left for it: it counts them many times faster than we."""
    for _ in range(_LEVELS_WRITTEN - MAX_DEPTH):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


def _bounded(value: JsonValue) -> JsonValue:
    """The value, which is not too deep. Raises UpstreamResponseError otherwise."""
    if _is_deeper(value, levels=MAX_DEPTH):
        raise _too_deep()
    return value


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


def _is_deeper(value: JsonValue, *, levels: int) -> bool:
    """Whether arrays and objects nest deeper than that; level by level, so that no depth exhausts the stack."""
    containers: list[Any] = [value] if isinstance(value, list | dict) else []
    for _ in range(levels):
        if not containers:
            return False
        containers = [
            item
            for container in containers
            for item in (container.values() if type(container) is dict else container)
            if type(item) is dict or type(item) is list
        ]
    return bool(containers)


def _too_deep() -> UpstreamResponseError:
    return UpstreamResponseError(f"The app's answer is JSON nested deeper than the {MAX_DEPTH} levels that the gateway reads.")


def _not_json(text: str) -> UpstreamResponseError:
    start = text.lstrip()[:1]
    what = {"": "is empty where JSON was expected", "<": "is not JSON; it looks like a page of HTML or XML"}.get(start, "is not JSON")
    return UpstreamResponseError(f"The app's answer {what}.")
