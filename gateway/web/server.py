"""The server: an application on a port, until a signal ends it."""

import asyncio
import errno
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from gateway.errors import ConfigurationError
from gateway.web.http_protocol import Connection

__all__ = ["serve"]

_GRACE_SECONDS = 10
_KEEP_ALIVE_SECONDS = 75  # Longer than the minute for which balancers keep a connection, so that they are the ones to close it.
_BACKLOG = 2048
_LAST_PORT = 65535


async def serve(app: Starlette, *, host: str, port: int, on_ready: Callable[[str], None] | None = None) -> None:
    """Serves an application of `assemble` until SIGINT or SIGTERM, then returns when the running requests have ended, at most
    ten seconds later.

    `on_ready` is called with the address once requests are answered; port 0 is any free one. Sockets are closed with 1012,
    which clients take for "connect again", and streams of events break off.
    Raises ConfigurationError when the address cannot be had.
    """
    listener = _listener(host, port)
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="websockets-sansio",
        ws_max_size=app.state.runtime.settings.max_body_bytes,
        # Compression would cost every idle socket some 80 KB.
        ws_per_message_deflate=False,
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(
        config, on_started=lambda: on_ready(_address(listener, host)) if on_ready else None, on_stopping=app.state.stopping.begin
    )
    with listener:
        await server.serve(sockets=[listener])
    if server.was_cancelled:
        raise asyncio.CancelledError


class _Server(uvicorn.Server):
    """Ends by a signal or a cancellation alike: it closes what is open, and leaves the rest of the process to its caller."""

    def __init__(self, config: uvicorn.Config, *, on_started: Callable[[], None], on_stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self.was_cancelled = False
        self._on_started = on_started
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def main_loop(self) -> None:
        try:
            await super().main_loop()
        except asyncio.CancelledError:
            self.was_cancelled = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stopping()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Without uvicorn's record of the signal: it would raise it again, and end the process before the runtime closes.
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def _listener(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise ConfigurationError(f"There is no port {port}. Choose one of 0 to {_LAST_PORT} with --port.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} of {host} is in use by another program. Stop it, or choose another with --port."
            ) from None
        raise ConfigurationError(f"Cannot listen on {host} port {port}: {error.strerror}. Choose others with --host and --port.") from None


def _address(listener: socket.socket, host: str) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  # only compared
    return f"http://{shown}:{listener.getsockname()[1]}"
