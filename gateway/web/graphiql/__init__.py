"""GraphiQL from the package itself: no request leaves the gateway's origin."""

from gateway.web.graphiql.assets import Asset, Assets
from gateway.web.graphiql.page import PAGE_HEADERS, ExampleTab, page

__all__ = ["PAGE_HEADERS", "Asset", "Assets", "ExampleTab", "page"]
