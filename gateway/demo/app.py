"""The demo's external app: a small work tracker with a JSON API. It knows nothing of the gateway."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.demo.workplace import STATUSES, Project, Task, User, Workplace, as_json

LARGEST_PAGE = 100


class RequireKey:
    """Answers 401 to every request that does not carry the key, as a bearer token or in `X-Api-Key`."""

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what carries the key, and what is no request."""
        app = self._app if scope["type"] != "http" or self._is_known(Request(scope)) else _refusal(401, "Send a valid key.")
        await app(scope, receive, send)

    def _is_known(self, request: Request) -> bool:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        return any(hmac.compare_digest(given.encode(), self._key) for given in (bearer, request.headers.get("x-api-key", "")))


def create_app(workplace: Workplace, *, key: str, now: Callable[[], datetime], seconds_between_changes: float | None) -> Starlette:
    """The app over a workplace, in which something changes every few seconds; never, if that is null."""

    async def keep_changing(seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            workplace.change(at=now())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        changing = asyncio.create_task(keep_changing(seconds_between_changes)) if seconds_between_changes is not None else None
        yield
        if changing is not None:
            changing.cancel()
            with suppress(asyncio.CancelledError):
                await changing

    app = Starlette(
        routes=[
            Route("/me", _me),
            Route("/users", _users),
            Route("/projects", _projects),
            Route("/projects/{id:int}", _project),
            Route("/tasks", _tasks),
            Route("/tasks/{id:int}", _task),
        ],
        middleware=[Middleware(RequireKey, key=key)],
        exception_handlers={HTTPException: _on_refusal},
        lifespan=lifespan,
    )
    app.state.workplace = workplace
    return app


async def _me(request: Request) -> Response:
    return JSONResponse(as_json(_workplace(request).users[1]))


async def _users(request: Request) -> Response:
    return _page(request, list(_workplace(request).users.values()))


async def _projects(request: Request) -> Response:
    return _page(request, list(_workplace(request).projects.values()))


async def _project(request: Request) -> Response:
    number = request.path_params["id"]
    return JSONResponse(as_json(_found(_workplace(request).projects.get(number), f"There is no project {number}.")))


async def _task(request: Request) -> Response:
    number = request.path_params["id"]
    return JSONResponse(as_json(_found(_workplace(request).tasks.get(number), f"There is no task {number}.")))


async def _tasks(request: Request) -> Response:
    workplace = _workplace(request)
    status = request.query_params.get("status")
    if status is not None and status not in STATUSES:
        raise HTTPException(400, f"status must be one of {', '.join(STATUSES)}.")
    project_id = _number(request, "projectId", default=None)
    if project_id is not None:
        _found(workplace.projects.get(project_id), f"There is no project {project_id}.")
    wanted = [task for task in workplace.tasks.values() if status in (None, task.status) and project_id in (None, task.projectId)]
    return _page(request, wanted)


def _page(request: Request, items: Sequence[User | Project | Task]) -> Response:
    page = _number(request, "page", default=1) or 1
    size = min(_number(request, "perPage", default=50) or 50, LARGEST_PAGE)
    chosen = items[(page - 1) * size : page * size]
    return JSONResponse(
        {
            "items": [as_json(item) for item in chosen],
            "page": page,
            "perPage": size,
            "total": len(items),
            "hasMore": page * size < len(items),
        }
    )


def _number(request: Request, name: str, *, default: int | None) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if re.fullmatch("[1-9][0-9]{0,8}", text) is None:
        raise HTTPException(400, f"{name} must be a positive number.")
    return int(text)


def _found(thing: Any, message: str) -> Any:
    if thing is None:
        raise HTTPException(404, message)
    return thing


def _workplace(request: Request) -> Workplace:
    workplace: Workplace = request.app.state.workplace
    return workplace


async def _on_refusal(request: Request, error: Exception) -> Response:
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "Something went wrong.")
    return _refusal(status, detail)


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message}}, status_code=status)
