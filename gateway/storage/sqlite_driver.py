"""SQLite's driver, made to go to its thread once for a statement, and not at all to begin a transaction.

The driver's own cursor goes there four times: to begin, to execute, to fetch and to close. Each time costs more than what most
statements do there.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import aiosqlite

_ROWS_AT_A_TIME = 64


async def connect(file: str) -> "Connection":
    """A connection to the file, whose thread ends with the process if it has not ended before."""
    opened: list[sqlite3.Connection] = []

    def open_file() -> sqlite3.Connection:
        opened.append(sqlite3.connect(file, check_same_thread=False))
        return opened[0]

    connection = Connection(open_file, iter_chunk_size=_ROWS_AT_A_TIME)
    connection._thread.daemon = True
    try:
        await connection
    except (sqlite3.Error, asyncio.CancelledError):
        # It has nothing left to do but to say that it ends, to a loop that may be closed soon.
        connection._thread.join()
        # The driver does not know of a file that was opened when nobody waited any more.
        for file_connection in opened:
            file_connection.close()
        raise
    return connection


class Connection(aiosqlite.Connection):
    """A connection whose cursors exist only while a statement is executed."""

    _beginning: str | None = None
    _stopped: "asyncio.Future[Any] | None" = None

    def begin(self, statement: str) -> None:
        """Begins a transaction by this statement, on the way to the first statement inside it; without one there is none."""
        self._beginning = statement

    def cursor(self) -> "_Cursor":  # type: ignore[override]
        """The outcome of a statement that is still to be executed."""
        return _Cursor(self)

    async def run(self, statement: Callable[[sqlite3.Cursor], object]) -> tuple[sqlite3.Cursor, Sequence[Any]]:
        """The statement's cursor, closed, and its rows. Raises what the driver raises."""
        beginning, self._beginning = self._beginning, None
        executed: tuple[sqlite3.Cursor, Sequence[Any]]
        executed = await self._execute(partial(_executed, self._conn, beginning, statement))  # type: ignore[no-untyped-call]
        return executed

    def stop(self) -> "asyncio.Future[Any] | None":
        """Has the thread end after all that it was asked before. Whoever asks again waits for the same end: there is no other."""
        if self._stopped is None:
            self._stopped = super().stop()
        return self._stopped

    async def commit(self) -> None:
        """Ends the transaction, if it has begun."""
        if self._beginning is None:
            await super().commit()
        self._beginning = None

    async def rollback(self) -> None:
        """Undoes the transaction, if it has begun."""
        if self._beginning is None:
            await super().rollback()
        self._beginning = None


class _Cursor:
    """The outcome of a statement, all of whose rows were fetched while it was executed."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Iterator[Any] = iter(())
        self.description: Sequence[Any] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "_Cursor":
        return self

    async def close(self) -> None:
        """Nothing is left open."""

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "_Cursor":
        """Executes a statement. Raises what the driver raises."""
        return await self._run(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> "_Cursor":
        """Executes a statement once for each of many parameters. Raises what the driver raises."""
        return await self._run(lambda cursor: cursor.executemany(sql, parameters))

    async def fetchone(self) -> Any | None:
        """The next row, or none."""
        return next(self._rows, None)

    async def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        """So many of the next rows."""
        return [row for _, row in zip(range(size or self.arraysize), self._rows, strict=False)]

    async def fetchall(self) -> Sequence[Any]:
        """The rows that are left."""
        return list(self._rows)

    async def __aiter__(self) -> AsyncIterator[Any]:
        for row in self._rows:
            yield row

    async def _run(self, run: Callable[[sqlite3.Cursor], object]) -> "_Cursor":
        done, rows = await self._connection.run(run)
        self._rows, self.description, self.rowcount, self.lastrowid = iter(rows), done.description, done.rowcount, done.lastrowid
        return self


def _executed(
    connection: sqlite3.Connection, beginning: str | None, run: Callable[[sqlite3.Cursor], object]
) -> tuple[sqlite3.Cursor, Sequence[Any]]:
    cursor = connection.cursor()
    try:
        if beginning is not None:
            cursor.execute(beginning)
        run(cursor)
        return cursor, cursor.fetchall() if cursor.description is not None else ()
    finally:
        # An open statement would keep what it reads from being written.
        cursor.close()
