"""Which HTTP status an answer has, by the edition of GraphQL over HTTP that the operator chose.

`stable` is what the official audit asks and what clients know: over `application/json` all but refusals of the request
itself are 200. `draft` is the specification's newest: what was not executed is never 2xx, and a part of an answer is 294.
"""

from collections.abc import Mapping
from typing import Literal

from gateway.errors import (
    AccessDeniedError,
    GatewayError,
    InternalError,
    IntrospectionDisabledError,
    InvalidError,
    NotAuthenticatedError,
    NotJsonError,
    PersistedQueryNotFoundError,
    RateLimitedError,
    StreamNeededError,
)
from gateway.models import JsonObject
from gateway.web.negotiation import EVENT_STREAM, GRAPHQL_RESPONSE, JSON
from gateway.web.refusals import status_of

__all__ = ["Statuses"]

_PARTIAL_SUCCESS = 294  # The specification's own: HTTP has no status for an answer that is right in parts.
_BAD_REQUEST, _UNPROCESSABLE = 400, 422
_STATUS_BY_CODE: Mapping[object, int] = {
    AccessDeniedError.code: 403,
    IntrospectionDisabledError.code: 403,
    InternalError.code: 500,
    NotAuthenticatedError.code: 401,
    RateLimitedError.code: 429,
}
"""What was not executed for these reasons says so in both editions."""
_SYNTAX_ERROR = "Syntax Error"
"""What graphql-core's messages begin with where a document cannot be parsed."""


class Statuses:
    """The statuses of one edition."""

    def __init__(self, edition: Literal["stable", "draft"]) -> None:
        self._is_draft = edition == "draft"

    def of_refusal(self, error: GatewayError, media_type: str) -> int:
        """The status of a request that is refused before anything is executed."""
        if isinstance(error, PersistedQueryNotFoundError):
            # No fault but a step of the protocol, in which older clients take every other status for a broken network.
            return 404 if self._is_draft else (200 if media_type == JSON else _BAD_REQUEST)
        if isinstance(error, RateLimitedError):
            return 200 if media_type == JSON and not self._is_draft else 429
        status = status_of(error)
        is_well_formed = not isinstance(error, NotJsonError | StreamNeededError)
        return _UNPROCESSABLE if self._is_draft and status == _BAD_REQUEST and is_well_formed else status

    def of_result(self, body: JsonObject, *, was_executed: bool, media_type: str) -> int:
        """The status of the answer to an operation; without `was_executed` there are only errors in it."""
        if was_executed:
            return _PARTIAL_SUCCESS if self._is_draft and "errors" in body and media_type == GRAPHQL_RESPONSE else 200
        if media_type == JSON and not self._is_draft:
            return 200
        return self._of_errors(body)

    def media_type(self, status: int, media_type: str) -> str:
        """The type of an answer with that status, where the client likes that type best."""
        if media_type == EVENT_STREAM:
            return JSON  # A refusal is no stream.
        # By this alone a client of the draft tells our refusals from those of servers on the way.
        return GRAPHQL_RESPONSE if self._is_draft and not 200 <= status < 300 else media_type

    def _of_errors(self, body: JsonObject) -> int:
        first = body["errors"][0]
        code = first["extensions"]["code"]
        if code in _STATUS_BY_CODE:
            return _STATUS_BY_CODE[code]
        is_unreadable = code == InvalidError.code and str(first["message"]).startswith(_SYNTAX_ERROR)
        return _UNPROCESSABLE if self._is_draft and not is_unreadable else _BAD_REQUEST
