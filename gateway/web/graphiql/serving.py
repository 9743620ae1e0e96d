"""GraphiQL over HTTP: the page, and its files with addresses that never change their content."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.web.graphiql.assets import Asset, Assets
from gateway.web.graphiql.page import PAGE_HEADERS, ExampleTab, page
from gateway.web.refusals import refusal_response

__all__ = ["GraphiQL"]

_FOREVER = "public, max-age=31536000, immutable"


class GraphiQL:
    """The page and its files; the tabs are what a first visit opens with."""

    def __init__(self, *, tabs: Sequence[ExampleTab] = ()) -> None:
        self._assets = Assets.bundled()
        self._tabs = tuple(tabs)

    def page(self, request: Request) -> Response:
        """The page, also right where a proxy puts a prefix before every address."""
        path = f"{request.scope.get('root_path', '')}/graphiql/{self._assets.digest}"
        return HTMLResponse(page(assets_path=path, tabs=self._tabs), headers=dict(PAGE_HEADERS))

    async def asset(self, request: Request) -> Response:
        """One file; browsers may keep it for ever, because its address holds the digest of all."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None or request.path_params["digest"] != self._assets.digest:
            return refusal_response("GraphiQL has no such file. Reload the page: the gateway may be another version now.", status=404)
        return self._response(request, asset, cache_control=_FOREVER)

    async def favicon(self, request: Request) -> Response:
        """The icon where browsers look for it without being told."""
        asset = self._assets.get("favicon.svg")
        return Response(status_code=404) if asset is None else self._response(request, asset, cache_control="public, max-age=86400")

    def _response(self, request: Request, asset: Asset, *, cache_control: str) -> Response:
        etag = f'"{self._assets.digest}"'
        headers = {"cache-control": cache_control, "etag": etag, "vary": "Accept-Encoding", "cross-origin-resource-policy": "same-origin"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        # A worker runs under the policy that comes with its own script.
        headers["content-security-policy"] = PAGE_HEADERS["content-security-policy"]
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.compressed, headers={**headers, "content-encoding": "gzip"}, media_type=asset.media_type)
        return Response(asset.plain(), headers=headers, media_type=asset.media_type)
