"""A PostgreSQL database as it is after its migration, and how a used one becomes that again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import SQLModel

import gateway.models  # noqa: F401  # Makes all tables known.
from gateway.storage.schema import REVISION_TABLE

_MOST_LEFT_BYTES = 4 * 1024 * 1024
"""A database that grew by more keeps what may change how the next test's statements are carried out."""

_OBJECTS = """
    SELECT array_agg(name ORDER BY name) FROM (
        SELECT 'relation ' || relname || ' ' || relpersistence::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'
    ) AS objects
"""
_END_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_SIZE = "SELECT pg_database_size(current_database())"


@dataclass(frozen=True, kw_only=True)
class Blank:
    """What a migrated database holds before anybody has used it."""

    objects: Sequence[str]
    size: int
    rows: dict[str, str]
    """The rows of each table that has any, as JSON."""
    sequences: Sequence[str]

    @classmethod
    async def read(cls, connection: Any) -> "Blank":
        """What the connected database holds."""
        found = {table: await connection.fetchval(f'SELECT json_agg(row) FROM "{table}" AS row') for table in _tables()}
        return cls(
            objects=await connection.fetchval(_OBJECTS),
            size=await connection.fetchval(_SIZE),
            rows={table: rows for table, rows in found.items() if rows is not None},
            sequences=[name for (name,) in await connection.fetch("SELECT sequencename FROM pg_sequences")],
        )

    async def restore(self, connection: Any) -> bool:
        """Makes the connected database hold this again; false where more than rows has changed, or too many came."""
        await connection.execute(_END_OTHERS)
        if await connection.fetchval(_OBJECTS) != self.objects or await connection.fetchval(_SIZE) > self.size + _MOST_LEFT_BYTES:
            return False
        statements = [f'DELETE FROM "{table}"' for table in _tables()]
        statements += [f"SELECT setval('\"{name}\"', 1, false)" for name in self.sequences]
        async with connection.transaction():
            await connection.execute("; ".join(statements))
            for table, rows in self.rows.items():
                await connection.execute(f'INSERT INTO "{table}" SELECT * FROM json_populate_recordset(NULL::"{table}", $1)', rows)
        return True


def _tables() -> list[str]:
    """Those that refer to others come first."""
    return [REVISION_TABLE, *(table.name for table in reversed(SQLModel.metadata.sorted_tables))]
