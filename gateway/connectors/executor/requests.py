"""Requests out of the templates of a connector file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_plus

import httpx

from gateway.connectors.executor.names import Names, asked, kind_of
from gateway.connectors.format.requests import Http, Request
from gateway.errors import UpstreamRejectedError
from gateway.expressions import ExpressionError, Template
from gateway.models import JsonValue

_DEFAULT_HEADERS = {"accept": "application/json"}
_HEADER_CHARACTERS = frozenset("\t") | frozenset(map(chr, range(0x20, 0x7F)))


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A request, before it proves who it comes from."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    is_safe: bool
    """Whether sending it twice is the same as sending it once."""
    is_proven: bool = True
    """Whether it says who asks; a login does not."""


def outgoing(
    request: Request, http: Http, *, base: httpx.URL, names: Names, query: Mapping[str, JsonValue], url: httpx.URL | None = None
) -> Outgoing:
    """The request with its templates filled in; `query` stands in for what the request says of the same name.

    An address that the app gave, `url`, stands in for path and query.
    Raises UpstreamRejectedError when a value cannot be part of a request.
    """
    return Outgoing(
        method=request.method,
        url=url if url is not None else _url(request, base=base, names=names, query=query),
        headers=_headers(request, http, names=names),
        content=_content(request, names=names),
        is_safe=request.is_safe,
    )


def with_query(url: httpx.URL, values: Mapping[str, str | None]) -> httpx.URL:
    """The address with these values in its query, in place of those of the same names; null takes them away.

    Everything else in the query stays as it is written: apps sign their addresses, and some read `+` and `%20` differently.
    """
    kept = [pair for pair in url.query.decode("ascii").split("&") if pair and unquote_plus(pair.partition("=")[0]) not in values]
    added = [_pair(name, value) for name, value in values.items() if value is not None]
    return url.copy_with(query="&".join([*kept, *added]).encode() or None)


def is_header_value(text: str) -> bool:
    """Whether a header can carry the text: a line break in it would begin another header."""
    return set(text) <= _HEADER_CHARACTERS and text == text.strip()


def _url(request: Request, *, base: httpx.URL, names: Names, query: Mapping[str, JsonValue]) -> httpx.URL:
    try:
        path = request.path.render_path(names)
    except ExpressionError as error:
        raise UpstreamRejectedError(f"The request cannot be made: {error}.") from error
    rendered = {name: asked(value, names, what=f"Query parameter {name!r}") for name, value in request.query.items()} | dict(query)
    pairs = "&".join(_pair(name, text) for name, value in rendered.items() for text in _query_texts(name, value))
    rooted = path if path.startswith(("/", "?")) or not path else f"/{path}"
    separator = "&" if "?" in path else "?"
    try:
        return httpx.URL(str(base).rstrip("/") + rooted + (separator + pairs if pairs else ""))
    except httpx.InvalidURL as error:
        raise UpstreamRejectedError("The request cannot be made: its address would be too long, or no address.") from error


def _query_texts(name: str, value: JsonValue) -> Iterator[str]:
    """What stands in the query for a value: nothing for null, the name again for each item of a list."""
    for item in value if isinstance(value, list) else [value]:
        if item is not None:
            yield _text(item)


def _pair(name: str, value: str) -> str:
    try:
        return f"{quote(name, safe='[]$@:')}={quote(value, safe='')}"
    except UnicodeEncodeError as error:
        raise UpstreamRejectedError(f"Query parameter {name!r} holds text that is not Unicode.") from error


def _headers(request: Request, http: Http, *, names: Names) -> dict[str, str]:
    headers = dict(_DEFAULT_HEADERS)
    if request.body is not None:
        headers["content-type"] = "application/json"
    for name, template in (*http.headers.items(), *request.headers.items()):
        value = _header(name, template, names)
        if value is None:
            headers.pop(name.lower(), None)
        else:
            headers[name.lower()] = value
    return headers


def _header(name: str, template: Template, names: Names) -> str | None:
    value = asked(template, names, what=f"Header {name!r}")
    if value is None:
        return None
    text = _text(value)
    if not is_header_value(text):
        raise UpstreamRejectedError(f"Header {name!r} would hold a line break or another character that no header carries.")
    return text


def _content(request: Request, *, names: Names) -> bytes:
    if request.body is None:
        return b""
    body = asked(request.body, names, what="The request body")
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        raise UpstreamRejectedError(f"The request body, {kind_of(body)}, is no JSON.") from error


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
