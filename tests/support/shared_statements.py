"""Statements compiled once a test process, not once for each database of a test: it is a third of what tests cost."""

from typing import Any

from sqlalchemy import Connection, Dialect, event
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

_DIALECTS: dict[str, Dialect] = {}
_COMPILED: LRUCache[Any, Any] = LRUCache(5_000)


def share_statements() -> None:
    """Makes all engines of this process that speak to the same kind of database share what they compile."""
    event.listen(Engine, "engine_connect", _share)


def _share(connection: Connection) -> None:
    # What is compiled is found by the dialect it was compiled for, and each engine makes one of its own.
    connection.dialect = _DIALECTS.setdefault(connection.dialect.name, connection.dialect)
    connection.execution_options(compiled_cache=_COMPILED)
