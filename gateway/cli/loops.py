"""Runs what a command waits for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from uvicorn import Config

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """What the work gives, on the fastest event loop that is installed."""
    with asyncio.Runner(loop_factory=Config(app="").get_loop_factory()) as runner:
        return runner.run(work)
