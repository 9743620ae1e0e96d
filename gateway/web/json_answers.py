"""Answers in JSON, whose heads differ by little."""

from collections.abc import Mapping
from functools import cache

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.web.extensions import WHOLE_ANSWER
from gateway.web.fixed_headers import FixedHeaders, MeasuredHeaders
from gateway.web.refusals import SECURITY_HEADERS

__all__ = ["JsonAnswer"]


class JsonAnswer(Response):
    """A body of JSON, as one of our media types; nobody but the client may keep it."""

    def __init__(self, body: bytes, *, status: int, media_type: str, headers: Mapping[str, str] | None = None) -> None:
        # Not by the library's own, which encodes each header of each answer anew.
        self.status_code = status
        self.body: bytes = body
        self.background = None
        self._fixed = _fixed(media_type) if not headers else FixedHeaders({**_told(media_type), **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        start: Message = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": MeasuredHeaders(self._fixed, len(self.body)),
        }
        if WHOLE_ANSWER in scope.get("extensions", ()):
            start["body"] = self.body
            await send(start)
        else:
            await send(start)
            await send({"type": "http.response.body", "body": self.body})


def _told(media_type: str) -> dict[str, str]:
    return {**SECURITY_HEADERS, "cache-control": "no-store", "vary": "Accept", "content-type": f"{media_type}; charset=utf-8"}


@cache  # There are only as many media types as we answer with.
def _fixed(media_type: str) -> FixedHeaders:
    return FixedHeaders(_told(media_type))
