"""A request to an app, as it is to be sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.connectors.http.web_address import WebAddress


@dataclass(frozen=True, slots=True)
class AppRequest:
    """What an app is asked. Its `repr` shows nothing that could be secret."""

    method: str
    url: WebAddress = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, kw_only=True)
    content: bytes = field(default=b"", repr=False, kw_only=True)
