"""What of a request goes on the wire."""

import re
from collections.abc import Mapping

from multidict import CIMultiDict

from gateway import __version__
from gateway.connectors.http.web_address import WebAddress
from gateway.errors import UpstreamRejectedError

_SCHEMES = frozenset({"http", "https"})
_HOST = re.compile(r"[\w.~!$&'()*+,;=%-]+|[0-9a-fA-F]*:[0-9a-fA-F:.]+(?:%[\w.~%-]+)?", re.ASCII)
_TARGET = re.compile(r"/[!-\"$-~]*")
# No user, no fragment, and no sign at which the line of the request would end.
_DOT_SEGMENT = re.compile(r"(?:\.|%2e){1,2}(?:(?:;|%3b).*)?", re.IGNORECASE)
# Some servers take what follows a semicolon for a parameter of the segment, and walk up all the same.
_SEPARATOR = re.compile(r"/|\\|%2f|%5c", re.IGNORECASE)
_MAY_BE_A_DOT = re.compile(r"\.|%2e", re.IGNORECASE)
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


def checked_url(url: WebAddress) -> str:
    """The address of a request, as the request spells it.

    Raises UpstreamRejectedError for `.` and `..` segments, and for parts that together make another address than each of them says.
    """
    if not (url.scheme in _SCHEMES and _HOST.fullmatch(url.host) and _TARGET.fullmatch(url.target)):
        raise UpstreamRejectedError("The request has no address of http or https with a host, and a path of ASCII after a slash.")
    path = url.target.partition("?")[0]
    if _MAY_BE_A_DOT.search(path) and any(_DOT_SEGMENT.fullmatch(segment) for segment in _SEPARATOR.split(path)):
        raise UpstreamRejectedError("The path of the request has a segment '.' or '..', which would leave the place it was meant for.")
    return str(url)


def checked_method(method: str) -> str:
    """The method of a request. Raises UpstreamRejectedError for CONNECT, TRACE and what is no method."""
    method = method.upper()
    if method in {"CONNECT", "TRACE"} or not _TOKEN.fullmatch(method):
        raise UpstreamRejectedError(f"The gateway sends no request of method {method!r}.")
    return method


def outgoing_headers(given: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers to send: those given, without those of the transfer, and the gateway's name where they hold none.

    Raises UpstreamRejectedError for a header that would not arrive as it was given; the message never holds its value.
    """
    headers = CIMultiDict({name: _checked_value(name, value) for name, value in given.items() if name.lower() not in _REPLACED})
    headers["Accept-Encoding"] = "gzip, deflate"
    headers.setdefault("User-Agent", f"gateway/{__version__}")
    return headers


_REPLACED = OF_THE_TRANSFER | {"accept-encoding"}


def _checked_value(name: str, value: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise UpstreamRejectedError(f"A request cannot have a header named {name!r}.")
    if _CONTROL_CHARACTER.search(value):
        raise UpstreamRejectedError(f"The value of header {name!r} holds a line break or another control character. Enter it without.")
    if not value.isascii() and _SURROGATE.search(value):
        raise UpstreamRejectedError(f"The value of header {name!r} is not valid Unicode. Enter it again.")
    return value
