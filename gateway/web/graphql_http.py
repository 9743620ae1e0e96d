"""GraphQL over HTTP: one request and its answer, as the specification has them."""

from collections.abc import AsyncGenerator, Mapping, Set
from typing import TYPE_CHECKING

from graphql import OperationType
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope
from strawberry.http import GraphQLRequestData

from gateway.errors import GatewayError, InternalError, InvalidError, MethodNotAllowedError, NotAcceptableError, NotAuthenticatedError
from gateway.graphql.operations import Answer
from gateway.models import JsonObject, JsonValue
from gateway.web.authentication import Caller
from gateway.web.bodies import encode_json
from gateway.web.event_stream import EventStream
from gateway.web.heads import Head
from gateway.web.json_answers import JsonAnswer
from gateway.web.logging import OperationEntry
from gateway.web.negotiation import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, MOST_CHARACTERS, answer_type, takes_events
from gateway.web.refusals import refusal_body, refusal_response
from gateway.web.requests import checked_batch, request_from_value, value_from_body, value_from_query
from gateway.web.streaming import Frame

if TYPE_CHECKING:
    from gateway.web.graphql_view import GraphQLView

__all__ = ["GraphQLExchange", "once"]

_OPERATIONS: Mapping[str, Set[OperationType]] = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}


class GraphQLExchange:
    """One request; what becomes of it is told to the entry of the log."""

    def __init__(self, view: "GraphQLView", scope: Scope, receive: Receive, entry: OperationEntry) -> None:
        self._view = view
        self._scope = scope
        self._receive = receive
        self._entry = entry
        self._head = Head(scope)
        self._method = self._head.method
        self._accept = self._head.get(b"accept")[:MOST_CHARACTERS]
        self._liked = answer_type(self._accept)
        self._media_type = self._liked or JSON

    async def response(self) -> Response:
        """The answer or the refusal, in the type that the client likes best."""
        try:
            self._check_head()
            return await self._answer()
        except InternalError:
            raise  # A defect, whose text never leaves the process.
        except GatewayError as error:
            return self._refusal(error)
        except ClientDisconnect:
            return refusal_response("The connection ended before the request did.", status=400)

    def _check_head(self) -> None:
        method = self._method
        if method not in _OPERATIONS:
            raise MethodNotAllowedError(f"{method} is not supported here. Send GraphQL by POST, or a query by GET.", allowed="GET, POST")
        if self._liked is None:
            raise NotAcceptableError(f"Answers are `{GRAPHQL_RESPONSE}`, `{JSON}` or `{EVENT_STREAM}`. Accept one of them.")

    async def _answer(self) -> Response:
        caller = await self._view.authentication.caller(_authorization(self._head))
        if self._method == "GET":
            value = value_from_query(QueryParams(self._scope["query_string"]))
        else:
            value = await value_from_body(self._head, self._receive, max_bytes=self._view.runtime.settings.max_body_bytes)
        if isinstance(value, list):
            return await self._answer_batch(value, caller)
        asked = request_from_value(value, self._view.persisted)
        self._entry.name_from(asked.query, asked.operation_name)
        if takes_events(self._accept):
            subscription = self._view.subscriptions.subscription(asked, caller.principal, after=_resumed_after(self._head))
            if subscription is not None:
                return self._stream(subscription.frames(), caller)
        return await self._answer_once(asked, caller)

    async def _answer_once(self, asked: GraphQLRequestData, caller: Caller) -> Response:
        answer = await self._view.execute(asked, caller.principal, allowed=_OPERATIONS[self._method])
        self._entry.code_from(answer.errors)
        body = answer.body
        streams = self._media_type == EVENT_STREAM
        if streams and answer.was_executed:
            return self._stream(once(Frame(text=encode_json(body).decode())), caller)
        # What was not executed is no stream: it is refused as for clients of the specification.
        media_type = GRAPHQL_RESPONSE if streams else self._media_type
        status = self._view.statuses.of_result(body, was_executed=answer.was_executed, media_type=media_type)
        shown = self._view.statuses.media_type(status, media_type)
        headers = None if answer.was_executed else _retry_after(answer)
        return JsonAnswer(encode_json(body), status=status, media_type=shown, headers=headers)

    async def _answer_batch(self, values: list[JsonValue], caller: Caller) -> Response:
        if self._media_type == EVENT_STREAM:
            raise InvalidError("Lists of operations are answered as JSON. Send one operation for a stream, or accept JSON first.")
        # One after the other: what a list asks at once is no more than what a patient client asks.
        values = checked_batch(values, maximum=self._view.runtime.settings.max_batch_size)
        answers = [await self._answer_in_batch(value, caller) for value in values]
        return JsonAnswer(encode_json(answers), status=200, media_type=self._media_type)

    async def _answer_in_batch(self, value: JsonValue, caller: Caller) -> JsonObject:
        with OperationEntry(self._view.runtime.clock, transport="http") as entry:
            try:
                asked = request_from_value(value, self._view.persisted)
                entry.name_from(asked.query, asked.operation_name)
                answer = await self._view.execute(asked, caller.principal, allowed=_OPERATIONS["POST"])
                entry.code_from(answer.errors)
                return answer.body
            except InternalError:
                raise  # A defect, whose text never leaves the process.
            except GatewayError as error:
                entry.keep_code(error.code)
                return refusal_body(error.message, code=error.code)

    def _stream(self, frames: AsyncGenerator[Frame, None], caller: Caller) -> EventStream:
        return EventStream(
            frames,
            clock=self._view.runtime.clock,
            expires_at=caller.expires_at,
            stopping=self._view.stopping,
            on_code=self._entry.keep_code,
        )

    def _refusal(self, error: GatewayError) -> Response:
        self._entry.keep_code(error.code)
        status = self._view.statuses.of_refusal(error, self._media_type)
        headers = {"allow": error.allowed} if isinstance(error, MethodNotAllowedError) else None
        media_type = self._view.statuses.media_type(status, self._media_type)
        return refusal_response(error.message, status=status, code=error.code, headers=headers, media_type=media_type)


async def once(frame: Frame) -> AsyncGenerator[Frame, None]:
    """The stream of an operation with one answer."""
    yield frame


def _authorization(head: Head) -> str | None:
    values = head.all(b"authorization")
    if len(values) > 1:
        raise NotAuthenticatedError("The request has several Authorization headers. Send one.")
    return values[0] if values else None


def _resumed_after(head: Head) -> str | None:
    """Where the client's last stream ended, as browsers tell it by themselves when they connect again."""
    return head.get(b"last-event-id") or None


def _retry_after(answer: Answer) -> Mapping[str, str]:
    """When to come again, where an operation that was not executed is refused until then."""
    seconds = answer.errors[0]["extensions"].get("retryAfterSeconds")
    return {"retry-after": str(seconds)} if seconds is not None else {}
