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

    A process that is killed leaves no lock behind. Raises ConfigurationError when another process has it, or when nothing can be
    written there.
    """
    parsed = engines.parse_url(url)
    if not engines.is_sqlite(parsed):
        yield
        return

    # SQLite's own lock: it ends with the process whatever its end, on every system. The file itself stays and means nothing.
    path = engines.file_of(parsed).resolve()
    with closing(_open(path)) as lock:
        _take(lock, path)
        yield


def _open(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path.with_name(f"{path.name}.lock"), timeout=0, isolation_level=None)
    except sqlite3.DatabaseError as error:
        raise _not_writable(path, error) from error


def _take(lock: sqlite3.Connection, path: Path) -> None:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise _not_writable(path, error) from error
        raise ConfigurationError(
            f"The database {str(path)!r} is in use by another gateway process. SQLite serves one; stop the other, or use PostgreSQL."
        ) from error


def _not_writable(path: Path, error: sqlite3.Error) -> ConfigurationError:
    return ConfigurationError(
        f"The database {str(path)!r} cannot be locked ({error}). Name a file in a folder that this process may write to."
    )
