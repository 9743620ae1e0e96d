"""Whether the process lives, and whether it can serve."""

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.errors import ConfigurationError
from gateway.runtime import Runtime
from gateway.web.refusals import refusal_response

__all__ = ["healthz", "readyz"]

_log = structlog.get_logger("gateway.web")


async def healthz(_request: Request) -> Response:
    """200 as long as the process answers at all."""
    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


def readyz(runtime: Runtime) -> Callable[[Request], Awaitable[Response]]:
    """200 when the database answers with this gateway's schema, 503 when a balancer should send requests elsewhere."""

    async def endpoint(_request: Request) -> Response:
        try:
            await runtime.database.check()
        except ConfigurationError as error:
            # The reason names what only the operator should see, and stands in the log.
            _log.warning("not_ready", reason=error.message)
            return refusal_response("The gateway is not ready: its database does not answer.", status=503, code=error.code)
        return JSONResponse({"status": "ready"}, headers={"cache-control": "no-store"})

    return endpoint
