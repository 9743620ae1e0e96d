"""The addresses of one collection of the demo's external app: its list, and the things in it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.demo import filters
from gateway.demo.answers import answer, read_answer, require_version
from gateway.demo.drafts import Draft
from gateway.demo.filters import Listing
from gateway.demo.things import Thing, User, as_json
from gateway.demo.workplace import MOST_OF_A_KIND, Workplace

LARGEST_PAGE = 100
LARGEST_BODY = 64 * 1024
LONGEST_KEY = 255
MOST_KEYS = 1_000
"""How many idempotency keys a collection remembers: the latest."""
_PAGING = frozenset({"page", "perPage"})


@dataclass(frozen=True, kw_only=True)
class Writes:
    """How a collection is written; null for what cannot be done."""

    create: Callable[..., Thing]
    check: Callable[[Thing | None, Mapping[str, Any]], None] = lambda thing, fields: None
    """Raises an HTTPException for fields that this thing, null for a new one, cannot have."""
    delete: Callable[[Thing], None] | None = None


class Endpoints:
    """Answers what is asked of one collection of a workplace."""

    def __init__(
        self,
        workplace: Workplace,
        things: Mapping[int, Thing],
        *,
        draft: Draft,
        listing: Listing,
        writes: Writes,
        now: Callable[[], datetime],
        narrow: Callable[[Request], Callable[[Thing], bool]] | None = None,
        narrowed_by: frozenset[str] = frozenset(),
    ) -> None:
        self._workplace = workplace
        self._things = things
        self._draft = draft
        self._listing = listing
        self._writes = writes
        self._now = now
        self._narrow = narrow
        self._others = _PAGING | narrowed_by
        self._created: dict[str, tuple[bytes, dict[str, Any]]] = {}

    def routes(self, path: str) -> Sequence[Route]:
        """The collection at a path."""
        deletes = [Route(f"{path}/{{id}}", self._delete, methods=["DELETE"])] if self._writes.delete is not None else []
        return [
            Route(path, self._list, methods=["GET"]),
            Route(path, self._create, methods=["POST"]),
            Route(f"{path}/{{id}}", self._get, methods=["GET"]),
            Route(f"{path}/{{id}}", self._update, methods=["PATCH"]),
            *deletes,
        ]

    async def _list(self, request: Request) -> Response:
        things = list(self._things.values())
        if self._narrow is not None:
            things = list(filter(self._narrow(request), things))
        return _page(request, filters.chosen(things, self._listing, request.query_params, others=self._others))

    async def _get(self, request: Request) -> Response:
        thing = self._found(request)
        return read_answer(request, as_json(thing), version=_version(thing))

    async def _create(self, request: Request) -> Response:
        given = await json_of(request)
        key = request.headers.get("idempotency-key")
        if key is not None and key in self._created:
            return self._repeated(key, given)
        if key is not None and not 0 < len(key) <= LONGEST_KEY:
            raise HTTPException(400, f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.")
        if len(self._things) >= MOST_OF_A_KIND:
            raise HTTPException(409, f"There are {MOST_OF_A_KIND} already, and no more can be made.")
        fields = self._draft.created(given, self._workplace)
        self._writes.check(None, fields)
        thing = self._writes.create(fields, at=self._now())
        if key is not None:
            self._remember(key, given, as_json(thing))
        return answer(as_json(thing), status=201, version=_version(thing))

    async def _update(self, request: Request) -> Response:
        given = await json_of(request)
        thing = self._found(request)
        require_version(request, _version(thing))
        fields = self._draft.changed(given, self._workplace)
        self._writes.check(thing, fields)
        changed = self._workplace.revise(thing, fields, at=self._now())
        return answer(as_json(changed), version=_version(changed))

    async def _delete(self, request: Request) -> Response:
        thing = self._found(request)
        require_version(request, _version(thing))
        assert self._writes.delete is not None  # noqa: S101 - There is no route to here otherwise.
        self._writes.delete(thing)
        return Response(status_code=204)

    def _found(self, request: Request) -> Thing:
        text = request.path_params["id"]
        try:
            thing = self._things.get(filters.number(text))
        except ValueError:
            thing = None
        if thing is None or (self._narrow is not None and not self._narrow(request)(thing)):
            raise HTTPException(404, f"There is no {self._draft.noun} {text[:100]}.")
        return thing

    def _repeated(self, key: str, given: Any) -> Response:
        """What the first request with this key was answered, if this is the same request."""
        digest, created = self._created[key]
        if digest != _digest(given):
            raise HTTPException(422, "This Idempotency-Key came with another request before.")
        return answer(created, status=201, version=created.get("revision"))

    def _remember(self, key: str, given: Any, created: dict[str, Any]) -> None:
        self._created[key] = (_digest(given), created)
        if len(self._created) > MOST_KEYS:
            del self._created[next(iter(self._created))]


def number_in(request: Request, name: str, *, default: int | None) -> int | None:
    """The positive number that a parameter of the query says."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        return filters.number(text)
    except ValueError as error:
        raise HTTPException(400, f"{name} {error}") from None


def _page(request: Request, things: Sequence[Thing]) -> Response:
    page = number_in(request, "page", default=1) or 1
    size = min(number_in(request, "perPage", default=50) or 50, LARGEST_PAGE)
    return read_answer(
        request,
        {
            "items": [as_json(thing) for thing in things[(page - 1) * size : page * size]],
            "page": page,
            "perPage": size,
            "total": len(things),
            "hasMore": page * size < len(things),
        },
    )


async def json_of(request: Request) -> Any:
    """The request's body, which is not read further than it may be long."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST_BODY:
            raise HTTPException(413, f"A request has at most {LARGEST_BODY} bytes.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is not JSON.") from None


def _digest(given: Any) -> bytes:
    try:
        return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).digest()
    except RecursionError:
        raise HTTPException(400, "The body nests too deeply.") from None


def _version(thing: Thing) -> int | None:
    return None if isinstance(thing, User) else thing.revision
