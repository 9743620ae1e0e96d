"""An answer's body, read and decoded within a bound of bytes."""

import zlib
from collections.abc import AsyncIterable
from typing import Protocol

from gateway.errors import UpstreamResponseError


async def read_bounded(chunks: AsyncIterable[bytes], *, content_encoding: str, max_bytes: int) -> bytes:
    """The whole body, decoded. At most `max_bytes` are held, before decoding and after.

    Raises UpstreamResponseError for a larger body, for a coding other than gzip and deflate, for several codings on one
    another, and for a body that is not of its coding or ends before it does.
    """
    decoder = _decoder_for(content_encoding)
    body = bytearray()
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > max_bytes:
            raise _too_large(max_bytes)
        body += decoder.decode(chunk, max_length=max_bytes - len(body))
    if received:
        decoder.end()
    return bytes(body)


class _Decoder(Protocol):
    def decode(self, chunk: bytes, *, max_length: int) -> bytes: ...

    def end(self) -> None: ...


class _Identity:
    def decode(self, chunk: bytes, *, max_length: int) -> bytes:
        return chunk

    def end(self) -> None:
        return


class _Inflater:
    """Decodes gzip, of one member or several, and deflate, with the zlib wrapper or without."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._window_bits: int | None = 16 + zlib.MAX_WBITS if coding == "gzip" else None
        self._inflate: zlib._Decompress | None = None
        self._pending = b""

    def decode(self, chunk: bytes, *, max_length: int) -> bytes:
        """What the chunk decodes to. Raises UpstreamResponseError when that is longer than `max_length`."""
        decoded = bytearray()
        data = self._pending + chunk
        self._pending = b""
        while data:
            if self._inflate is None:
                if self._window_bits is None and len(data) < 2:
                    self._pending = data
                    break
                self._inflate = zlib.decompressobj(self._window_bits or _deflate_window_bits(data))
            try:
                # One byte more than allowed, so that too much is seen without being made.
                decoded += self._inflate.decompress(data, max_length - len(decoded) + 1)
            except zlib.error:
                raise self._broken() from None
            if len(decoded) > max_length:
                raise _too_large(max_length)
            data = self._rest()
        return bytes(decoded)

    def end(self) -> None:
        """Raises UpstreamResponseError unless the coding came to its end."""
        if self._pending or (self._inflate is not None and not self._inflate.eof):
            raise self._broken()

    def _rest(self) -> bytes:
        """What is left to decode after one call: with gzip, another member may follow the one that ended."""
        if self._inflate is None:
            return b""
        if not self._inflate.eof:
            return self._inflate.unconsumed_tail
        rest = self._inflate.unused_data
        if rest:
            if self._coding != "gzip":
                raise self._broken()
            self._inflate = None
        return rest

    def _broken(self) -> UpstreamResponseError:
        return UpstreamResponseError(f"The app's answer says that it is encoded with {self._coding}, and is not, or breaks off.")


def _decoder_for(content_encoding: str) -> _Decoder:
    codings = [coding for part in content_encoding.split(",") if (coding := part.strip().lower()) not in {"", "identity"}]
    match codings:
        case []:
            return _Identity()
        case ["gzip" | "x-gzip"]:
            return _Inflater("gzip")
        case ["deflate"]:
            return _Inflater("deflate")
        case _:
            shown = ", ".join(codings)[:60]
            raise UpstreamResponseError(f"The app's answer is encoded with {shown!r}. The gateway reads one of gzip and deflate.")


def _deflate_window_bits(start: bytes) -> int:
    """Whether the wrapper of zlib is there: its two bytes are a multiple of 31 and name method 8 (RFC 1950, 2.2)."""
    is_wrapped = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS


def _too_large(max_bytes: int) -> UpstreamResponseError:
    return UpstreamResponseError(f"The app's answer is larger than the {max_bytes} bytes that the gateway reads.")
