"""Rules for requests, and for what is read from their answers page by page."""

import re
from collections.abc import Iterator, Mapping

from gateway.connectors.format.locations import LocationList
from gateway.connectors.format.operations import ListOperation
from gateway.connectors.format.pagination_rules import pagination_problems, placement_problems
from gateway.connectors.format.requests import Pagination, Request
from gateway.connectors.format.scopes import ANSWER, ITEM, PAGE, Scope, all_misuses, listed, misuses, selector_problems
from gateway.documents import Place, Problem
from gateway.expressions import Template

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def request_problems(place: Place, request: Request, scope: Scope) -> Iterator[Problem]:
    """What is wrong with a request, its names among it."""
    yield from _path_problems((*place, "path"), request.path)
    yield from misuses((*place, "path"), request.path, scope)
    yield from all_misuses((*place, "query"), request.query, scope)
    yield from header_problems((*place, "headers"), request.headers, scope)
    yield from _body_problems(place, request, scope)


def _body_problems(place: Place, request: Request, scope: Scope) -> Iterator[Problem]:
    yield from misuses((*place, "json"), request.body, scope)
    yield from misuses((*place, "text"), request.text, scope)
    yield from all_misuses((*place, "form"), request.form or {}, scope)
    if request.graphql is not None:
        yield from all_misuses((*place, "graphql", "variables"), request.graphql.variables, scope)
    if request.body_key is not None and request.method in ("GET", "HEAD"):
        yield (*place, request.body_key), f"a {request.method} request has no body; use `query`, or `method: POST` with `read: true`"


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
    of_list = scope
    if isinstance(listing, ListOperation):
        yield from _branch_problems(place, listing, named, scope)
        of_list = {**scope, "partition": frozenset(partition.as_ for partition in listing.partitions)}
        yield from misuses((*place, "where"), listing.where, {**of_list, **ITEM})
        yield from selector_problems((*place, "drilldowns"), listing.drilldowns, {**of_list, **ANSWER})
    yield from request_problems((*place, "request"), listing.request, {**of_list, **PAGE})
    yield from selector_problems((*place, key), getattr(listing, key), {**of_list, **ANSWER})
    yield from paging_problems(place, listing.pagination, listing.request, named, of_list)


def _branch_problems(place: Place, listing: ListOperation, named: Mapping[str, Pagination], scope: Scope) -> Iterator[Problem]:
    """What is wrong with the further lists that make up one list."""
    known: frozenset[str] = frozenset()
    for index, partition in enumerate(listing.partitions):
        at, seen = (*place, "partitions", index), {**scope, "partition": known}
        if partition.as_ in known:
            yield (*at, "as"), f"there is another partition {partition.as_!r}; a name stands for one"
        yield from misuses((*at, "values"), partition.values, seen)
        yield from misuses((*at, "where"), partition.where, {**seen, **ITEM})
        if partition.request is not None:
            yield from request_problems((*at, "request"), partition.request, {**seen, **PAGE})
            yield from selector_problems((*at, "items"), partition.items, {**seen, **ANSWER})
            yield from paging_problems(at, partition.pagination, partition.request, named, seen)
        known |= {partition.as_}
    if listing.order is not None and (listing.partitions or listing.drilldowns is not None):
        yield (*place, "order"), "a list of several lists has no order of its own; take `order` out, or `partitions` and `drilldowns`"


def paging_problems(
    place: Place, pagination: Pagination | str, request: Request, named: Mapping[str, Pagination], scope: Scope
) -> Iterator[Problem]:
    """What is wrong with how the pages of a request are turned."""
    if not isinstance(pagination, str):
        yield from pagination_problems((*place, "pagination"), pagination, scope)
        yield from placement_problems((*place, "pagination"), pagination, request)
    elif pagination in named:
        for _, problem in pagination_problems(place, named[pagination], scope):
            yield ("pagination", pagination), problem
        yield from placement_problems((*place, "pagination"), named[pagination], request)
    elif pagination != "none":
        yield (*place, "pagination"), f"there is no pagination {pagination!r}; there are {listed(['none', *named])}"


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
