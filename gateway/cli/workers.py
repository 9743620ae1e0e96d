"""`gateway worker`: syncs apart from the processes that answer requests."""

import asyncio
import signal
import sys

import structlog

from gateway.cli import loops
from gateway.config import Settings, read_settings
from gateway.errors import ConfigurationError
from gateway.runtime import open_runtime
from gateway.storage import engines
from gateway.sync.worker import running_worker
from gateway.web.logging import configure_logging

_log = structlog.get_logger("gateway.cli")


def worker() -> None:
    """Sync what is followed, until told to stop; as many such processes as you like. It takes PostgreSQL."""
    settings = read_settings(Settings)
    configure_logging()
    if engines.is_sqlite(engines.parse_url(settings.database_url)):
        raise ConfigurationError(
            "GATEWAY_DATABASE_URL names an SQLite file, which serves one process: there `gateway serve` syncs too. "
            "Use PostgreSQL for workers of their own."
        )
    loops.run(_work(settings))


async def _work(settings: Settings) -> None:
    told_to_stop = asyncio.Event()
    if sys.platform != "win32":  # There the interrupt itself ends the loop.
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    async with open_runtime(settings) as runtime, running_worker(runtime):
        loops.settle()
        _log.info("worker_ready", concurrency=settings.sync_concurrency)
        await told_to_stop.wait()
