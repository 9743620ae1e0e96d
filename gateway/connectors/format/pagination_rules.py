"""Rules for paginations, and for the requests that they turn the pages of."""

from collections.abc import Iterator

from gateway.connectors.format.requests import (
    CursorPagination,
    NextUrlPagination,
    NoPagination,
    OffsetPagination,
    PagePagination,
    Pagination,
    Placement,
    Request,
)
from gateway.connectors.format.scopes import PAGES, Scope, misuses, paths_read
from gateway.documents import Place, Problem

_READ_AS: dict[type[Pagination], str] = {PagePagination: "number", OffsetPagination: "offset", CursorPagination: "token"}
"""By pagination: what a request that says by itself which page it wants reads of `page`."""


def pagination_problems(place: Place, pagination: Pagination, scope: Scope) -> Iterator[Problem]:
    """What is wrong with a pagination whatever it turns the pages of."""
    of_page: Scope = {**scope, **PAGES}
    yield from misuses((*place, "has_more"), pagination.has_more, of_page)
    if isinstance(pagination, CursorPagination | NextUrlPagination):
        yield from misuses((*place, "next"), pagination.next, of_page)
        if pagination.next.is_constant:
            yield (*place, "next"), "the next page must be read from the answer, or the pages would never end"
    if isinstance(pagination, NoPagination) and (pagination.has_more or pagination.stop):
        yield place, "a pagination of type none has no next page; take `has_more` and `stop` out"


def placement_problems(place: Place, pagination: Pagination, request: Request) -> Iterator[Problem]:
    """What keeps a request from saying which page it wants."""
    size = pagination.size
    if size.is_told:
        yield from _placed((*place, "size"), size.in_, request, key="size")
    if isinstance(pagination, PagePagination | OffsetPagination | CursorPagination):
        yield from _placed(place, pagination.in_, request, key=_READ_AS[type(pagination)])


def _placed(place: Place, placement: Placement, request: Request, *, key: str) -> Iterator[Problem]:
    if placement == "body" and request.body_key in (None, "text"):
        yield place, "the request has no body to say this in; give it `json`, `form` or `graphql`"
    if placement == "request" and ("page", key) not in paths_read(request):
        yield place, f"the request does not read page.{key}, so that it would be the same for every page"
