"""The page that starts GraphiQL, and the policy that it runs under."""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.models import JsonObject
from gateway.web.refusals import SECURITY_HEADERS

__all__ = ["PAGE_HEADERS", "ExampleTab", "page"]

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    # The editor places its lines by style attributes and makes its colours as style elements.
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
PAGE_HEADERS: Mapping[str, str] = {
    **SECURITY_HEADERS,
    "content-security-policy": "; ".join(f"{directive} {sources}" for directive, sources in _POLICY.items()),
    # Example tabs may hold a token, and the addresses in the page change with every release.
    "cache-control": "no-store",
}
"""The headers of the page."""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphiQL · gateway</title>
<link rel="icon" type="image/svg+xml" href="{assets}/favicon.svg">
<link rel="stylesheet" href="{assets}/graphiql.css">
<script type="application/json" id="examples">{examples}</script>
<script type="module" src="{assets}/graphiql.js"></script>
</head>
<body>
<div id="graphiql"><p class="loading">Loading GraphiQL …</p></div>
<noscript>GraphiQL needs JavaScript. Without it, send GraphQL requests to this address by POST.</noscript>
</body>
</html>
"""


@dataclass(frozen=True, kw_only=True)
class ExampleTab:
    """A tab that GraphiQL opens with on a first visit; the headers of the first one are every new tab's."""

    title: str
    query: str
    variables: JsonObject | None = None
    headers: Mapping[str, str] | None = None


def page(*, assets_path: str, tabs: Sequence[ExampleTab] = ()) -> str:
    """The page, its example tabs inside it as data which no policy needs to allow."""
    examples = json.dumps([_tab(tab) for tab in tabs])
    # Inside a script element only `<` could end the data early; JSON has another spelling for it.
    return _PAGE.format(assets=html.escape(assets_path, quote=True), examples=examples.replace("<", "\\u003c"))


def _tab(tab: ExampleTab) -> dict[str, str | None]:
    return {"query": f"# {tab.title}\n\n{tab.query.strip()}\n", "variables": _pretty(tab.variables), "headers": _pretty(tab.headers)}


def _pretty(value: Mapping[str, object] | None) -> str | None:
    return None if value is None else json.dumps(dict(value), indent=2, ensure_ascii=False)
