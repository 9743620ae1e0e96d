"""SQLite files that are not forced to the disk: nothing in a test must survive a crash of the machine, and waiting for it takes long."""

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

_IS_UNSYNCED = "is_unsynced"


def leave_files_unsynced() -> None:
    """Makes all engines of this process leave it to the system when SQLite's files reach the disk; raw connections keep what they have."""
    event.listen(Engine, "engine_connect", _leave)


def _leave(connection: Connection) -> None:
    if connection.dialect.name != "sqlite" or _IS_UNSYNCED in connection.info:
        return
    try:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.close()
    except BaseException:
        # Whoever is cancelled here has no connection yet: nobody but us can give it back.
        connection.close()
        raise
    connection.info[_IS_UNSYNCED] = True
