"""Telling a value that was left out from one that was set to null."""

from enum import Enum
from typing import Final, TypeVar

Value = TypeVar("Value")


class Keep(Enum):
    """The type of KEEP."""

    KEEP = "KEEP"


KEEP: Final = Keep.KEEP
"""Stands for an argument that was left out: the stored value stays."""


def patched(given: Value | Keep, stored: Value) -> Value:
    """The given value, or the stored one where none was given."""
    return stored if isinstance(given, Keep) else given
