"""What of a request goes on the wire."""

import re
from functools import lru_cache

from gateway import __version__
from gateway.connectors.http.request import AppRequest
from gateway.connectors.http.web_address import WebAddress
from gateway.errors import UpstreamRejectedError

_SCHEMES = frozenset({"http", "https"})
_HOST = re.compile(r"[\w.~!$&'()*+,;=%-]+|[0-9a-fA-F]*:[0-9a-fA-F:.]+(?:%[\w.~%-]+)?", re.ASCII)
_TARGET = re.compile(r"/[!-\"$-~]*")
# No user, no fragment, and no sign at which the line of the request would end.
_DOT_SEGMENT = re.compile(r"(?:\.|%2e){1,2}(?:(?:;|%3b).*)?", re.IGNORECASE)
# Some servers take what follows a semicolon for a parameter of the segment, and walk up all the same.
_LAST_PORT = 65_535
_SEPARATOR = re.compile(r"/|\\|%2f|%5c", re.IGNORECASE)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

OF_THE_TRANSFER = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that speak of the connection, not of the message (RFC 9110, 7.6.1), or that follow from address and body."""

_REPLACED = OF_THE_TRANSFER | {"accept-encoding"}
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_USUAL_METHODS = frozenset({*_WITHOUT_BODY, "POST", "PUT", "PATCH", "DELETE"})


def head_of(request: AppRequest) -> bytes:
    """What goes on the wire before the body: the address as the request spells it, and its headers without those of the transfer.

    Raises UpstreamRejectedError for an address, a method or a header that would not arrive as it was given; the message never
    holds a header's value.
    """
    url, method = request.url, _checked_method(request.method)
    lines = [f"{method} {_checked_target(url)} HTTP/1.1", f"Host: {_checked_authority(url.scheme, url.host, url.port)}"]
    given = set()
    for name, value in request.headers.items():
        lower_name = _checked_name(name)
        if lower_name not in _REPLACED:
            if not (value.isascii() and value.isprintable()):
                _check_unusual(name, value)
            lines.append(f"{name}: {value}")
            given.add(lower_name)
    if "accept" not in given:
        lines.append("Accept: */*")
    if "user-agent" not in given:
        lines.append(f"User-Agent: gateway/{__version__}")
    if request.content or method not in _WITHOUT_BODY:
        lines.append(f"Content-Length: {len(request.content)}")
    lines.append("Accept-Encoding: gzip, deflate\r\n\r\n")
    return "\r\n".join(lines).encode()


@lru_cache(maxsize=100)
def _checked_method(method: str) -> str:
    method = method.upper()
    if method not in _USUAL_METHODS and (method in {"CONNECT", "TRACE"} or not _TOKEN.fullmatch(method)):
        raise UpstreamRejectedError(f"The gateway sends no request of method {method!r}.")
    return method


def _checked_target(url: WebAddress) -> str:
    """Path and query. Raises UpstreamRejectedError for `.` and `..` segments too."""
    if not _TARGET.fullmatch(url.target):
        raise _no_address()
    path = url.target.partition("?")[0]
    may_have_dots = "." in path or "%2" in path
    if may_have_dots and any(_DOT_SEGMENT.fullmatch(segment) for segment in _SEPARATOR.split(path)):
        raise UpstreamRejectedError("The path of the request has a segment '.' or '..', which would leave the place it was meant for.")
    return url.target


@lru_cache(maxsize=1_000)
def _checked_authority(scheme: str, host: str, port: int | None) -> str:
    """Host and port. Raises UpstreamRejectedError for parts that together make another address than each of them says."""
    if scheme not in _SCHEMES or not _HOST.fullmatch(host):
        raise _no_address()
    if port is not None and not 0 < port <= _LAST_PORT:
        raise UpstreamRejectedError(f"The address of the app names port {port}, which no server has. Correct it.")
    shown = f"[{host}]" if ":" in host else host.rstrip(".")
    return shown if port is None else f"{shown}:{port}"


def _no_address() -> UpstreamRejectedError:
    return UpstreamRejectedError("The request has no address of http or https with a host, and a path of ASCII after a slash.")


@lru_cache(maxsize=1_000)
def _checked_name(name: str) -> str:
    """The name of a header in lower case."""
    if not _TOKEN.fullmatch(name):
        raise UpstreamRejectedError(f"A request cannot have a header named {name!r}.")
    return name.lower()


def _check_unusual(name: str, value: str) -> None:
    if _CONTROL_CHARACTER.search(value):
        raise UpstreamRejectedError(f"The value of header {name!r} holds a line break or another control character. Enter it without.")
    if _SURROGATE.search(value):
        raise UpstreamRejectedError(f"The value of header {name!r} is not valid Unicode. Enter it again.")
