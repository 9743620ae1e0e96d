"""What answers at which address, whatever the schema."""

from collections.abc import Callable, Sequence
from uuid import uuid4

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry import Schema

from gateway.errors import trace_of
from gateway.models import Principal
from gateway.runtime import Runtime
from gateway.web.graphiql import ExampleTab, GraphiQL
from gateway.web.graphql_view import GraphQLView
from gateway.web.health import healthz, readyz
from gateway.web.refusals import refusal_response
from gateway.web.security import SecurityHeaders
from gateway.web.webhooks import webhooks

__all__ = ["assemble"]

_PREFLIGHT_SECONDS = 3600
_log = structlog.get_logger("gateway.web")


def assemble(
    runtime: Runtime, schema: Schema, *, make_context: Callable[[Runtime, Principal], object], tabs: Sequence[ExampleTab] = ()
) -> Starlette:
    """The application that serves a schema; `make_context` is called for every operation."""
    graphiql = GraphiQL(tabs=tabs)
    view = GraphQLView(schema, runtime, make_context=make_context, graphiql=graphiql)
    app = Starlette(
        routes=[
            Route("/", _to_graphql),
            Route("/graphql", view),
            WebSocketRoute("/graphql", view),
            Route("/graphiql/{digest}/{name}", graphiql.asset),
            Route("/favicon.ico", graphiql.favicon),
            Route("/webhooks/{token}", webhooks(runtime), methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz(runtime)),
        ],
        middleware=_middleware(runtime, view),
        exception_handlers={HTTPException: _refusal, Exception: _defect},
    )
    # Else an address with a slash too many is answered with a redirect to whatever host the request names.
    app.router.redirect_slashes = False
    app.state.runtime = runtime
    app.state.stopping = view.stopping
    return app


class _GraphQLAtOnce:
    """Passes requests for `/graphql`, which nearly all are, to the view without a look at the routes.

    The view raises nothing for the router, and its answers state the headers of security themselves.
    """

    def __init__(self, app: ASGIApp, *, view: GraphQLView) -> None:
        self._app = app
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Below another root the path begins with it, which the router takes away.
        is_graphql = scope["type"] == "http" and scope["path"] == "/graphql" and not scope.get("root_path")
        await (self._view if is_graphql else self._app)(scope, receive, send)


def _middleware(runtime: Runtime, view: GraphQLView) -> list[Middleware]:
    origins, at_once = runtime.settings.allowed_origins, Middleware(_GraphQLAtOnce, view=view)
    if not origins:
        return [at_once, Middleware(SecurityHeaders)]
    # Tokens travel in a header that pages set themselves; cookies mean nothing here, so credentials stay off.
    cors = Middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["*"], max_age=_PREFLIGHT_SECONDS)
    return [Middleware(SecurityHeaders), cors, at_once]


async def _to_graphql(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/graphql")


async def _refusal(request: Request, error: Exception) -> Response:
    """What the router refuses, in our own shape."""
    assert isinstance(error, HTTPException)  # noqa: S101  # Starlette calls it for nothing else; its type only says Exception.
    if error.status_code == 404:
        return refusal_response(f"There is nothing at {request.url.path}. GraphQL is at /graphql.", status=404)
    return refusal_response(error.detail, status=error.status_code, headers=error.headers)


async def _defect(_request: Request, error: Exception) -> Response:
    reference = uuid4().hex
    _log.error("web_defect", reference=reference, exception=trace_of(error))
    return refusal_response(
        f"Something went wrong inside the gateway. Its operator finds the cause in the log under {reference}.", status=500
    )
