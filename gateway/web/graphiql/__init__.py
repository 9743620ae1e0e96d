"""GraphiQL from the package itself: no request leaves the gateway's origin."""

from gateway.web.graphiql.page import ExampleTab
from gateway.web.graphiql.serving import GraphiQL

__all__ = ["ExampleTab", "GraphiQL"]
