"""Numbers in expressions: read from text, and calculated within the limits."""

import math
import re
from collections.abc import Callable
from typing import Any

from gateway.expressions import limits
from gateway.expressions.errors import ExpressionError

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")

Number = int | float


def parse(text: str) -> Number | None:
    """The number that a text writes as JSON does, or with a plus, zeros in front or a bare dot; null for other text."""
    if not _NUMBER.fullmatch(text):
        return None
    is_integer = text.isascii() and text.lstrip("+-").isdigit() and len(text) <= limits.MAX_NUMBER_BITS // 4
    return int(text) if is_integer else finite(text)


def finite(text: str) -> float | None:
    """The number that a text is known to write; null beyond a double."""
    number = float(text)
    return number if math.isfinite(number) else None


def calculated(left: Number | None, right: Number | None, calculate: Callable[[], Number | None]) -> Number | None:
    """What is calculated of two numbers; null where one is missing. Raises ExpressionError for those that are too large."""
    if left is None or right is None:
        return None
    if _is_longer(left, limits.MAX_NUMBER_BITS) or _is_longer(right, limits.MAX_NUMBER_BITS):
        raise ExpressionError("it calculates with a number that is too large")
    return calculate()


def checked(result: Any) -> Any:
    """What a function gave. Raises ExpressionError for a number that cannot be written: beyond a double, or of too many digits."""
    is_too_large = not math.isfinite(result) if isinstance(result, float) else _is_longer(result, limits.MAX_RESULT_BITS)
    if is_too_large:
        raise ExpressionError("it calculates a number that is too large")
    return result


def _is_longer(value: Any, bits: int) -> bool:
    return isinstance(value, int) and value.bit_length() > bits
