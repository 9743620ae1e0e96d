"""One address for GraphQL: over HTTP, over WebSocket, and GraphiQL for people."""

from collections.abc import AsyncGenerator, Callable, Set
from functools import partial

from graphql import OperationType
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.http import GraphQLRequestData

from gateway.errors import MethodNotAllowedError, SocketsExceededError, StreamNeededError
from gateway.graphql.documents import Documents
from gateway.graphql.operations import Answer, Operations
from gateway.models import JsonValue, Principal
from gateway.runtime import Runtime
from gateway.web.answers import Failure
from gateway.web.authentication import Authentication, Caller
from gateway.web.bodies import encode_json
from gateway.web.bounded_operations import BoundedOperations
from gateway.web.event_stream import EventStream, Stopping
from gateway.web.graphiql import GraphiQL
from gateway.web.graphql_http import GraphQLExchange, once
from gateway.web.graphql_socket import GraphQLSocket
from gateway.web.logging import OperationEntry
from gateway.web.negotiation import MOST_CHARACTERS, wants_page
from gateway.web.occupancy import Occupancy
from gateway.web.origins import may_open_socket
from gateway.web.persisted import PersistedDocuments
from gateway.web.requests import request_from_value
from gateway.web.statuses import Statuses
from gateway.web.streaming import Frame, Subscriptions

__all__ = ["GraphQLView"]

_NEED_A_STREAM = "Subscriptions need a stream: accept `text/event-stream`, or open a WebSocket with `graphql-transport-ws` at this address."


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
        context_for = partial(make_context, runtime)
        self.schema = schema
        self.authentication = Authentication(runtime)
        self.runtime = runtime
        self.persisted = PersistedDocuments.of(runtime.settings)
        self.documents = Documents(schema, limits=runtime.settings)
        self.operations = Operations(schema, may_suggest=runtime.settings.introspection)
        self.bounded = BoundedOperations(self.operations, settings=runtime.settings, clock=runtime.clock, make_context=context_for)
        self.subscriptions = Subscriptions(
            self.operations,
            documents=self.documents,
            make_context=context_for,
            charge=self.bounded.charge,
            maximum_per_caller=runtime.settings.max_subscriptions_per_customer,
        )
        self.sockets = Occupancy("sockets", maximum=runtime.settings.max_sockets_per_customer, refusal=SocketsExceededError)
        self.stopping = Stopping()
        self.statuses = Statuses(runtime.settings.status_codes)
        self._graphiql = graphiql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or serves one socket until it closes."""
        if scope["type"] != "http":
            await self._serve_socket(WebSocket(scope, receive, send))
            return
        if scope["method"] == "GET" and _asks_for_page(request := Request(scope, receive)):
            await self._graphiql.page(request)(scope, receive, send)
            return
        with OperationEntry(self.runtime.clock, transport="http") as entry:
            entry.status = 500
            response = await GraphQLExchange(self, scope, receive, entry).response()
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
            return once(failure.frame())
        return once(frame) if subscription is None else subscription.frames()

    async def _only_frame(self, asked: GraphQLRequestData, caller: Caller, entry: OperationEntry) -> Frame:
        answer = await self.execute(asked, caller.principal, allowed=set(OperationType))
        entry.code_from(answer.errors)
        return Frame(text=encode_json(answer.body if answer.was_executed else answer.errors).decode(), is_refusal=not answer.was_executed)

    async def _serve_socket(self, websocket: WebSocket) -> None:
        if may_open_socket(websocket.headers, allowed_origins=self.runtime.settings.allowed_origins):
            await GraphQLSocket(self, websocket).serve()
        else:
            await websocket.close(1008)  # Before the handshake is answered, it is refused with 403.

    async def execute(self, asked: GraphQLRequestData, principal: Principal, *, allowed: Set[OperationType]) -> Answer:
        """The answer to an operation of an allowed kind.

        Raises InvalidError where the document does not tell which operation, and MethodNotAllowedError or StreamNeededError
        where it is of another kind.
        """
        document = self.documents.get(asked.query or "")
        if document.errors:
            return Answer.refusal(document.errors)
        operation = document.operation(asked.operation_name)
        if operation.kind not in allowed:
            is_mutation = operation.kind is OperationType.MUTATION
            raise MethodNotAllowedError("Mutations need POST.", allowed="POST") if is_mutation else StreamNeededError(_NEED_A_STREAM)
        return await self.bounded.execute(operation, asked, principal)


def _asks_for_page(request: Request) -> bool:
    asks_something = any(name in request.query_params for name in ("query", "documentId", "extensions"))
    return not asks_something and wants_page(request.headers.get("accept", "")[:MOST_CHARACTERS])
