"""A link that fails as links do: it breaks, it refuses, or it goes silent without a word."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

from sqlalchemy.engine import make_url


class ChaosProxy:
    """A TCP proxy on the loopback interface to one server."""

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self._server = (host, port)
        self._is_down = False
        self._links: dict[asyncio.Task[None], asyncio.Event] = {}
        self._writers: set[asyncio.StreamWriter] = set()

    def silence(self) -> None:
        """Links that are open now carry nothing any more, and say so to nobody; new ones work."""
        for is_open in self._links.values():
            is_open.clear()

    def drop(self) -> None:
        """Breaks every link that is open; new ones work."""
        for writer in list(self._writers):
            raw: socket.socket = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def go_down(self) -> None:
        """Breaks every link, and every new one at once."""
        self._is_down = True
        self.drop()

    def come_back(self) -> None:
        """Lets new links work again."""
        self._is_down = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one link."""
        self._writers.add(writer)
        if self._is_down:
            self.drop()
            return
        task = asyncio.current_task()
        assert task is not None
        is_open = self._links[task] = asyncio.Event()
        is_open.set()
        upstream_reader, upstream_writer = await asyncio.open_connection(*self._server)
        self._writers.add(upstream_writer)
        try:
            await asyncio.gather(_pump(reader, upstream_writer, is_open), _pump(upstream_reader, writer, is_open))
        finally:
            del self._links[task]
            self._writers -= {writer, upstream_writer}
            writer.close()
            upstream_writer.close()

    async def end(self) -> None:
        """Ends every link."""
        tasks = list(self._links)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def chaos_proxy(database_url: str) -> AsyncIterator[tuple[ChaosProxy, str]]:
    """A proxy before a PostgreSQL, and the database's address through it."""
    url = make_url(database_url)
    proxy = ChaosProxy(url.host or "127.0.0.1", url.port or 5432)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    finally:
        server.close()
        await proxy.end()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_open: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            await is_open.wait()
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
