"""Runs what a command waits for."""

import asyncio
import gc
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

if sys.platform != "win32":  # There is no uvloop for Windows.
    import uvloop

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """What the work gives, on the fastest event loop there is."""
    factory = None if sys.platform == "win32" else uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def settle() -> None:
    """Exempts all that is there by now, which lives as long as the process, from the search for garbage.

    To look through it again and again takes half the time of whatever makes many objects, such as a full sync.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 5)
