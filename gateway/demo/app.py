"""The demo's external app: a small work tracker with a JSON API. It knows nothing of the gateway."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.demo import drafts, filters
from gateway.demo.answers import InvalidFieldsError, read_answer, refusal
from gateway.demo.endpoints import Endpoints, Writes, number_in
from gateway.demo.things import STATUSES, Project, Task, Thing, as_json
from gateway.demo.webhooks import LOST_OF, Webhooks
from gateway.demo.workplace import ME, Workplace


class RequireKey:
    """Answers 401 to every request that does not carry the key, as a bearer token or in `X-Api-Key`."""

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what carries the key, and what is no request."""
        app = self._app if scope["type"] != "http" or self._is_known(Request(scope)) else refusal(401, "Send a valid key.")
        await app(scope, receive, send)

    def _is_known(self, request: Request) -> bool:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        return any(hmac.compare_digest(given.encode(), self._key) for given in (bearer, request.headers.get("x-api-key", "")))


def create_app(
    workplace: Workplace, *, key: str, now: Callable[[], datetime], seconds_between_changes: float | None, lost_of: int = LOST_OF
) -> Starlette:
    """The app over a workplace, in which something changes every few seconds; never, if that is null.

    One of so many webhooks is lost.
    """

    async def keep_changing(seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            workplace.change(at=now())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        work: list[Coroutine[Any, Any, None]] = [webhooks.keep_sending()]
        if seconds_between_changes is not None:
            work.append(keep_changing(seconds_between_changes))
        async with _under_way(work):
            yield

    webhooks = Webhooks(now=now, lost_of=lost_of)
    workplace.observers.append(webhooks.tell)

    app = Starlette(
        routes=[
            Route("/me", _me),
            *_users(workplace, now=now),
            *_projects(workplace, now=now),
            *_tasks(workplace, now=now),
            *webhooks.routes(),
        ],
        middleware=[Middleware(RequireKey, key=key)],
        exception_handlers={HTTPException: _on_refusal},
        lifespan=lifespan,
    )
    app.state.workplace = workplace
    return app


@asynccontextmanager
async def _under_way(work: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Works until the block ends."""
    tasks = [asyncio.create_task(each) for each in work]
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _me(request: Request) -> Response:
    workplace: Workplace = request.app.state.workplace
    return read_answer(request, as_json(workplace.users[ME]))


def _users(workplace: Workplace, *, now: Callable[[], datetime]) -> Sequence[Route]:
    def check(user: Thing | None, fields: Mapping[str, Any]) -> None:
        taken = any(other.email == fields.get("email") and other is not user for other in workplace.users.values())
        if taken:
            raise InvalidFieldsError("The user is not valid.", fields={"email": "is the address of another user."})

    writes = Writes(create=workplace.hire, check=check)
    return Endpoints(workplace, workplace.users, draft=drafts.USER, listing=filters.USERS, writes=writes, now=now).routes("/users")


def _projects(workplace: Workplace, *, now: Callable[[], datetime]) -> Sequence[Route]:
    def delete(project: Thing) -> None:
        assert isinstance(project, Project)  # noqa: S101 - It was found among the projects.
        count = sum(task.projectId == project.id for task in workplace.tasks.values())
        if count:
            raise HTTPException(409, f"The project holds {count} tasks. Move or delete them first.")
        if len(workplace.projects) == 1:
            raise HTTPException(409, "It is the last project, and tasks need one.")
        workplace.drop(project)

    writes = Writes(create=workplace.start, delete=delete)
    return Endpoints(workplace, workplace.projects, draft=drafts.PROJECT, listing=filters.PROJECTS, writes=writes, now=now).routes(
        "/projects"
    )


def _tasks(workplace: Workplace, *, now: Callable[[], datetime]) -> Sequence[Route]:
    def narrow(request: Request) -> Callable[[Any], bool]:
        status = request.query_params.get("status")
        if status is not None and status not in STATUSES:
            raise HTTPException(400, f"status must be one of {', '.join(STATUSES)}.")
        project_id = number_in(request, "projectId", default=None)
        if project_id is not None and project_id not in workplace.projects:
            raise HTTPException(404, f"There is no project {project_id}.")
        return lambda task: status in (None, task.status) and project_id in (None, task.projectId)

    def delete(task: Thing) -> None:
        assert isinstance(task, Task)  # noqa: S101 - It was found among the tasks.
        workplace.drop(task)

    endpoints = Endpoints(
        workplace,
        workplace.tasks,
        draft=drafts.TASK,
        listing=filters.TASKS,
        writes=Writes(create=workplace.plan, delete=delete),
        now=now,
        narrow=narrow,
        narrowed_by=frozenset({"status", "projectId"}),
    )
    return endpoints.routes("/tasks")


async def _on_refusal(request: Request, error: Exception) -> Response:
    if isinstance(error, InvalidFieldsError):
        return refusal(error.status_code, error.detail, fields=error.fields)
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "Something went wrong.")
    return refusal(status, detail)
