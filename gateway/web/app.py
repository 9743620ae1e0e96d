"""The gateway's ASGI application."""

from collections.abc import Sequence

from starlette.applications import Starlette

from gateway.graphql.context import make_context
from gateway.graphql.schema import build_schema
from gateway.runtime import Runtime
from gateway.web.assembly import assemble
from gateway.web.graphiql import ExampleTab

__all__ = ["ExampleTab", "create_app"]


def create_app(runtime: Runtime, *, tabs: Sequence[ExampleTab] = ()) -> Starlette:
    """The gateway over a runtime, which must stay open for as long as the application serves.

    `/graphql` speaks GraphQL over HTTP and WebSocket, and shows browsers GraphiQL with the given tabs on a first visit.
    `/healthz` and `/readyz` are for balancers. Every refusal is JSON with a code.
    """
    return assemble(runtime, build_schema(runtime.udm), make_context=make_context, tabs=tabs)
