"""SQLite files without a thread: where statement follows statement, going to a thread and back takes a third of a test's time."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiosqlite
import pytest


@pytest.fixture
def unthreaded_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements are executed where they are awaited, after everybody else has had a turn.

    For tests in which one thing happens after the other: who waits for another's lock in the file would have all wait.
    """
    monkeypatch.setattr(aiosqlite.Connection, "_execute", _execute)


async def _execute(connection: aiosqlite.Connection, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if not connection._running:
        raise ValueError("Connection closed")
    await asyncio.sleep(0)
    return function(*args, **kwargs)
