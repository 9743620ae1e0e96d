"""What a scripted app may answer: good answers, slow ones and broken ones."""

import asyncio
import gzip
import io
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from gateway.models.json import JsonValue

NO_JSON = object()
_CHUNK = 64 * 1024

Headers = Mapping[str, str] | Sequence[tuple[str, str]]


class Scripted(Protocol):
    """Anything that can be written as the answer to a request."""

    async def write(self, reader: StreamReader, writer: StreamWriter, *, method: str) -> bool:
        """Writes the answer. True when the connection stays open for another request."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer as an app means it: a status, headers, and a body of JSON, text or bytes.

    `content_length` tells another length than the body's; the connection is closed after it. `closes` closes it after a good
    answer, without telling so first.
    """

    status: int = 200
    headers: Headers = field(default_factory=dict)
    json: JsonValue = NO_JSON
    body: bytes | str = b""
    delay_seconds: float = 0
    content_length: int | None = None
    closes: bool = False

    async def write(self, reader: StreamReader, writer: StreamWriter, *, method: str) -> bool:
        """Writes status, headers and body; no body for HEAD and for statuses that have none."""
        await asyncio.sleep(self.delay_seconds)
        content = self._content()
        headers = list(self.headers.items()) if isinstance(self.headers, Mapping) else list(self.headers)
        names = {name.lower() for name, _ in headers}
        if self.json is not NO_JSON and "content-type" not in names:
            headers.append(("Content-Type", "application/json"))
        has_body = self.status >= 200 and self.status not in {204, 304}
        if has_body and not names & {"content-length", "transfer-encoding"}:
            headers.append(("Content-Length", str(len(content) if self.content_length is None else self.content_length)))

        writer.write(head(self.status, headers) + (content if has_body and method != "HEAD" else b""))
        await writer.drain()
        return not self.closes and self.content_length in {None, len(content)}

    def _content(self) -> bytes:
        if self.json is not NO_JSON:
            return json.dumps(self.json).encode()
        return self.body.encode() if isinstance(self.body, str) else self.body


@dataclass(frozen=True)
class Garbage:
    """Bytes that need not be HTTP, then the end of the connection, unless it `stays_open`."""

    data: bytes
    stays_open: bool = False

    async def write(self, reader: StreamReader, writer: StreamWriter, *, method: str) -> bool:
        """Writes the bytes."""
        writer.write(self.data)
        await writer.drain()
        return self.stays_open


@dataclass(frozen=True)
class Drop:
    """No answer: the connection ends, politely or by a reset, after the request was read."""

    resets: bool = False

    async def write(self, reader: StreamReader, writer: StreamWriter, *, method: str) -> bool:
        """Writes nothing."""
        if self.resets:
            writer.transport.abort()
        return False


@dataclass(frozen=True)
class Hang:
    """No answer, and the connection stays open until the client leaves."""

    async def write(self, reader: StreamReader, writer: StreamWriter, *, method: str) -> bool:
        """Waits until the client leaves."""
        await reader.read()
        return False


@dataclass(frozen=True, kw_only=True)
class Drip:
    """A good answer whose body comes byte by byte, with a pause before each."""

    body: bytes
    pause_seconds: float
    status: int = 200

    async def write(self, reader: StreamReader, writer: StreamWriter, *, method: str) -> bool:
        """Writes the head at once and the body slowly."""
        writer.write(head(self.status, [("Content-Length", str(len(self.body)))]))
        for byte in self.body:
            await asyncio.sleep(self.pause_seconds)
            writer.write(bytes([byte]))
            await writer.drain()
        return True


@dataclass(frozen=True, kw_only=True)
class EndlessBody:
    """A body that goes on until the client leaves, or until `size` bytes, in a chunked coding or without."""

    headers: Headers = field(default_factory=dict)
    chunk: bytes = b"x" * _CHUNK
    size: int = 10 * 1024**3
    is_chunked: bool = True

    async def write(self, reader: StreamReader, writer: StreamWriter, *, method: str) -> bool:
        """Writes until somebody has enough."""
        headers = list(self.headers.items()) if isinstance(self.headers, Mapping) else list(self.headers)
        headers.append(("Transfer-Encoding", "chunked") if self.is_chunked else ("Content-Length", str(self.size)))
        writer.write(head(200, headers))
        written = 0
        while written < self.size:
            writer.write(b"%x\r\n%b\r\n" % (len(self.chunk), self.chunk) if self.is_chunked else self.chunk)
            await writer.drain()
            written += len(self.chunk)
        writer.write(b"0\r\n\r\n" if self.is_chunked else b"")
        return False


def gzip_bomb(*, size: int) -> Answer:
    """A small answer that decodes to `size` bytes of white space."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        for _ in range(size // _CHUNK):
            file.write(b" " * _CHUNK)
        file.write(b" " * (size % _CHUNK))
    return Answer(headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}, body=buffer.getvalue())


def head(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    """The status line and headers as bytes, the empty line included."""
    reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    # An app may write any bytes: one that is no UTF-8 is given as half a surrogate pair, as Python reads such bytes.
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("utf-8", "surrogateescape")
