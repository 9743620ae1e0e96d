"""Ids, texts and times of records, out of the values that apps send."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from gateway.connectors.executor.names import kind_of
from gateway.errors import UpstreamResponseError
from gateway.expressions import ExpressionError, Template, times
from gateway.models import JsonValue

ODD = (AttributeError, KeyError, TypeError, ValueError, ExpressionError)
"""What an item raises that is no object, whose id is none, or of which something cannot be told."""

_MILLISECONDS = 1000
_ID_OF: dict[type, Callable[[Any], str]] = {float: json.dumps}
"""How ids are written that are neither texts nor integers. All else is no id, an empty text too."""
_ONLY_TEXTS = frozenset({str}).issuperset


def read_time(value: JsonValue, *, times_are: str) -> datetime | None:
    """The time in UTC that a value stands for, written in RFC 3339 or alike (`auto`) or as a number since 1970; null for others."""
    if times_are == "auto":
        return times.parse(value) if isinstance(value, str) else None
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        if number is None:
            return None
        # Zero is a time too: from_epoch takes only null for none.
        return times.from_epoch(number / _MILLISECONDS if times_are == "epoch_ms" else number)
    except (ValueError, OverflowError):
        return None


def read_id(value: JsonValue, template: Template, *, what: str) -> str:
    """The id as text, whatever the app uses. Raises UpstreamResponseError when `template` gave none."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_text(value)
    raise UpstreamResponseError(f"{what} has no id: {template.source!r} gives {kind_of(value) if value != '' else 'an empty text'}.")


def text_or_none(value: JsonValue) -> str | None:
    """The text that a value stands for: numbers as JSON writes them; null for an empty one, and for others."""
    if isinstance(value, str):
        return value or None
    return _number_text(value) if isinstance(value, int | float) else None


def _number_text(value: int | float) -> str:
    """A number as JSON writes it; of whole ones, which most ids are, Python's own text is that."""
    return str(value) if value.__class__ is int else json.dumps(value)


def ids_of(values: list[Any]) -> list[str]:
    """The ids that values are. Raises one of `ODD` where one is none."""
    if _are_texts(values):
        return values
    return [str(value) if type(value) is int else value if type(value) is str and value else _ID_OF[type(value)](value) for value in values]


def _are_texts(values: list[Any]) -> bool:
    """Whether all are texts and none is empty."""
    return _ONLY_TEXTS(map(type, values)) and all(values)


def texts_of(values: list[Any]) -> list[str | None]:
    """The texts that values stand for, as `text_or_none`."""
    return values if _are_texts(values) else [value if type(value) is str and value else text_or_none(value) for value in values]
