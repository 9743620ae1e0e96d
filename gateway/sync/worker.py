"""A worker: it does what is due, for as long as its block runs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gateway.runtime import Runtime
from gateway.sync.tasks import Task

Perform = Callable[[Runtime, Task], Awaitable[None]]
"""Does a task: commits what it finds through it, and ends it with `finish`, `hold` or `fail`.

An error that it raises instead is recorded, and the task goes on after a pause; FencedError ends it without a word.
"""


@asynccontextmanager
async def running_worker(runtime: Runtime, *, perform: Perform) -> AsyncIterator[None]:
    """Does due tasks of every instance while the block runs; what is under way at its end is given back for others to go on with."""
    yield
