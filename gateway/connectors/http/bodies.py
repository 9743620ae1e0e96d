"""An answer's body, read and decoded within a bound of bytes."""

import zlib
from typing import Protocol

from gateway.errors import UpstreamResponseError

MAX_GZIP_MEMBERS = 100
"""Members of one gzip body that are read: each costs a copy of the rest of its chunk, and honest bodies have one."""


class Body:
    """A body that comes in chunks, decoded. At most `max_bytes` are held, before decoding and after."""

    def __init__(self, *, content_encoding: str, max_bytes: int) -> None:
        self._coding = content_encoding
        self._max_bytes = max_bytes
        # An answer to HEAD, and a 304, names the coding of a body that does not come: only a body that comes is judged.
        self._decoder: _Decoder | None = None
        self._received = 0
        self._decoded: bytes | bytearray = b""

    def add(self, chunk: bytes) -> None:
        """Takes the next chunk.

        Raises UpstreamResponseError where that makes the body too large, for a coding other than gzip and deflate, for several
        codings on one another, and for what is not of its coding.
        """
        self._received += len(chunk)
        if self._received > self._max_bytes:
            raise _too_large(self._max_bytes)
        if self._coding:
            self._decoder = self._decoder or _decoder_for(self._coding, max_bytes=self._max_bytes)
            chunk = self._decoder.decode(chunk)
        if not self._decoded:
            self._decoded = chunk  # Most bodies come at once.
        elif isinstance(self._decoded, bytes):
            self._decoded = bytearray(self._decoded) + chunk
        else:
            self._decoded += chunk

    def whole(self) -> bytes:
        """All of it, once the last chunk has come. Raises UpstreamResponseError where it ends before its coding does."""
        if self._decoder is not None:
            self._decoder.end()
        return bytes(self._decoded)


class _Decoder(Protocol):
    def decode(self, chunk: bytes) -> bytes: ...

    def end(self) -> None: ...


class _Identity:
    def decode(self, chunk: bytes) -> bytes:
        return chunk

    def end(self) -> None:
        return


class _Inflater:
    """Decodes gzip, of one member or several, and deflate, with the wrapper of zlib or without."""

    def __init__(self, coding: str, *, max_bytes: int) -> None:
        self._coding = coding
        self._max_bytes = max_bytes
        self._room = max_bytes
        self._member: zlib._Decompress | None = None
        self._member_count = 0
        self._undecided = b""

    def decode(self, chunk: bytes) -> bytes:
        """What the chunk decodes to. Raises UpstreamResponseError where that is more than the room that is left."""
        decoded = bytearray()
        data = self._undecided + chunk
        self._undecided = b""
        while data:
            if self._member is None and len(data) < 2:
                self._undecided = data
                break
            member = self._member = self._member or self._next_member(data)
            try:
                # One byte more than there is room for: enough to see that it is too much.
                part = member.decompress(data, self._room + 1)
            except zlib.error:
                raise self._broken() from None
            if len(part) > self._room:
                raise _too_large(self._max_bytes)
            self._room -= len(part)
            decoded += part
            data = member.unused_data
            if member.eof:
                self._member = None
        return bytes(decoded)

    def end(self) -> None:
        """Raises UpstreamResponseError unless the coding came to its end."""
        if self._member is not None or self._undecided:
            raise self._broken()

    def _next_member(self, start: bytes) -> "zlib._Decompress":
        self._member_count += 1
        if self._member_count > (MAX_GZIP_MEMBERS if self._coding == "gzip" else 1):
            raise self._broken()
        return zlib.decompressobj(16 + zlib.MAX_WBITS if self._coding == "gzip" else _deflate_window_bits(start))

    def _broken(self) -> UpstreamResponseError:
        return UpstreamResponseError(f"The app's answer says that it is encoded with {self._coding}, and is not, or breaks off.")


def _decoder_for(content_encoding: str, *, max_bytes: int) -> _Decoder:
    codings = [coding for part in content_encoding.split(",") if (coding := part.strip().lower()) not in {"", "identity"}]
    match codings:
        case []:
            return _Identity()
        case ["gzip" | "x-gzip"]:
            return _Inflater("gzip", max_bytes=max_bytes)
        case ["deflate"]:
            return _Inflater("deflate", max_bytes=max_bytes)
        case _:
            shown = ", ".join(codings)[:60]
            raise UpstreamResponseError(f"The app's answer is encoded with {shown!r}. The gateway reads one of gzip and deflate.")


def _deflate_window_bits(start: bytes) -> int:
    """Whether the wrapper of zlib is there: its two bytes are a multiple of 31 and name method 8 (RFC 1950, 2.2)."""
    is_wrapped = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS


def _too_large(max_bytes: int) -> UpstreamResponseError:
    return UpstreamResponseError(f"The app's answer is larger than the {max_bytes} bytes that the gateway reads.")
