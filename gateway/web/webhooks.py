"""The address that apps send their webhooks to: each delivery is proven and kept before it is answered."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.errors import (
    BodyTooLargeError,
    GatewayError,
    InvalidError,
    NotFoundError,
    OperationTimeoutError,
    RateLimitedError,
    WebhookRefusedError,
)
from gateway.models import WebhookDelivery
from gateway.runtime import Runtime
from gateway.services import webhook_deliveries
from gateway.web.bodies import read_body
from gateway.web.refusals import SECURITY_HEADERS, refusal_response, status_of

__all__ = ["webhooks"]

_LONGEST_TOKEN = 100
_LATER_SECONDS = 60
_log = structlog.get_logger("gateway.web")
_REFUSED = (
    BodyTooLargeError,
    InvalidError,
    NotFoundError,
    OperationTimeoutError,
    RateLimitedError,
    WebhookRefusedError,
)
_STATUSES: dict[type[GatewayError], int] = {WebhookRefusedError: 401, RateLimitedError: 503}


def webhooks(runtime: Runtime) -> Callable[[Request], Awaitable[Response]]:
    """Answers 2xx when the delivery is kept, 404 for an unknown address, 401 where it proves nothing, 503 when too many wait.

    The log tells of which instance a delivery was, and never its address.
    """

    async def endpoint(request: Request) -> Response:
        try:
            return await _answer(runtime, request)
        except ClientDisconnect:
            return Response(status_code=400)
        except _REFUSED as error:
            status = _STATUSES.get(type(error), status_of(error))
            headers = {"retry-after": str(_LATER_SECONDS)} if status == 503 else {}
            return refusal_response(error.message, status=status, code=error.code, headers=headers)

    return endpoint


async def _answer(runtime: Runtime, request: Request) -> Response:
    token = request.path_params["token"]
    receiver = await webhook_deliveries.receiver_of(runtime, token[:_LONGEST_TOKEN])
    entry = _log.bind(instance_id=str(receiver.instance_id))
    try:
        delivery = await _delivery(runtime, request)
        answer = await webhook_deliveries.receive(runtime, receiver, delivery)
    except _REFUSED as error:
        entry.warning("webhook_refused", code=error.code, reason=error.message)
        raise
    entry.info("webhook", status=answer.status, bytes=len(delivery.body))
    return Response(answer.body, status_code=answer.status, headers={**SECURITY_HEADERS, "cache-control": "no-store", **answer.headers})


async def _delivery(runtime: Runtime, request: Request) -> WebhookDelivery:
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name, []).append(value)
    query: dict[str, str] = {}
    for name, value in parse_qsl(request.url.query, keep_blank_values=True):
        query.setdefault(name, value)
    announced = request.headers.get("content-length", "")
    body = await read_body(request.receive, announced=announced, max_bytes=runtime.settings.max_webhook_bytes)
    joined = {name: ", ".join(values) for name, values in headers.items()}
    return WebhookDelivery(headers=joined, query=query, body=body, received_at=runtime.clock.now())
