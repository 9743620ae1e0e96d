"""A real HTTP server on the loop-back that does as the test says."""

import asyncio
import json as json_format
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ssl import SSLContext
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

from gateway.models.json import JsonValue
from gateway.testing.answers import NO_JSON, Answer, Headers, Scripted

Handler = Callable[["ReceivedRequest"], Scripted]


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """One request as it came over the wire."""

    method: str
    target: str
    """Path and query exactly as sent, percent-encoding included."""
    headers: Mapping[str, str]
    """Lower case names; a repeated header is joined by ", "."""
    raw_headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int
    """Which connection to the app it came over, counted from 1."""

    @property
    def path(self) -> str:
        """The target without its query, as sent."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, decoded; of a repeated one the last."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def json(self) -> JsonValue:
        """The body as JSON."""
        return json_format.loads(self.body)


class ScriptedApp:
    """An external app that answers by script, and keeps every request it received.

    Answers are used up in the order they were given, whatever is asked; then `answer_with` decides; then 501 is answered.
    Enter it as an async context manager; leaving it closes every connection.
    """

    def __init__(self, *, tls: SSLContext | None = None) -> None:
        self.requests: list[ReceivedRequest] = []
        self.connection_count = 0
        self._script: deque[Scripted] = deque()
        self._handler: Handler | None = None
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], StreamWriter] = {}
        self._received = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def port(self) -> int:
        """The free port that the system gave."""
        if self._server is None:
            raise RuntimeError("The app is not started: enter it with `async with`.")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Where the app is, without a slash at its end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def open_connection_count(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    def answer(
        self,
        *scripted: Scripted,
        status: int = 200,
        headers: Headers | None = None,
        json: JsonValue = NO_JSON,
        body: bytes | str = b"",
        delay_seconds: float = 0,
    ) -> None:
        """Adds answers to the script; without any, the one that the arguments describe (see Answer)."""
        self._script.extend(scripted or [Answer(status=status, headers=headers or {}, json=json, body=body, delay_seconds=delay_seconds)])

    def answer_with(self, handler: Handler) -> None:
        """Lets a function answer whatever the script does not."""
        self._handler = handler

    async def wait_for_requests(self, count: int) -> None:
        """Returns once that many requests were received since the start."""
        while len(self.requests) < count:
            await self._received.wait()

    async def wait_until_idle(self) -> None:
        """Returns once every client has left."""
        await self._idle.wait()

    async def drop_connections(self) -> None:
        """Closes every open connection from the app's side, as an app does with idle ones, and returns when that is done."""
        for writer in self._connections.values():
            writer.close()
        await self.wait_until_idle()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._server is None:
            return
        self._server.close()
        for task, writer in list(self._connections.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self.connection_count += 1
        self._connections[task] = writer
        self._idle.clear()
        try:
            await self._converse(reader, writer, connection=self.connection_count)
        except (OSError, IncompleteReadError, asyncio.CancelledError):
            # The client left in the middle, which a script may well be about; or the app is being left, and nobody awaits this.
            pass
        finally:
            writer.close()
            self._connections.pop(task)
            if not self._connections:
                self._idle.set()

    async def _converse(self, reader: StreamReader, writer: StreamWriter, *, connection: int) -> None:
        while (request := await _read_request(reader, connection=connection)) is not None:
            self.requests.append(request)
            self._received.set()
            self._received.clear()
            if not await self._answer_to(request).write(reader, writer, method=request.method):
                return

    def _answer_to(self, request: ReceivedRequest) -> Scripted:
        if self._script:
            return self._script.popleft()
        if self._handler is not None:
            return self._handler(request)
        return Answer(status=501, body=f"The script has no answer for {request.method} {request.target}.")


async def _read_request(reader: StreamReader, *, connection: int) -> ReceivedRequest | None:
    """The next request of a connection; null when the client has left."""
    try:
        block = await reader.readuntil(b"\r\n\r\n")
    except IncompleteReadError as error:
        if error.partial:
            raise
        return None

    request_line, *header_lines = block.decode("utf-8", "surrogateescape").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = request_line.split(" ")
    raw_headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in header_lines))
    headers: dict[str, str] = {}
    for name, value in raw_headers:
        headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return ReceivedRequest(method=method, target=target, headers=headers, raw_headers=raw_headers, body=body, connection=connection)
