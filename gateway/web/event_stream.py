"""GraphQL over server-sent events, in the distinct connections mode: one request, one operation, one stream."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.clock import Clock
from gateway.errors import NotAuthenticatedError
from gateway.web.bodies import encode_json
from gateway.web.negotiation import EVENT_STREAM
from gateway.web.refusals import SECURITY_HEADERS
from gateway.web.streaming import Frame

__all__ = ["EventStream", "Stopping"]

_HEARTBEAT_SECONDS = 15  # Proxies close what is silent for 30 to 60.
_HEARTBEAT = b":\n\n"
# A field without data would be no event to browsers. LF alone: some clients look for two of them.
_COMPLETE = b"event: complete\ndata: \n\n"
_EXPIRED = "The token expired. Connect again with a new one."


class Stopping:
    """Whether the server is about to end, when streams end so that their clients connect elsewhere."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def begin(self) -> None:
        """Ends the streams."""
        self._event.set()

    async def wait(self) -> None:
        """Returns when the server is about to end."""
        await self._event.wait()


class EventStream(Response):
    """The answer that is a stream. `on_code` is told the code of each error on it.

    It completes when the operation does, or its token expires. When the server ends it breaks off instead, by which clients
    know to connect again.
    """

    media_type = EVENT_STREAM

    def __init__(
        self,
        frames: AsyncGenerator[Frame, None],
        *,
        clock: Clock,
        expires_at: datetime | None,
        stopping: Stopping,
        on_code: Callable[[str], None],
    ) -> None:
        # Proxies are asked not to hold events back.
        told = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no", "vary": "Accept"}
        super().__init__(headers={**SECURITY_HEADERS, **told})
        del self.headers["content-length"]
        self._frames = frames
        self._clock = clock
        self._expires_at = expires_at
        self._stopping = stopping
        self._on_code = on_code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the operation ends, the client leaves, the token expires or the server stops."""

        async def write(body: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": more})

        start: Message = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        ended_by = await _first_of(self._stream(write), self._heartbeats(write), self._expiry(), self._stopping.wait(), _left(receive))
        if ended_by == _EXPIRY:
            await write(self._expired() + _COMPLETE)
        if ended_by != _CLIENT:
            await write(b"", more=False)

    async def _stream(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        async with aclosing(self._frames) as frames:
            async for frame in frames:
                if frame.code is not None:
                    self._on_code(frame.code)
                await write(_event(frame))
        await write(_COMPLETE)

    async def _heartbeats(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        while True:
            await self._clock.sleep(_HEARTBEAT_SECONDS)
            await write(_HEARTBEAT)

    async def _expiry(self) -> None:
        if self._expires_at is None:
            await asyncio.Event().wait()
        else:
            await self._clock.sleep((self._expires_at - self._clock.now()).total_seconds())

    def _expired(self) -> bytes:
        code = NotAuthenticatedError.code
        self._on_code(code)
        return _event(Frame(text=encode_json([{"message": _EXPIRED, "extensions": {"code": code}}]).decode(), is_refusal=True))


_EXPIRY, _CLIENT = 2, 4
"""Which of the stream's parts ended it."""


async def _first_of(*parts: Awaitable[None]) -> int:
    """The number of the part that ended first; the others are cancelled, and have ended too. Its error is raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = next(number for number, task in enumerate(tasks) if task.done())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    tasks[first].result()
    return first


async def _left(receive: Receive) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(frame: Frame) -> bytes:
    data = f'{{"errors":{frame.text}}}' if frame.is_refusal else frame.text
    identity = f"id: {frame.cursor}\n" if frame.cursor is not None else ""
    # An app's JSON that nobody read may have line ends between its values, which would end the field.
    return b"%bevent: next\ndata: %b\n\n" % (identity.encode(), data.encode().translate(None, b"\r\n"))
