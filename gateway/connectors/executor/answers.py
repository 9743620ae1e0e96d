"""An app's answer, decoded as far as it can be, or as far as its reader asks.

An answer may be the answer to many readers at once and later: nobody changes what is in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.connectors.executor.links import readable_headers
from gateway.connectors.executor.names import Names
from gateway.connectors.http import AppResponse, JsonPage, PageShape, WebAddress, counted_json, decode_json, read_page
from gateway.errors import UpstreamResponseError
from gateway.models import JsonObject, JsonValue
from gateway.values import value

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")

_BYTES_OF_A_VALUE = 120


@dataclass(frozen=True)
class _Unread:
    """A body of JSON of which only a page was read."""

    text: bytes = field(repr=False)
    shape: PageShape
    page: JsonPage = field(repr=False)


@value(kw_only=True)
class Answer:
    """What an app answered, and what that means."""

    status: int
    headers: Mapping[str, str]
    readable_headers: JsonObject
    whole: JsonValue = field(repr=False)
    """The body where all of it was read."""
    unread: _Unread | None = None
    """The body where only a page of it was."""
    url: WebAddress
    """Where it came from, after redirects, without the proof of who asked."""
    fault: str | None = None
    """Why the body is no JSON."""
    is_empty: bool = False
    """Whether the connector says that it stands for nothing."""
    weight: int = 0
    """How many bytes of memory the body takes, by estimate."""

    @property
    def body(self) -> JsonValue:
        """The JSON; null for an empty body, and for one that is no JSON. It is not kept where only a page was to be read."""
        return self.whole if self.unread is None else decode_json(self.unread.text)

    @property
    def names(self) -> Names:
        """The names that it adds to expressions."""
        return self.names_with(self.body)

    def names_with(self, body: JsonValue) -> Names:
        """The same where no more of the body is read than this."""
        return {"status": self.status, "headers": self.readable_headers, "body": body}

    def page(self, shape: PageShape) -> JsonPage | None:
        """The body as a page of the shape; null where all of it was read, or has to be."""
        if self.unread is None:
            return None
        return self.unread.page if self.unread.shape == shape else read_page(self.unread.text, shape)

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    def emptied(self) -> "Answer":
        """The same answer, standing for nothing."""
        return replace(self, is_empty=True)


def decoded(response: AppResponse, *, url: WebAddress, app: str, shape: PageShape | None = None) -> Answer:
    """The answer of a response. With a shape no more of its body is read than that, if it is of that shape."""
    unread = _unread(response, shape) if shape is not None else None
    body, values, fault = _body(response, app=app) if unread is None else (None, unread.page.values, None)
    return Answer(
        status=response.status,
        headers=response.headers,
        readable_headers=readable_headers(response.headers),
        whole=body,
        unread=unread,
        url=url,
        fault=fault,
        weight=_weight(response, values=values),
    )


def _unread(response: AppResponse, shape: PageShape) -> _Unread | None:
    page = read_page(response.body, shape) if 200 <= response.status < 300 else None
    return _Unread(response.body, shape, page) if page is not None else None


def _weight(response: AppResponse, *, values: int) -> int:
    """What an answer takes at most or nearly so: a text two bytes a character, and a value what an object of two takes."""
    headers = sum(len(name) + len(value) for name, value in response.headers.items())
    return 1024 + headers + 2 * len(response.body) + _BYTES_OF_A_VALUE * values


def _body(response: AppResponse, *, app: str) -> tuple[JsonValue, int, str | None]:
    """The body, how many values it is made of, and why it is no JSON."""
    if not response.body.strip():
        return None, 0, None
    try:
        return *counted_json(response.body), None
    except UpstreamResponseError as error:
        media_type = _MEDIA_TYPE.match(response.headers.get("content-type", "").strip())
        if media_type is not None and not media_type[0].lower().endswith("json"):
            return None, 0, f"{app} answered {media_type[0]} where JSON was expected. Check the address of the app in the connection."
        return None, 0, f"{app} answered what is no JSON: {error.message}"
