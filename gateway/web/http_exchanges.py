"""One request of a connection and its answer, as ASGI's messages tell it."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.web.extensions import take_body
from gateway.web.fixed_headers import MeasuredHeaders, header_line

__all__ = ["Exchange"]

_SHORT_BYTES = 200
"""Of a header that is remembered with its line."""
_BODILESS = frozenset({204, 304})


class Exchange(RequestResponseCycle):
    """Answers as the library's own does, which makes each head anew, looks at each header each time, and sends heads by themselves."""

    # What most requests never change is told once for all.
    logger = logging.getLogger("uvicorn.error")
    disconnected = False
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    message_event: Any = property(lambda self: self)
    """Whom the connection tells that something has come: `set` is all that it asks of it."""
    _has_news = False
    _news: asyncio.Event | None = None
    _head = b""
    """Of an answer that has told its length: its body comes at once, and both are sent together."""

    def __init__(
        self,
        scope: Any,
        transport: asyncio.Transport,
        flow: FlowControl,
        *,
        default_headers: list[tuple[bytes, bytes]],
        expects_continue: bool,
        keep_alive: bool,
        on_response: Callable[[], None],
    ) -> None:
        self.scope = scope
        self.transport = transport
        self.flow = flow
        self.default_headers = default_headers
        self.waiting_for_100_continue = expects_continue
        self.keep_alive = keep_alive
        self.on_response = on_response
        self.body = bytearray()

    def set(self) -> None:
        """Takes notice that a part of the body has come, its end, or the end of the connection or of the answer."""
        self._has_news = True
        if self._news is not None:
            self._news.set()

    async def receive(self) -> Any:
        """The next message of the request: what has come of its body since the last, or that nobody waits for the answer any more."""
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if not (self._has_news or self.disconnected or self.response_complete):
            self.flow.resume_reading()
            self._news = self._news or asyncio.Event()
            self._news.clear()
            await self._news.wait()
        self._has_news = False
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        rest = take_body(self.scope)
        body, self.body = bytes(self.body) if rest is None else rest, bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Any) -> None:
        """Sends what a message says. Raises RuntimeError for one that cannot follow the last, and for what HTTP cannot say."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self.response_started:
            self.response_started, self.waiting_for_100_continue = True, False
            self._begin(message["status"], message.get("headers", ()))
            if "body" in message:
                self._go_on(message["body"], is_last=True)
        elif kind == "http.response.body" and self.response_started and not self.response_complete:
            self._go_on(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"The application sent the message {kind!r}, which cannot follow what it has sent.")

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        lines = [_status_line(status)]
        for name, value in self.default_headers:
            lines.append(_line(name, value))
        if type(headers) is MeasuredHeaders:
            self.expected_content_length, self.chunked_encoding = headers.length, False
            lines += (headers.fixed.lines, b"content-length: %d\r\n" % headers.length)
        else:
            lines += [self._told(name, value) for name, value in headers]
        if not self.keep_alive and not any(line.startswith(b"connection:") and b"close" in line.lower() for line in lines):
            lines.append(b"connection: close\r\n")
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in _BODILESS:
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(b"\r\n")
        self._head = b"".join(lines)
        if self.chunked_encoding is not False:
            self._write(b"")

    def _told(self, name: bytes, value: bytes) -> bytes:
        """The line of a header, which may tell where the answer ends."""
        lower = name.lower()
        if lower == b"connection":
            self.keep_alive = self.keep_alive and b"close" not in (token.strip() for token in value.lower().split(b","))
        elif lower == b"content-length" and self.chunked_encoding is None:
            self.expected_content_length, self.chunked_encoding = int(value), False
        elif lower == b"transfer-encoding" and value.lower() == b"chunked":
            self.expected_content_length, self.chunked_encoding = 0, True
        return _line(lower, value) if len(value) <= _SHORT_BYTES else header_line(lower, value)

    def _go_on(self, body: bytes, *, is_last: bool) -> None:
        if self.scope["method"] == "HEAD":
            self.expected_content_length, body = 0, b""
        elif self.chunked_encoding:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body += b"0\r\n\r\n" if is_last else b""
        else:
            self.expected_content_length -= len(body)
        if self.expected_content_length < 0 or (is_last and self.expected_content_length):
            raise RuntimeError("The body of the answer is not as long as its Content-Length says.")
        self._write(body)
        if is_last:
            self.response_complete = True
            self.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()

    def _write(self, body: bytes) -> None:
        self.transport.write(self._head + body if self._head else body)
        self._head = b""


@cache
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""  # HTTP takes others, such as that of GraphQL for an answer that is right in parts.
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


# Nearly every answer has the same headers as the one before it.
_line = lru_cache(maxsize=1024)(header_line)
