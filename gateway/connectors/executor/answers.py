"""An app's answer, and what it means.

An answer may be the answer to many readers at once and later: nobody changes what is in it.
"""

from collections.abc import Mapping
from dataclasses import field, replace

from gateway.connectors.executor.answer_bodies import Body
from gateway.connectors.executor.links import readable_headers
from gateway.connectors.executor.names import Names
from gateway.connectors.http import AppResponse, PageShape, WebAddress
from gateway.models import JsonObject, JsonValue
from gateway.values import value

_BYTES_BESIDE = 1024
"""What all answers take beside their bodies and headers."""


@value(kw_only=True)
class Answer:
    """What an app answered, and what that means."""

    status: int
    headers: Mapping[str, str]
    readable_headers: JsonObject
    content: Body = field(repr=False)
    url: WebAddress
    """Where it came from, after redirects, without the proof of who asked."""
    is_empty: bool = False
    """Whether the connector says that it stands for nothing."""

    @property
    def body(self) -> JsonValue:
        """The JSON of its body, as `Body.whole`."""
        return self.content.whole

    @property
    def fault(self) -> str | None:
        """Why the body is no JSON; null for what stands for nothing, whatever its body."""
        return None if self.is_empty else self.content.fault

    @property
    def weight(self) -> int:
        """How many bytes of memory it takes, by estimate."""
        return _BYTES_BESIDE + sum(map(len, self.headers)) + sum(map(len, self.headers.values())) + self.content.weight

    @property
    def names(self) -> Names:
        """The names that it adds to expressions."""
        return self.names_with(self.body)

    def names_with(self, body: JsonValue) -> Names:
        """The same where no more of the body is read than this."""
        return {"status": self.status, "headers": self.readable_headers, "body": body}

    def emptied(self) -> "Answer":
        """The same answer, standing for nothing."""
        return replace(self, is_empty=True)


def decoded(response: AppResponse, *, url: WebAddress, app: str, shape: PageShape | None = None) -> Answer:
    """The answer of a response. With a shape no more of its body is read than that, if it is of that shape."""
    is_success = 200 <= response.status < 300
    return Answer(
        status=response.status,
        headers=response.headers,
        readable_headers=readable_headers(response.headers),
        content=Body(response, app=app, shape=shape if is_success else None),
        url=url,
    )
