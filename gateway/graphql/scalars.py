"""Scalars that are ours: how times and JSON stand in answers."""

from datetime import UTC, datetime

import strawberry
from strawberry.types.scalar import ScalarDefinition


def _serialize(value: datetime | str) -> str:
    if isinstance(value, str):
        # Of a universal data model, whose times are written so already.
        return value
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
"""What stands for a Python type in the schema."""
