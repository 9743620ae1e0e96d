"""Answers that are no GraphQL results: every refusal is JSON, in GraphQL's own shape, with a code to branch on."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from gateway.errors import (
    AccessDeniedError,
    BodyTooLargeError,
    GatewayError,
    InternalError,
    InvalidError,
    MethodNotAllowedError,
    NotAcceptableError,
    NotAuthenticatedError,
    NotFoundError,
    OperationTimeoutError,
    StreamNeededError,
    UnsupportedError,
    UpstreamUnavailableError,
)
from gateway.web.negotiation import JSON

__all__ = ["CODE_BY_STATUS", "SECURITY_HEADERS", "refusal_body", "refusal_response", "status_of"]

SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""What every answer tells a browser, unless it says something stricter for itself."""
CODE_BY_STATUS: Mapping[int, str] = {
    400: InvalidError.code,
    401: NotAuthenticatedError.code,
    404: NotFoundError.code,
    405: UnsupportedError.code,
    406: UnsupportedError.code,
    408: OperationTimeoutError.code,
    413: BodyTooLargeError.code,
    415: UnsupportedError.code,
    503: UpstreamUnavailableError.code,
}
"""The code of a refusal that has only a status. Other 4xx are INVALID, other 5xx INTERNAL."""
_STATUS_BY_ERROR: Mapping[type[GatewayError], int] = {
    AccessDeniedError: 403,
    BodyTooLargeError: 413,
    InternalError: 500,
    MethodNotAllowedError: 405,
    NotAcceptableError: 406,
    NotAuthenticatedError: 401,
    NotFoundError: 404,
    OperationTimeoutError: 408,
    StreamNeededError: 400,
    UnsupportedError: 415,
}
_HEADERS_BY_STATUS: Mapping[int, Mapping[str, str]] = {
    401: {"www-authenticate": "Bearer"},
    # What the client still sends is not read, so the connection is of no more use.
    408: {"connection": "close"},
    413: {"connection": "close"},
}


def refusal_response(
    message: str, *, status: int, code: str | None = None, headers: Mapping[str, str] | None = None, media_type: str = JSON
) -> Response:
    """A refusal as `{"errors": [{"message", "extensions": {"code"}}]}`."""
    code = code or CODE_BY_STATUS.get(status, InvalidError.code if status < 500 else InternalError.code)
    body = orjson.dumps(refusal_body(message, code=code))
    told = {"cache-control": "no-store", **SECURITY_HEADERS, **_HEADERS_BY_STATUS.get(status, {}), **(headers or {})}
    return Response(body, status_code=status, headers=told, media_type=f"{media_type}; charset=utf-8")


def refusal_body(message: str, *, code: str) -> dict[str, object]:
    """What a refusal tells, in GraphQL's shape."""
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


def status_of(error: GatewayError) -> int:
    """The HTTP status that an error stands for when no GraphQL result could carry it."""
    return _STATUS_BY_ERROR.get(type(error), 400)
