"""Answers in JSON, whose heads differ by little."""

from collections.abc import Mapping
from functools import cache

from starlette.responses import Response

from gateway.web.refusals import SECURITY_HEADERS

__all__ = ["JsonAnswer"]

_NO_HEADERS: Mapping[str, str] = {}


class JsonAnswer(Response):
    """A body of JSON, as one of our media types; nobody but the client may keep it."""

    def __init__(self, body: bytes, *, status: int, media_type: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        # Not by the library's own, which encodes each header of each answer anew.
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [*_head(media_type), (b"content-length", b"%d" % len(body))]
        self.raw_headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


@cache  # There are only as many media types as we answer with.
def _head(media_type: str) -> tuple[tuple[bytes, bytes], ...]:
    told = {**SECURITY_HEADERS, "cache-control": "no-store", "vary": "Accept", "content-type": f"{media_type}; charset=utf-8"}
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items())
