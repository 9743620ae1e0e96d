"""Reads that need not be done again: SQLite tells for next to nothing whether anything has been committed since."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar, cast

__all__ = ["RecentReads"]

Value = TypeVar("Value")

_MOST = 4_096


class RecentReads:
    """What was read lately from a file, never a commit older than the file.

    Before its use SQLite is asked for its `data_version`, which differs after every commit of whatever connection and process;
    then all is forgotten. Asking takes some microseconds, and no lock that a writer waits for. Once in a turn of the event loop is
    enough: whoever is told of a commit by now is told in a later turn, and asks again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._asked_in: asyncio.AbstractEventLoop | None = None
        """The loop in whose turn it was asked, until that ends."""
        self._values: dict[Hashable, Any] = {}

    async def read(self, key: Hashable, read: Callable[[], Awaitable[Value]]) -> Value:
        """What `read` gives, or gave when the file was as it is now. `key` says what is read, and for whom."""
        found = self.known(key)
        if found is not None:
            return cast("Value", found)
        version, values = self._version, self._values
        value = await read()
        # Where somebody has seen a commit meanwhile, this may have been read before it. Versions do not tell: those of another
        # connection begin anew. Of what is not there nothing is kept: its keys would be texts of whoever asks, of any length.
        if version is not None and values is self._values and value is not None:
            if len(values) >= _MOST:
                values.clear()
            values[key] = value
        return value

    def known(self, key: Hashable) -> Any:
        """What was read by that key when the file was as it is now; null where nothing was."""
        loop = asyncio.get_running_loop()
        if self._asked_in is not loop:
            version = self._current_version()
            if version is None or version != self._version:
                self._values, self._version = {}, version
            self._asked_in = loop
            loop.call_soon(self._end_turn)
        return self._values.get(key)

    def close(self) -> None:
        """Closes what asks for the version."""
        self._end_turn()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _end_turn(self) -> None:
        self._asked_in = None

    def _current_version(self) -> int | None:
        """None where SQLite cannot tell at once, such as while it recovers the file."""
        try:
            if self._connection is None:
                # Not created here: whoever has no file yet has nothing to read.
                address = f"{self._file.resolve().as_uri()}?mode=rw"
                self._connection = sqlite3.connect(address, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
            # All of it: a statement that is left open would keep what it reads from being written.
            ((version,),) = self._connection.execute("PRAGMA data_version").fetchall()
            return int(version)
        except sqlite3.Error:
            self.close()
            return None
