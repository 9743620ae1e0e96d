"""One process at a time on an embedded database."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.errors import ConfigurationError
from gateway.storage import engines


@contextmanager
def lock_file(url: str) -> Iterator[None]:
    """Keeps a SQLite database to this process while the block runs, by a lock on `<file>.lock`; free for PostgreSQL.

    Raises ConfigurationError when another process has it. A process that is killed leaves no lock behind.
    """
    parsed = engines.parse_url(url)
    if not engines.is_sqlite(parsed):
        yield
        return

    # SQLite's own lock: it ends with the process whatever its end, on every system. The file itself stays and means nothing.
    path = engines.file_of(parsed).resolve()
    with closing(sqlite3.connect(path.with_name(f"{path.name}.lock"), timeout=0, isolation_level=None)) as lock:
        _take(lock, path)
        yield


def _take(lock: sqlite3.Connection, path: Path) -> None:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        raise ConfigurationError(
            f"The database {str(path)!r} is in use by another gateway process. SQLite serves one; stop the other, or use PostgreSQL."
        ) from error
