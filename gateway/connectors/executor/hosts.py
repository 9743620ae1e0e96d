"""Which addresses the requests of a connection may go to."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

import httpx

from gateway.connectors.executor.names import Names, asked
from gateway.connectors.format.requests import Http
from gateway.connectors.http import WebAddress
from gateway.errors import UpstreamRejectedError, UpstreamResponseError
from gateway.expressions import ExpressionError, Template

_HOST_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_.])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ENCODED_PORT = re.compile(r"^(https?://[^/?#]+)%3A(\d{1,5})(?=/|$)")


@dataclass(frozen=True)
class Hosts:
    """The base address of a connection's app, and the other hosts that belong to the app."""

    base: WebAddress
    """Without query and final slash."""
    allowed: frozenset[str]
    """As `host`, at the usual port, or as `host:port`."""

    def followed(self, target: str, *, source: WebAddress, what: str) -> WebAddress:
        """The address that an answer from `source` leads to, absolute, relative ones resolved.

        Raises UpstreamResponseError when it leaves the app: another host than the base address and the allowed ones,
        from https to http, or no web address at all. Credentials are sent there, so nothing else may be followed.
        """
        try:
            url = _checked(httpx.URL(str(source)).join(target))
        except (httpx.InvalidURL, ValueError) as error:
            raise UpstreamResponseError(f"{what} is no address that can be followed: {error}.") from error
        self.require(url, what=what)
        return url

    def require(self, url: WebAddress, *, what: str) -> None:
        """Raises UpstreamResponseError unless the address belongs to the app."""
        if self.base.scheme == "https" and url.scheme == "http":
            raise UpstreamResponseError(f"{what} leads from https to http, on host {_shown_host(url)}; it is not followed.")
        names = {f"{url.host}:{url.origin[2]}", *([url.host] if url.port is None else [])}
        if url.origin != self.base.origin and not self.allowed & names:
            raise UpstreamResponseError(
                f"{what} leads to another host, {_shown_host(url)}; it is not followed. "
                "Where the host belongs to the app, its connector must name it under http.allowed_hosts."
            )

    def is_base(self, url: WebAddress) -> bool:
        """Whether the address has the scheme, host and port of the base address."""
        return url.origin == self.base.origin


def hosts_of(http: Http, names: Names) -> Hosts:
    """The hosts of a connection's app. Raises UpstreamRejectedError when its base address cannot be used."""
    return Hosts(_base(_base_text(http.base_url, names)), frozenset(_allowed(host) for host in http.allowed_hosts))


@lru_cache(maxsize=1_000)
def _base(text: str) -> WebAddress:
    # Kept by its text: each read needs it, and reading an address takes longer than finding it again.
    try:
        url = _checked(httpx.URL(text))
    except (httpx.InvalidURL, ValueError) as error:
        raise UpstreamRejectedError(f"The app's address cannot be used: {error}. Correct the connection's parameters.") from error
    if "?" in text or "#" in text:
        raise UpstreamRejectedError("The app's address must have no query and no fragment. Correct the connection's parameters.")
    return url.at(url.target.rstrip("/") or "/")


def _base_text(template: Template, names: Names) -> str:
    source = template.source
    if not (isinstance(source, str) and source.startswith(("http://", "https://"))):
        text = asked(template, names, what="The app's address")
        if not isinstance(text, str):
            raise UpstreamRejectedError("The app's address is missing. Correct the connection's parameters.")
        return text.strip()
    # The file fixes where the host stands: encoding what fills it in keeps a value such as `evil.test/` from moving it.
    try:
        return _ENCODED_PORT.sub(r"\1:\2", template.render_path(names))
    except ExpressionError as error:
        raise UpstreamRejectedError(f"The app's address cannot be told: {error}. Correct the connection's parameters.") from error


def _checked(url: httpx.URL) -> WebAddress:
    """The address. Raises ValueError that says what is wrong with it, without showing it: it may hold a password."""
    if url.scheme not in _DEFAULT_PORTS:
        raise ValueError("it must start with http:// or https://")
    if url.userinfo:
        raise ValueError("it must hold no user name or password")
    if not _is_host(_host(url)) or not 0 < _port(url) < 65_536:
        raise ValueError("it must name a host, and a port only where there is one")
    return WebAddress.of(url)


def _is_host(host: str) -> bool:
    if _HOST_NAME.fullmatch(host):
        return True
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii", "replace").lower()


def _port(url: httpx.URL) -> int:
    return _DEFAULT_PORTS.get(url.scheme, 0) if url.port is None else url.port


def _allowed(host: str) -> str:
    return host.strip().lower().replace("[", "").replace("]", "")


def _shown_host(url: WebAddress) -> str:
    return repr(url.host[:100] + (f":{url.port}" if url.port is not None else ""))
