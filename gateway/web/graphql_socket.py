"""GraphQL over WebSocket: the `graphql-transport-ws` protocol, with a token in `connection_init`."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import structlog
from starlette.websockets import WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http import GraphQLRequestData
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, Message, PingMessage
from strawberry.types.execution import PreExecutionError

from gateway.errors import GatewayError, InternalError, InvalidError, trace_of
from gateway.models.principal import ANONYMOUS
from gateway.web.bodies import decode_json, encode_json
from gateway.web.logging import OperationEntry, operation_entry
from gateway.web.refusals import with_codes
from gateway.web.requests import request_from_value
from gateway.web.streaming import Subscription

if TYPE_CHECKING:
    from gateway.web.graphql_view import GraphQLView

__all__ = ["SocketAdapter", "SocketHandler"]

BAD_REQUEST, FORBIDDEN = 4400, 4403
"""Close codes. Clients take 4400 for a defect of their own, and may connect again with another token after 4403."""
_MAX_REASON_BYTES = 123  # RFC 6455 section 5.5: a control frame holds 125 bytes, two of them the code.
_log = structlog.get_logger("gateway.web")


class SocketAdapter(ASGIWebSocketAdapter):
    """Text frames of JSON in both directions."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        """The messages as they come, until the socket closes."""
        while self._is_open:
            message = await self.ws.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                raise NonTextMessageReceived
            try:
                value = decode_json(text)
            except InvalidError:
                raise NonJsonMessageReceived from None
            yield value

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Sends a message; raises WebSocketDisconnected when nobody is there to read it."""
        if not self._is_open:
            raise WebSocketDisconnected
        await self.send_text(encode_json(message).decode())

    async def send_text(self, text: str) -> None:
        """Sends a message that is encoded; waits while the client reads slower than we write."""
        if not self._is_open:
            raise WebSocketDisconnected
        await self.ws.send_text(text)

    async def close(self, code: int, reason: str) -> None:
        """Closes the socket with as much of the reason as fits; a second time does nothing."""
        if self._is_open:
            await self.ws.close(code=code, reason=reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore"))

    @property
    def _is_open(self) -> bool:
        return self.ws.application_state is WebSocketState.CONNECTED and self.ws.client_state is WebSocketState.CONNECTED


class SocketHandler(BaseGraphQLTransportWSHandler[Any, None]):
    """One socket: whoever opened it is known from `connection_init` on, until the token expires.

    Where Strawberry's own handler would end the socket for one operation's syntax error, or end it without a close code
    for an odd message, this one answers the operation, or closes with 4400.
    """

    view: "GraphQLView"
    websocket: SocketAdapter

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._principal = ANONYMOUS
        self._expiry: asyncio.Task[None] | None = None
        self._entries: dict[str, OperationEntry] = {}
        super().__init__(*arguments, **options)

    @property
    def context(self) -> object:
        """A fresh context at every look: Strawberry looks once an operation, and would share one among all."""
        return self.view.context_for(self._principal)

    @context.setter
    def context(self, value: object) -> None:
        """Strawberry hands over the one it would share; it is not kept."""

    async def shutdown(self) -> None:
        """Ends what the socket still had under way."""
        if self._expiry is not None:
            self._expiry.cancel()
        await super().shutdown()

    async def handle_message(self, message: Message) -> None:
        """Closes with 4400 on what is no message of the protocol."""
        try:
            _refuse_odd(message)
        except InvalidError as error:
            await self.handle_invalid_message(error.message)
            return
        await super().handle_message(message)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Learns who asks; closes with 4403 when the token does not hold, now or when it expires."""
        if not self.connection_init_received:
            try:
                caller = await self.view.authentication.caller(self._authorization(message.get("payload") or {}))
            except InternalError:
                raise  # A defect, whose text never leaves the process.
            except GatewayError as error:
                await self.websocket.close(FORBIDDEN, error.message)
                return
            self._principal = caller.principal
            if caller.expires_at is not None:
                self._expiry = asyncio.create_task(self._close_at(caller.expires_at))
        await super().handle_connection_init(message)

    async def handle_ping(self, message: PingMessage) -> None:
        """Answers with the payload that came, by which clients tell their pings apart."""
        payload = message.get("payload")
        await self.send_message({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        """Runs one operation to its end, and logs it."""
        with operation_entry(self.view.runtime.clock, transport="websocket") as entry:
            entry.name_from(operation.query, operation.operation_name)
            asked = GraphQLRequestData(operation.query, operation.variables, operation.operation_name, None)
            subscription = self.view.subscriptions.subscription(asked, self._principal)
            if subscription is not None:
                with suppress(WebSocketDisconnected):
                    await self._stream(operation, subscription, entry)
                return
            self._entries[operation.id] = entry
            await super().run_operation(operation)

    async def send_message(self, message: Message) -> None:
        """Sends a message, every error in it with a code."""
        await super().send_message(self._noted(cast("dict[str, Any]", message)))

    async def handle_task_exception(self, error: Exception) -> None:
        """Logs a defect; that a client went away is none."""
        if not isinstance(error, WebSocketDisconnected):
            _log.error("socket_defect", exception=trace_of(error))

    async def _handle_pre_execution_error(self, operation: Operation[Any, None], result: PreExecutionError) -> None:
        await operation.send_initial_errors(result.errors or [])

    async def _stream(self, operation: Operation[Any, None], subscription: Subscription, entry: OperationEntry) -> None:
        """Sends a subscription's frames, each written once for all who get it: only the id around it is the operation's own."""
        head = f'{{"id":{encode_json(operation.id).decode()},"type":'
        before, last = f'{head}"next","payload":', f'{head}"complete"}}'
        async with aclosing(subscription.frames()) as frames:
            async for frame in frames:
                entry.keep_code(frame.code)
                if frame.is_refusal:
                    last = f'{head}"error","payload":{frame.text}}}'
                else:
                    await self.websocket.send_text(f"{before}{frame.text}}}")
        # The id is free before the client hears of the end, and may use it again.
        self.forget_id(operation.id)
        await self.websocket.send_text(last)

    async def _close_at(self, expires_at: datetime) -> None:
        clock = self.view.runtime.clock
        await clock.sleep((expires_at - clock.now()).total_seconds())
        await self.websocket.close(FORBIDDEN, "The token expired. Connect again with a new one.")

    def _authorization(self, payload: Mapping[str, object]) -> str | None:
        # Names of headers have no case, and GraphiQL sends its headers as they were typed.
        stated = next((value for name, value in payload.items() if name.lower() == "authorization"), None)
        if stated is None:
            return self.websocket.ws.headers.get("authorization")
        return stated if isinstance(stated, str) else f"not text: {type(stated).__name__}"

    def _noted(self, message: dict[str, Any]) -> Message:
        """The message, each of its errors with a code, which the log keeps."""
        if message["type"] == "error":
            message = {**message, "payload": with_codes(message["payload"])}
        elif message["type"] == "next" and "errors" in message["payload"]:
            message = {**message, "payload": {**message["payload"], "errors": with_codes(message["payload"]["errors"])}}

        errors = message["payload"] if message["type"] == "error" else message.get("payload", {}).get("errors", ())
        entry = self._entries.get(message.get("id", ""))
        if entry is not None:
            entry.code_from(errors)
        if message["type"] in ("error", "complete"):
            self._entries.pop(message["id"], None)
        return cast("Message", message)


def _refuse_odd(message: object) -> None:
    """Raises InvalidError for what is no message of the protocol."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise InvalidError("A message must be a JSON object with a `type`.")
    kind, payload = message["type"], message.get("payload")
    if kind in ("connection_init", "ping", "pong") and not isinstance(payload, dict | None):
        raise InvalidError(f"The payload of `{kind}` must be an object.")
    if kind in ("subscribe", "complete") and not (isinstance(message.get("id"), str) and message["id"]):
        raise InvalidError(f"A `{kind}` message needs an `id`, a string that is not empty.")
    if kind == "subscribe":
        request_from_value(payload)
