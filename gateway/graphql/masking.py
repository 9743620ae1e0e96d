"""What leaves the process of an error: a code always, the text only of what was meant to be read."""

import re
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any
from uuid import uuid4

import structlog
from graphql import GraphQLError, SourceLocation
from strawberry.extensions import SchemaExtension
from strawberry.types.execution import StreamExecutionResult

from gateway.errors import (
    CombinedUserError,
    CostExceededError,
    GatewayError,
    InternalError,
    InvalidError,
    RateLimitedError,
    UpstreamRateLimitError,
    UserError,
    trace_of,
)
from gateway.graphql.errors import told

logger = structlog.get_logger(__name__)

_MAX_MESSAGE_CHARACTERS = 500
"""Of a message that is not ours: it may repeat a name, which may be as long as a request, and so may a hundred others."""
_MAX_LOCATIONS = 10
_ECHO = re.compile(r"[,.]?( found| Found)?: [\[{].*", re.DOTALL)


def readable(error: GraphQLError) -> GraphQLError:
    """The error as a client may see it.

    Ours keep their message and code. A request that breaks the rules of GraphQL or of the schema is INVALID. Anything
    else is a defect: it is logged whole, and the client gets a reference to the log.
    """
    cause = cause_of(error)
    if isinstance(cause, GatewayError) and not isinstance(cause, InternalError):
        return _with(error, cause.message, _extensions(cause))
    if cause is None:
        return _with(error, _without_echo(error.message), {**(error.extensions or {}), "code": InvalidError.code})
    reference = uuid4().hex
    logger.error("A defect ended a field", action="graphql_defect", reference=reference, path=error.path, exception=trace_of(cause))
    message = f"Something went wrong inside the gateway. Its operator finds the cause in the log under {reference}."
    return _with(error, message, {"code": InternalError.code, "reference": reference})


class MaskErrors(SchemaExtension):
    """Makes every error of an answer readable, and safe to read."""

    def on_operation(self) -> Iterator[None]:
        """Looks at the answer when it is complete."""
        yield
        _mask(self.execution_context.result)

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        """Looks at each answer of a stream before it leaves."""
        _mask(result)
        yield


def _mask(result: Any) -> None:
    errors: Sequence[GraphQLError] | None = getattr(result, "errors", None)
    if errors:
        result.errors = [error if "code" in (error.extensions or {}) else readable(error) for error in errors]


class Caught:
    """Ends a block quietly on an error, and keeps it as one of GraphQL's."""

    error: GraphQLError | None = None

    def __enter__(self) -> None:
        """Nothing yet."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        """Keeps the error; what is none, such as the end of the task, goes on."""
        if not isinstance(error, Exception):
            return False
        self.error = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
        return True


def cause_of(error: GraphQLError) -> BaseException | None:
    """What was raised, below the wrappings of the library; null when the library itself refused the request."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _without_echo(message: str) -> str:
    """The message without the object or list that it quotes from the request, which may hold credentials."""
    message = message if len(message) <= _MAX_MESSAGE_CHARACTERS else f"{message[:_MAX_MESSAGE_CHARACTERS]}..."
    shown = _ECHO.sub("", message)
    return message if shown == message else shown.rstrip(".") + ("" if shown.endswith("?") else ".")


def _extensions(error: GatewayError) -> dict[str, Any]:
    match error:
        case UpstreamRateLimitError():
            return {"code": error.code, "retryAfterSeconds": error.retry_after_seconds}
        case RateLimitedError(retry_after_seconds=int(seconds)):
            return {"code": error.code, "retryAfterSeconds": seconds}
        case CostExceededError(requested=int(requested), maximum=int(maximum)):
            return {"code": error.code, "cost": {"requested": requested, "maximum": maximum}}
        case CombinedUserError():
            return {"code": error.code, "userErrors": told(error)}
        case UserError(field=[*field]):
            return {"code": error.code, "field": field}
    return {"code": error.code}


def _with(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    # Not from the nodes: the library would search the document for the lines before each of them.
    shown = GraphQLError(message, path=error.path, extensions=extensions)
    shown.locations = _locations(error)
    return shown


def _locations(error: GraphQLError) -> list[SourceLocation] | None:
    """The first places of the document that the error is about, as the parser has counted them."""
    tokens = [node.loc.start_token for node in (error.nodes or ())[:_MAX_LOCATIONS] if node.loc is not None]
    if tokens:
        return [SourceLocation(token.line, token.column) for token in tokens]
    return error.locations[:_MAX_LOCATIONS] if error.locations is not None else None
