"""Scalars that are ours: how times and JSON stand in answers."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import strawberry
from msgspec import Raw
from strawberry.types.scalar import ScalarDefinition


def _serialize(value: datetime | str) -> str:
    if isinstance(value, str):
        # Of a universal data model, whose times are written so already.
        return value
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _as_it_is(value: Any) -> Any:
    return value


DateTime = strawberry.scalar(
    name="DateTime",
    description="A time in UTC as RFC 3339 writes it, such as `2026-11-21T09:30:00.123456Z`.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=_serialize,
    parse_value=datetime.fromisoformat,
)

SCALARS: dict[object, ScalarDefinition] = {
    datetime: DateTime,
    strawberry.scalars.JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value, in the shape that the external app or its connector decides.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=_as_it_is,
        parse_value=_as_it_is,
    ),
}
"""What stands for a Python type in the schema."""

LEFT_AS_THEY_ARE: Mapping[Callable[[Any], Any], frozenset[type]] = {
    _serialize: frozenset({str}),
    _as_it_is: frozenset({dict, list, str, int, float, bool, Raw}),
}
"""By what serializes values: values of which very types it gives back as they are, so that nobody needs to ask it."""
