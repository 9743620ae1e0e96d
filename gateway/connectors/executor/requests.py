"""Requests out of the templates of a connector file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, unquote_plus

import httpx

from gateway.connectors.executor.bodies import CONTENT_TYPES, content_of, text_of
from gateway.connectors.executor.names import Names
from gateway.connectors.format.requests import Http, Request
from gateway.connectors.http import WebAddress
from gateway.errors import UpstreamRejectedError
from gateway.expressions import ExpressionError, Template
from gateway.models import JsonValue

_DEFAULT_HEADERS = {"accept": "application/json"}
_HEADER_CHARACTERS = frozenset("\t") | frozenset(map(chr, range(0x20, 0x7F)))


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """A request, before it proves who it comes from."""

    method: str
    url: WebAddress
    headers: dict[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    is_safe: bool
    """Whether sending it twice is the same as sending it once."""
    is_proven: bool = True
    """Whether it says who asks; a login does not."""
    is_graphql: bool = False
    """Whether its answer holds GraphQL's `data` and `errors`."""


@dataclass(frozen=True, kw_only=True)
class Added:
    """What a request says beside what its templates do, in place of what they say of the same name."""

    query: Mapping[str, JsonValue] = field(default_factory=dict)
    headers: Mapping[str, JsonValue] = field(default_factory=dict)
    body: Mapping[str, JsonValue] = field(default_factory=dict)
    """In JSON by names in which dots lead into objects, in a form by names, in GraphQL by variables."""


NOTHING_ADDED = Added()
_NO_MEMBERS: Mapping[str, str] = {}


def outgoing(
    request: Request,
    http: Http,
    *,
    base: WebAddress,
    names: Names,
    added: Added = NOTHING_ADDED,
    members: Mapping[str, str] = _NO_MEMBERS,
    url: WebAddress | None = None,
) -> Outgoing:
    """The request with its templates filled in.

    `members` prove in its body who asks, by plain names. An address that the app gave, `url`, stands in for path and query.
    Raises UpstreamRejectedError when a value cannot be part of a request.
    """
    return Outgoing(
        method=request.method,
        url=url if url is not None else _url(request, base=base, names=names, query=added.query),
        headers=_headers(request, http, names=names, added=added.headers, has_members=bool(members)),
        content=content_of(request, names=names, added=added.body, members=members),
        is_safe=request.is_safe,
        is_graphql=request.graphql is not None,
    )


def with_query(url: WebAddress, values: Mapping[str, str | None]) -> WebAddress:
    """The address with these values in its query, in place of those of the same names; null takes them away.

    Everything else in the query stays as it is written: apps sign their addresses, and some read `+` and `%20` differently.
    Raises UpstreamRejectedError when it would be too long.
    """
    path, _, query = url.target.partition("?")
    kept = [pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in values]
    added = [_pair(name, value) for name, value in values.items() if value is not None]
    return _place(url, f"{path}?{'&'.join(pairs)}" if (pairs := [*kept, *added]) else path)


def is_header_value(text: str) -> bool:
    """Whether a header can carry the text: a line break in it would begin another header."""
    return set(text) <= _HEADER_CHARACTERS and text == text.strip()


def _url(request: Request, *, base: WebAddress, names: Names, query: Mapping[str, JsonValue]) -> WebAddress:
    try:
        path = request.path.render_path(names, keeps=request.path_keeps)
    except ExpressionError as error:
        raise UpstreamRejectedError(f"The request cannot be made: {error}.") from error
    rooted = path if path.startswith(("/", "?")) or not path else f"/{path}"
    target = base.target.rstrip("/") + rooted
    if pairs := _pairs({**_rendered(request.query, names, what="Query parameter"), **query}):
        target += f"{'&' if '?' in path else '?'}{'&'.join(pairs)}"
    return _place(base, target if target.startswith("/") else f"/{target}")


def _rendered(templates: Mapping[str, Template], names: Names, *, what: str) -> dict[str, JsonValue]:
    values: dict[str, JsonValue] = {}
    for name, template in templates.items():
        try:
            values[name] = template.render(names)
        except ExpressionError as error:
            raise UpstreamRejectedError(f"{what} {name!r} cannot be told: {error}.") from error
    return values


def _place(server: WebAddress, target: str) -> WebAddress:
    try:
        return server.at(target)
    except httpx.InvalidURL as error:
        raise UpstreamRejectedError("The request cannot be made: its address would be too long, or no address.") from error


def _pairs(values: Mapping[str, JsonValue]) -> list[str]:
    """What stands in the query: nothing for null, the name again for each item of a list."""
    pairs: list[str] = []
    for name, value in values.items():
        if isinstance(value, list):
            pairs += [_pair(name, item) for item in value if item is not None]
        elif value is not None:
            pairs.append(_pair(name, value))
    return pairs


def _pair(name: str, value: JsonValue) -> str:
    text = value if isinstance(value, str) else text_of(value)
    try:
        return f"{_quoted_name(name)}={text if text.isascii() and text.isalnum() else quote(text, safe='')}"
    except UnicodeEncodeError as error:
        raise UpstreamRejectedError(f"Query parameter {name!r} holds text that is not Unicode.") from error


@lru_cache(maxsize=1_000)
def _quoted_name(name: str) -> str:
    return quote(name, safe="[]$@:")


def _headers(request: Request, http: Http, *, names: Names, added: Mapping[str, JsonValue], has_members: bool) -> dict[str, str]:
    headers = dict(_DEFAULT_HEADERS)
    if request.body_key is not None or has_members:
        headers["content-type"] = CONTENT_TYPES[request.body_key or "json"]
    for templates in (http.headers, request.headers):
        if templates:
            _put(headers, _rendered(templates, names, what="Header"))
    if added:
        _put(headers, added)
    return headers


def _put(headers: dict[str, str], values: Mapping[str, JsonValue]) -> None:
    """Puts the values in place of those of the same names; null takes them away."""
    for name, value in values.items():
        if value is None:
            headers.pop(name.lower(), None)
        else:
            headers[name.lower()] = _header(name, value)


def _header(name: str, value: JsonValue) -> str:
    text = text_of(value)
    if not is_header_value(text):
        raise UpstreamRejectedError(f"Header {name!r} would hold a line break or another character that no header carries.")
    return text
