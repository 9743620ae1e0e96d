"""The bodies of requests."""

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from gateway.connectors.executor.names import Names, asked, kind_of
from gateway.connectors.format.requests import Request
from gateway.errors import UpstreamRejectedError
from gateway.expressions import Template
from gateway.models import JsonObject, JsonValue

CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
    "graphql": "application/json",
}
"""By the key of a body: what it is, unless a header of the request says otherwise."""

_written = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def content_of(request: Request, *, names: Names, added: Mapping[str, JsonValue], members: Mapping[str, str]) -> bytes:
    """The body of a request as bytes, with what is added to it; empty where it has none.

    `added` stands where the request's own values do, `members` beside them at the top.
    Raises UpstreamRejectedError when a value cannot be part of it.
    """
    if request.form is not None:
        return _form({**_rendered(request.form, names, what="Form value"), **added, **members})
    if request.text is not None:
        return _text(request.text, names, {**added, **members})
    if request.graphql is not None:
        variables = _rendered(request.graphql.variables, names, what="Variable")
        return _json({"query": request.graphql.query, "variables": _with(variables, added), **members})
    if request.body is not None:
        body = asked(request.body, names, what="The request body")
        return _json(_with_members(_with(body, added), members))
    if added or (members and request.method in ("GET", "HEAD")):
        raise UpstreamRejectedError("The request cannot be made: it has no body to say which page it wants, or who asks.")
    return _json(dict(members)) if members else b""


def text_of(value: JsonValue) -> str:
    """A value as it stands in queries, headers and forms: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    return str(value) if value.__class__ is int else _written(value)


def _rendered(values: Mapping[str, Template], names: Names, *, what: str) -> JsonObject:
    return {name: asked(value, names, what=f"{what} {name!r}") for name, value in values.items()}


def _form(values: JsonObject) -> bytes:
    pairs = [
        (name, text_of(item))
        for name, value in values.items()
        for item in (value if isinstance(value, list) else [value])
        if item is not None
    ]
    try:
        return urlencode(pairs).encode()
    except UnicodeEncodeError as error:
        raise UpstreamRejectedError("The request body holds text that is not Unicode.") from error


def _text(template: Template, names: Names, added: Mapping[str, JsonValue]) -> bytes:
    if added:
        raise UpstreamRejectedError("The request cannot be made: a body of plain text cannot say which page it wants, or who asks.")
    value = asked(template, names, what="The request body")
    try:
        return b"" if value is None else text_of(value).encode()
    except UnicodeEncodeError as error:
        raise UpstreamRejectedError("The request body holds text that is not Unicode.") from error


def _json(value: JsonValue) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        raise UpstreamRejectedError(f"The request body, {kind_of(value)}, is no JSON.") from error


def _with_members(body: JsonValue, members: Mapping[str, str]) -> JsonValue:
    for name, value in members.items():
        body = _with_member(body, [name], value)
    return body


def _with(body: JsonValue, added: Mapping[str, JsonValue]) -> JsonValue:
    for name, value in added.items():
        body = _with_member(body, name.split("."), value)
    return body


def _with_member(body: JsonValue, path: list[str], value: JsonValue) -> JsonValue:
    """The body with a value at a path. Nothing is changed in place: a template may give the same object each time."""
    if body is not None and not isinstance(body, dict):
        raise UpstreamRejectedError(f"The request cannot be made: {kind_of(body)} in its body cannot hold {'.'.join(path)!r}.")
    name, *rest = path
    inner = (body or {}).get(name)
    return {**(body or {}), name: _with_member(inner, rest, value) if rest else value}
