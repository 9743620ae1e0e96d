"""A request to an app, as it is to be sent."""

from collections.abc import Mapping

from msgspec import Struct, field

from gateway.connectors.http.web_address import WebAddress


class AppRequest(Struct, frozen=True):
    """What an app is asked. Its `repr` shows nothing that could be secret."""

    method: str
    url: WebAddress
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    def __repr__(self) -> str:
        return f"AppRequest(method={self.method!r})"
