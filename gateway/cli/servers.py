"""`gateway serve`, `gateway demo` and `gateway migrate`."""

import logging
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import structlog
import typer

from gateway.cli import loops, output, welcome
from gateway.config import DatabaseSettings, Settings, read_settings
from gateway.demo import start
from gateway.errors import ConfigurationError
from gateway.runtime import Runtime, open_runtime
from gateway.storage import engines
from gateway.storage.database import Database
from gateway.storage.lock import lock_file
from gateway.sync.worker import running_worker
from gateway.web.app import create_app
from gateway.web.logging import configure_logging
from gateway.web.server import serve as serve_app

Host = Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 for any free one.")]
_log = structlog.get_logger("gateway.cli")


def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the gateway until it is told to stop. The environment configures it: see docs/configuration.md."""
    settings = read_settings(Settings)
    configure_logging()
    loops.run(_serve(settings, host=host, port=port))


def demo(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    database: Annotated[Path | None, typer.Option(help="An SQLite file to keep the demo in; without it, nothing stays.")] = None,
) -> None:
    """Run the gateway with an app of its own to explore. It needs no configuration and no network."""
    configure_logging(level=logging.WARNING)
    loops.run(start.run(host=host, port=port, database=database, on_ready=welcome.show))


def migrate() -> None:
    """Bring the database up to date. `gateway serve` does so too, when it starts."""
    loops.run(_migrate(read_settings(DatabaseSettings)))
    output.notices.print("The database is up to date.")


async def _serve(settings: Settings, *, host: str, port: int) -> None:
    if not settings.embedded_worker and engines.is_sqlite(engines.parse_url(settings.database_url)):
        raise ConfigurationError(
            "GATEWAY_EMBEDDED_WORKER is false, and GATEWAY_DATABASE_URL names an SQLite file, on which no other process can sync. "
            "Use PostgreSQL, or leave the setting out."
        )
    with lock_file(settings.database_url):
        async with open_runtime(settings) as runtime, _embedded_worker(runtime):
            app = create_app(runtime)
            loops.settle()
            await serve_app(app, host=host, port=port, on_ready=_log_ready)


def _embedded_worker(runtime: Runtime) -> AbstractAsyncContextManager[None]:
    return running_worker(runtime) if runtime.settings.embedded_worker else nullcontext()


def _log_ready(address: str) -> None:
    _log.info("ready", address=f"{address}/graphql")


async def _migrate(settings: DatabaseSettings) -> None:
    database = Database.connect(settings.database_url)
    try:
        await database.migrate()
    finally:
        await database.close()
