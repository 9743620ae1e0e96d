"""What all tables share: names of constraints, keys, JSON, times."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, DateTime, Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel
from uuid_utils.compat import uuid7

from gateway.models.json import JsonObject, is_same_json

# Batch migrations on SQLite need every constraint to have a name; it must stand before the first table.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# NUL, half a surrogate pair, and numbers that come back as others: minus zero, and those that are written with a positive exponent.
_ALTERED_BY_JSONB = re.compile(r"\\u0000|[\ud800-\udfff]|-0\.0|e\+")

_Processor = Callable[[Any], Any]


class _ExactJson(TypeDecorator[JsonObject]):
    """JSON that keeps objects as they are: one that JSONB would alter, or refuse, is kept as the text of it."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the database calls it."""
        return dialect.type_descriptor(JSONB(none_as_null=True)) if dialect.name == "postgresql" else self.impl_instance

    def process_bind_param(self, value: JsonObject | None, dialect: Dialect) -> JsonObject | str | None:
        """The object, or its text."""
        if value is None or dialect.name != "postgresql":
            return value
        return json.dumps(value) if _ALTERED_BY_JSONB.search(json.dumps(value, ensure_ascii=False)) else value

    def process_result_value(self, value: JsonObject | str | None, dialect: Dialect) -> JsonObject | None:
        """The object that was kept."""
        stored: JsonObject | None = json.loads(value) if isinstance(value, str) else value
        return stored

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor | None:
        """What makes the object of what was read; one call where it is null, as most are."""
        process = super().result_processor(dialect, coltype)
        return (lambda value: None if value is None else process(value)) if process is not None else None

    def compare_values(self, x: object, y: object) -> bool:
        """Whether nothing has to be saved."""
        return is_same_json(x, y)


JsonColumn = _ExactJson()
"""JSON objects on both databases, each as it was. Assign a new value to change one: a change in place is not saved."""


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on both databases; SQLite alone would give it back naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The time in UTC. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"Time {value!r} has no time zone.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored time, aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_id() -> UUID:
    """A UUIDv7: unique without asking the database, and in order of creation."""
    return uuid7()
