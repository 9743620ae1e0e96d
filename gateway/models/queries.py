"""Which records a list holds, and in which order."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.models.collections import FilterOperator
from gateway.models.json import JsonValue


class OrderDirection(StrEnum):
    """Whether a list rises or falls."""

    ASC = "ASC"
    DESC = "DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What must hold of one field, by the name that the app's own fields have."""

    field: str
    operator: FilterOperator
    value: JsonValue
    """What the field is compared with; for IN a list of such values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOrder:
    """The field that a list is ordered by."""

    field: str
    direction: OrderDirection = OrderDirection.ASC


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Which records a list holds, all of it told to the app: every condition must hold."""

    conditions: tuple[Condition, ...] = ()
    search: str | None = None
    """Free text, as the app's own search takes it."""
    order: RecordOrder | None = None
    """Null for the app's own order."""


EVERYTHING = RecordQuery()
"""All records of a collection, in the app's order."""
