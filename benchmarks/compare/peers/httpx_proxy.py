"""What passes on just what the app says: Starlette and httpx, as their documentation shows them. The address of the app, and a port."""

import sys

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

APP, PORT = sys.argv[1], int(sys.argv[2])
upstream = httpx.AsyncClient(base_url=APP, trust_env=False)


async def items(request: Request) -> Response:
    """The app's answer as it came."""
    found = await upstream.get("/items", params=request.query_params)
    return Response(found.content, status_code=found.status_code, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(Starlette(routes=[Route("/items", items)]), host="127.0.0.1", port=PORT, log_level="error")
