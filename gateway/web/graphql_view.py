"""One address for GraphQL: over HTTP as the GraphQL-over-HTTP specification asks, over WebSocket, and GraphiQL for people."""

from collections.abc import AsyncGenerator, Callable

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.http import GraphQLRequestData

from gateway.errors import GatewayError, InternalError, InvalidError, NotAuthenticatedError, UnsupportedError
from gateway.graphql.document_limits import DocumentLimits
from gateway.graphql.documents import Documents
from gateway.graphql.operations import Answer, Operations
from gateway.models import JsonValue, Principal
from gateway.runtime import Runtime
from gateway.web.answers import Failure
from gateway.web.authentication import Authentication, Caller
from gateway.web.bodies import encode_json
from gateway.web.event_stream import EventStream, Stopping
from gateway.web.graphiql import GraphiQL
from gateway.web.graphql_socket import GraphQLSocket
from gateway.web.logging import OperationEntry, operation_entry
from gateway.web.negotiation import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, answer_type, takes_events, wants_page
from gateway.web.occupancy import Occupancy
from gateway.web.origins import may_open_socket
from gateway.web.persisted import PersistedDocuments
from gateway.web.refusals import refusal_body, refusal_response
from gateway.web.requests import checked_batch, request_from_value, value_from_body, value_from_query
from gateway.web.statuses import Statuses
from gateway.web.streaming import Frame, Subscriptions

__all__ = ["GraphQLView"]

_OPERATIONS = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}
_NEED_A_STREAM = "Subscriptions need a stream: accept `text/event-stream`, or open a WebSocket with `graphql-transport-ws` at this address."


class _WrongKindError(Exception):
    """The operation is none of those that can be answered here."""

    def __init__(self, kind: OperationType) -> None:
        super().__init__(kind)
        self.kind = kind


class GraphQLView:
    """Answers requests and serves sockets; whatever is refused over HTTP is JSON with a code.

    `make_context` is called once for every operation, also on a socket, so that nothing which one operation loaded is
    shown to the next.
    """

    def __init__(
        self,
        schema: Schema,
        runtime: Runtime,
        *,
        make_context: Callable[[Runtime, Principal], object],
        graphiql: GraphiQL,
    ) -> None:
        self.schema = schema
        self.authentication = Authentication(runtime)
        self.runtime = runtime
        self.persisted = PersistedDocuments.of(runtime.settings)
        self.documents = Documents(schema, limits=DocumentLimits.of(runtime.settings))
        self.operations = Operations(schema)
        self.subscriptions = Subscriptions(
            self.operations,
            documents=self.documents,
            make_context=self.context_for,
            maximum_per_caller=runtime.settings.max_subscriptions_per_customer,
        )
        self.sockets = Occupancy("sockets", maximum=runtime.settings.max_sockets_per_customer)
        self.stopping = Stopping()
        self._statuses = Statuses(runtime.settings.status_codes)
        self._make_context = make_context
        self._graphiql = graphiql

    def context_for(self, principal: Principal) -> object:
        """What the resolvers of one operation work with."""
        return self._make_context(self.runtime, principal)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or serves one socket until it closes."""
        if scope["type"] != "http":
            await self._serve_socket(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        if _asks_for_page(request):
            await self._graphiql.page(request)(scope, receive, send)
            return
        with operation_entry(self.runtime.clock, transport="http") as entry:
            entry.status = 500
            response = await self._answer_or_refusal(request, entry)
            entry.status = response.status_code
            if isinstance(response, EventStream):
                await response(scope, receive, send)
                return
        await response(scope, receive, send)

    async def frames(self, request: JsonValue, caller: Caller, entry: OperationEntry) -> AsyncGenerator[Frame, None]:
        """The answers to any operation, as a stream to be closed; a refusal is its last frame."""
        failure = Failure()
        with failure:
            asked = request_from_value(request, self.persisted)
            entry.name_from(asked.query, asked.operation_name)
            subscription = self.subscriptions.subscription(asked, caller.principal)
            if subscription is None:
                frame = await self._only_frame(asked, caller, entry)
        if failure.errors:
            return _once(failure.frame())
        return _once(frame) if subscription is None else subscription.frames()

    async def _only_frame(self, asked: GraphQLRequestData, caller: Caller, entry: OperationEntry) -> Frame:
        answer = await self._execute(asked, caller.principal, allowed=set(OperationType))
        entry.code_from(answer.errors)
        return Frame(text=encode_json(answer.body if answer.was_executed else answer.errors).decode(), is_refusal=not answer.was_executed)

    async def _serve_socket(self, websocket: WebSocket) -> None:
        if may_open_socket(websocket.headers, allowed_origins=self.runtime.settings.allowed_origins):
            await GraphQLSocket(self, websocket).serve()
        else:
            await websocket.close(1008)  # Before the handshake is answered, it is refused with 403.

    async def _answer_or_refusal(self, request: Request, entry: OperationEntry) -> Response:
        media_type = answer_type(request.headers.get("accept", ""))
        if request.method not in _OPERATIONS:
            message = f"{request.method} is not supported here. Send GraphQL by POST, or a query by GET."
            return self._refused(message, status=405, media_type=media_type or JSON, allow="GET, POST")
        if media_type is None:
            return refusal_response(f"Answers are `{GRAPHQL_RESPONSE}`, `{JSON}` or `{EVENT_STREAM}`. Accept one of them.", status=406)
        try:
            return await self._answer(request, entry, media_type)
        except InternalError:
            raise  # A defect, whose text never leaves the process.
        except GatewayError as error:
            entry.code = error.code
            status = self._statuses.of_refusal(error, media_type)
            return self._refused(error.message, status=status, code=error.code, media_type=media_type)
        except ClientDisconnect:
            return refusal_response("The connection ended before the request did.", status=400)

    async def _answer(self, request: Request, entry: OperationEntry, media_type: str) -> Response:
        caller = await self.authentication.caller(_authorization(request))
        if request.method == "GET":
            value = value_from_query(request.query_params)
        else:
            value = await value_from_body(request, max_bytes=self.runtime.settings.max_body_bytes)
        if isinstance(value, list):
            return await self._answer_batch(value, caller, media_type)
        asked = request_from_value(value, self.persisted)
        entry.name_from(asked.query, asked.operation_name)
        if media_type == EVENT_STREAM or takes_events(request.headers.get("accept", "")):
            subscription = self.subscriptions.subscription(asked, caller.principal, after=_resumed_after(request))
            if subscription is not None:
                return self._stream(subscription.frames(), caller, entry)
        return await self._answer_once(asked, caller, entry, method=request.method, media_type=media_type)

    async def _answer_once(
        self, asked: GraphQLRequestData, caller: Caller, entry: OperationEntry, *, method: str, media_type: str
    ) -> Response:
        streams = media_type == EVENT_STREAM
        allowed = _OPERATIONS[method] | ({OperationType.SUBSCRIPTION} if streams else set())
        try:
            answer = await self._execute(asked, caller.principal, allowed=allowed)
        except _WrongKindError as error:
            if error.kind is OperationType.MUTATION:
                return self._refused("Mutations need POST.", status=405, media_type=media_type, allow="POST")
            return self._refused(_NEED_A_STREAM, status=400, code=UnsupportedError.code, media_type=media_type)
        entry.code_from(answer.errors)
        if streams and answer.was_executed:
            return self._stream(_once(Frame(text=encode_json(answer.body).decode())), caller, entry)
        # What was not executed is no stream: it is refused as for clients of the specification.
        media_type = GRAPHQL_RESPONSE if streams else media_type
        status = self._statuses.of_result(answer.body, was_executed=answer.was_executed, media_type=media_type)
        return _json_response(answer.body, status=status, media_type=self._statuses.media_type(status, media_type))

    async def _answer_batch(self, values: list[JsonValue], caller: Caller, media_type: str) -> Response:
        if media_type == EVENT_STREAM:
            raise InvalidError("Lists of operations are answered as JSON. Send one operation for a stream, or accept JSON first.")
        # One after the other: what a list asks at once is no more than what a patient client asks.
        values = checked_batch(values, maximum=self.runtime.settings.max_batch_size)
        return _json_response([await self._answer_in_batch(value, caller) for value in values], status=200, media_type=media_type)

    async def _answer_in_batch(self, value: JsonValue, caller: Caller) -> dict[str, object]:
        with operation_entry(self.runtime.clock, transport="http") as entry:
            try:
                asked = request_from_value(value, self.persisted)
                entry.name_from(asked.query, asked.operation_name)
                answer = await self._execute(asked, caller.principal, allowed=_OPERATIONS["POST"])
                entry.code_from(answer.errors)
                return answer.body
            except _WrongKindError:
                refusal: GatewayError = UnsupportedError(_NEED_A_STREAM)
            except InternalError:
                raise  # A defect, whose text never leaves the process.
            except GatewayError as error:
                refusal = error
            entry.code = refusal.code
            return refusal_body(refusal.message, code=refusal.code)

    def _refused(self, message: str, *, status: int, media_type: str, code: str | None = None, allow: str | None = None) -> Response:
        headers = {"allow": allow} if allow is not None else None
        return refusal_response(
            message, status=status, code=code, headers=headers, media_type=self._statuses.media_type(status, media_type)
        )

    def _stream(self, frames: AsyncGenerator[Frame, None], caller: Caller, entry: OperationEntry) -> EventStream:
        return EventStream(frames, clock=self.runtime.clock, expires_at=caller.expires_at, stopping=self.stopping, on_code=entry.keep_code)

    async def _execute(self, asked: GraphQLRequestData, principal: Principal, *, allowed: set[OperationType]) -> Answer:
        document = self.documents.get(asked.query or "")
        if document.errors:
            return Answer.refusal(document.errors)
        operation = document.operation(asked.operation_name)
        if operation.kind not in allowed:
            raise _WrongKindError(operation.kind)
        variables, extensions = asked.variables or {}, asked.extensions
        return await self.operations.execute(operation, variables=variables, context=self.context_for(principal), extensions=extensions)


async def _once(frame: Frame) -> AsyncGenerator[Frame, None]:
    """The stream of an operation with one answer."""
    yield frame


def _asks_for_page(request: Request) -> bool:
    asks_something = any(name in request.query_params for name in ("query", "documentId", "extensions"))
    return request.method == "GET" and not asks_something and wants_page(request.headers.get("accept", ""))


def _authorization(request: Request) -> str | None:
    values = request.headers.getlist("authorization")
    if len(values) > 1:
        raise NotAuthenticatedError("The request has several Authorization headers. Send one.")
    return values[0] if values else None


def _resumed_after(request: Request) -> str | None:
    """Where the client's last stream ended, as browsers tell it by themselves when they connect again."""
    return request.headers.get("last-event-id") or None


def _json_response(body: JsonValue, *, status: int, media_type: str) -> Response:
    return Response(
        encode_json(body),
        status_code=status,
        headers={"cache-control": "no-store", "vary": "Accept"},
        media_type=f"{media_type}; charset=utf-8",
    )
