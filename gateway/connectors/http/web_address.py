"""Where a request goes."""

import re

import httpx
from msgspec import Struct

from gateway.errors import UpstreamRejectedError

_USUAL_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"/[\w.~!$&'()*+,;=:@%/-]*(?:\?[\w.~!$&'()*+,;=:@%/?[\]-]*)?", re.ASCII)
# What is read as it is written: the signs that addresses are made of (RFC 3986, 3.3 and 3.4), without those that httpx encodes.
_LONGEST_PLAIN = 60_000


class WebAddress(Struct, frozen=True):
    """An address of http or https, taken apart; without user, password and fragment."""

    scheme: str
    host: str
    """In lower case and ASCII, as DNS knows it; an IPv6 address without brackets."""
    port: int | None
    """Null for the usual one."""
    target: str
    """Path and query as they go on the wire."""

    @classmethod
    def of(cls, url: httpx.URL) -> "WebAddress":
        """The same address. Raises UpstreamRejectedError for what is not http or https, and for credentials in the address."""
        if url.scheme not in _USUAL_PORTS or not url.raw_host:
            raise UpstreamRejectedError("The address of the app must start with http:// or https:// and name a host.")
        if url.userinfo:
            raise UpstreamRejectedError("The address of the app holds a user name or password. Put them into the connection's credentials.")
        port = url.port if url.port != _USUAL_PORTS[url.scheme] else None
        return cls(url.scheme, url.raw_host.decode("ascii", "replace").lower(), port, url.raw_path.decode("ascii"))

    @classmethod
    def parse(cls, text: str) -> "WebAddress":
        """The address that a text holds. Raises as `of` does, and httpx.InvalidURL for what is no address."""
        return cls.of(httpx.URL(text))

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port, comparable."""
        return self.scheme, self.host, _USUAL_PORTS[self.scheme] if self.port is None else self.port

    def at(self, target: str) -> "WebAddress":
        """Another place on the same server; `target` starts with a slash. Raises httpx.InvalidURL where that would be no address."""
        if not target.startswith("/"):
            raise httpx.InvalidURL("A place on a server starts with a slash.")
        if len(target) <= _LONGEST_PLAIN and "/." not in target and _PLAIN.fullmatch(target):
            return WebAddress(self.scheme, self.host, self.port, target)
        return WebAddress.parse(self.server + target)

    @property
    def server(self) -> str:
        """The address without its target."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" if self.port is None else f"{self.scheme}://{host}:{self.port}"

    def __str__(self) -> str:
        return self.server + self.target
