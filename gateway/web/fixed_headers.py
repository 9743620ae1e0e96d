"""Headers of answers that are the same each time, but for the length of the body."""

import re
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["FixedHeaders", "MeasuredHeaders", "header_line"]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


def header_line(name: bytes, value: bytes) -> bytes:
    """A header as HTTP has it. Raises RuntimeError where that would be more than one line, or none."""
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise RuntimeError("The application sent a header that HTTP cannot carry.")
    return b"%b: %b\r\n" % (name.lower(), value)


class FixedHeaders:
    """Headers that are looked at once, when they are made, however often they are sent; none of them tells where an answer ends."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.pairs = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())
        self.lines = b"".join(header_line(name, value) for name, value in self.pairs)
        """All of them, as HTTP has them."""


class MeasuredHeaders(Iterable[tuple[bytes, bytes]]):
    """Fixed headers and the length of a body: the headers of an ASGI message, whose receiver may take the lines instead."""

    __slots__ = ("fixed", "length")

    def __init__(self, fixed: FixedHeaders, length: int) -> None:
        self.fixed = fixed
        self.length = length

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return iter((*self.fixed.pairs, (b"content-length", b"%d" % self.length)))
