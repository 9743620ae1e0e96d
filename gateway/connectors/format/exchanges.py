"""Rules for requests, and for what is read from their answers page by page."""

import re
from collections.abc import Iterator, Mapping

from gateway.connectors.format.document import Place, Problem
from gateway.connectors.format.locations import LocationList
from gateway.connectors.format.operations import ListOperation
from gateway.connectors.format.requests import (
    CursorPagination,
    NextUrlPagination,
    NoPagination,
    Pagination,
    Request,
)
from gateway.connectors.format.scopes import ANSWER, PAGE, PAGES, Scope, all_misuses, misuses
from gateway.expressions import Template

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def request_problems(place: Place, request: Request, scope: Scope) -> Iterator[Problem]:
    """What is wrong with a request, its names among it."""
    yield from _path_problems((*place, "path"), request.path)
    yield from misuses((*place, "path"), request.path, scope)
    yield from all_misuses((*place, "query"), request.query, scope)
    yield from header_problems((*place, "headers"), request.headers, scope)
    yield from misuses((*place, "json"), request.body, scope)
    if request.body is not None and request.method in ("GET", "HEAD"):
        yield (*place, "json"), f"a {request.method} request has no body; use `query`, or `method: POST` with `read: true`"


def header_problems(place: Place, headers: Mapping[str, Template], scope: Scope) -> Iterator[Problem]:
    """What is wrong with headers: their names, and the names that their values read."""
    yield from all_misuses(place, headers, scope)
    for name in headers:
        if not is_header_name(name):
            yield (*place, name), f"{name!r} is not the name of a header"


def is_header_name(name: str) -> bool:
    """Whether a header, or a cookie, can have that name (RFC 9110, 5.6.2)."""
    return _HEADER_NAME.fullmatch(name) is not None


def list_problems(
    place: Place, listing: ListOperation | LocationList, key: str, named: Mapping[str, Pagination], scope: Scope
) -> Iterator[Problem]:
    """What is wrong with a list of records or locations; `key` names what it selects."""
    yield from request_problems((*place, "request"), listing.request, {**scope, **PAGE})
    yield from misuses((*place, key), getattr(listing, key), {**scope, **ANSWER})
    pagination = listing.pagination
    if not isinstance(pagination, str):
        yield from _pagination_problems((*place, "pagination"), pagination, scope)
    elif pagination in named:
        for _, problem in _pagination_problems(place, named[pagination], scope):
            yield ("pagination", pagination), problem
    elif pagination != "none":
        yield (*place, "pagination"), f"there is no pagination {pagination!r}; there are {', '.join(['none', *named])}"


def _pagination_problems(place: Place, pagination: Pagination, scope: Scope) -> Iterator[Problem]:
    of_page: Scope = {**scope, **PAGES}
    yield from misuses((*place, "has_more"), pagination.has_more, of_page)
    if isinstance(pagination, CursorPagination | NextUrlPagination):
        yield from misuses((*place, "next"), pagination.next, of_page)
        if pagination.next.is_constant:
            yield (*place, "next"), "the next page must be read from the answer, or the pages would never end"
    if isinstance(pagination, NoPagination) and (pagination.has_more or pagination.stop):
        yield place, "a pagination of type none has no next page; take `has_more` and `stop` out"


def _path_problems(place: Place, path: Template) -> Iterator[Problem]:
    outline = path.outline
    if outline is None or not str(path.source).startswith("/"):
        yield place, "a path is text that starts with '/'; the base URL stands before it"
        return
    if "?" in outline or "#" in outline:
        yield place, "a path holds no '?' or '#'; write what follows as `query`"
    if re.search(r"\s", outline):
        yield place, "a path holds no spaces; write %20"
    if any(segment in (".", "..") for segment in outline.split("/")):
        yield place, "a path holds no '.' or '..' segments"
