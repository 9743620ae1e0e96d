"""GraphQL over WebSocket: the `graphql-transport-ws` protocol, with a token in `connection_init`.

As strict as the protocol's reference on messages, and milder on operations: what is wrong with one operation ends that
operation, where the reference ends the socket with all that runs on it.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from gateway.errors import InternalError, InvalidError, OperationsExceededError, SocketsExceededError
from gateway.models import JsonObject, JsonValue
from gateway.storage.faults import is_outage
from gateway.web.answers import Failure, Frame
from gateway.web.authentication import NOBODY
from gateway.web.bodies import encode_json
from gateway.web.logging import OperationEntry
from gateway.web.socket_messages import CloseCode, SocketMessage, close_reason, message_from_frame

if TYPE_CHECKING:
    from gateway.web.graphql_view import GraphQLView

__all__ = ["PROTOCOL", "GraphQLSocket"]

PROTOCOL = "graphql-transport-ws"
_INIT_SECONDS = 10.0
_CODES: Mapping[str | None, CloseCode] = {InternalError.code: CloseCode.DEFECT, SocketsExceededError.code: CloseCode.TOO_MANY}
"""What closes a socket whose opening is refused with that code; all others are 4403, as for a token that does not hold."""


class GraphQLSocket:
    """One socket: whoever opened it is known from `connection_init` on, until the token expires."""

    def __init__(self, view: "GraphQLView", websocket: WebSocket) -> None:
        self._view = view
        self._clock = view.runtime.clock
        self._maximum = view.runtime.settings.max_subscriptions_per_socket
        self._websocket = websocket
        self._caller = NOBODY
        self._was_initialised = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._timer: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Serves the socket until it closes; nothing of it runs on after that."""
        speaks = PROTOCOL in self._websocket.scope["subprotocols"]
        await self._websocket.accept(subprotocol=PROTOCOL if speaks else None)
        if not speaks:
            await self.close(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return
        async with AsyncExitStack() as held:
            held.push_async_callback(self._stop_all)
            self._start_timer(_INIT_SECONDS, CloseCode.INIT_TIMEOUT, "Connection initialisation timeout")
            with suppress(WebSocketDisconnect):
                await self._listen(held)

    async def close(self, code: CloseCode, reason: str) -> None:
        """Closes the socket with as much of the reason as fits; a second time does nothing."""
        if self._is_open:
            with suppress(WebSocketDisconnect):
                await self._websocket.close(code, close_reason(reason))

    @property
    def _is_open(self) -> bool:
        return self._websocket.application_state is WebSocketState.CONNECTED and self._websocket.client_state is WebSocketState.CONNECTED

    async def _listen(self, held: AsyncExitStack) -> None:
        while self._is_open:
            frame = await self._websocket.receive()
            if frame["type"] == "websocket.disconnect":
                return
            if not self._is_open:
                return  # What came after a close is not heard.
            try:
                message = message_from_frame(frame)
            except InvalidError as error:
                await self.close(CloseCode.BAD_REQUEST, error.message)
                return
            await self._handle(message, held)

    async def _handle(self, message: SocketMessage, held: AsyncExitStack) -> None:
        match message.kind:
            case "connection_init":
                await self._initialise(message.payload or {}, held)
            case "ping":
                # With the payload that came, by which clients tell their pings apart.
                await self._send({"type": "pong"} if message.payload is None else {"type": "pong", "payload": message.payload})
            case "subscribe":
                await self._subscribe(message)
            case "complete" if (task := self._running.pop(message.id, None)) is not None:
                await self._end(task)

    async def _initialise(self, payload: JsonObject, held: AsyncExitStack) -> None:
        """Learns who asks, and acknowledges it; closes the socket when the token does not hold, now or when it expires."""
        if self._was_initialised:
            await self.close(CloseCode.TOO_MANY, "Too many initialisation requests")
            return
        self._was_initialised = True
        failure = Failure()
        with failure:
            self._caller = await self._view.authentication.caller(self._authorization(payload))
            held.enter_context(self._view.sockets.place(self._caller.principal))
        if failure.cause is not None:
            code = CloseCode.TRY_AGAIN_LATER if is_outage(failure.cause) else _CODES.get(failure.code, CloseCode.FORBIDDEN)
            await self.close(code, failure.message)
            return
        self._cancel_timer()
        if self._caller.expires_at is not None:
            seconds = (self._caller.expires_at - self._clock.now()).total_seconds()
            self._start_timer(seconds, CloseCode.FORBIDDEN, "The token expired. Connect again with a new one.")
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, message: SocketMessage) -> None:
        if not self._was_initialised:
            await self.close(CloseCode.UNAUTHORIZED, "Unauthorized")
        elif message.id in self._running:
            await self.close(CloseCode.SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists")
        elif len(self._running) >= self._maximum:
            failure = Failure()
            with failure:
                told = f"This socket runs {self._maximum} operations, as many as it may. Wait until some have ended."
                raise OperationsExceededError(told)
            await self._send_text(f"{_head(message.id, 'error')},{_payload(failure.frame())}")
        else:
            self._running[message.id] = asyncio.create_task(self._run(message.id, message.payload or {}))

    async def _run(self, identity: str, request: JsonObject) -> None:
        """Runs one operation to its end, and logs it."""
        with OperationEntry(self._clock, transport="websocket") as entry, suppress(WebSocketDisconnect):
            # Each frame of a subscription is written once for all who get it: only the id around it is the operation's own.
            last, head = f"{_head(identity, 'complete')}}}", _head(identity, "next")
            async with aclosing(await self._view.frames(request, self._caller, entry)) as frames:
                async for frame in frames:
                    entry.keep_code(frame.code)
                    if frame.is_refusal:
                        last = f"{_head(identity, 'error')},{_payload(frame)}"
                    else:
                        await self._send_text(f"{head},{_payload(frame)}")
            # The id is free before the client hears of the end, and may use it again.
            if self._running.get(identity) is asyncio.current_task():
                del self._running[identity]
            await self._send_text(last)

    async def _send(self, message: JsonValue) -> None:
        await self._send_text(encode_json(message).decode())

    async def _send_text(self, text: str) -> None:
        """Sends a message; waits while the client reads slower than we write.

        Raises WebSocketDisconnect when nobody is there to read it.
        """
        if not self._is_open:
            raise WebSocketDisconnect
        await self._websocket.send_text(text)

    def _authorization(self, payload: JsonObject) -> str | None:
        # Names of headers have no case, and GraphiQL sends its headers as they were typed.
        stated = next((value for name, value in payload.items() if name.lower() == "authorization"), None)
        if stated is None:
            return self._websocket.headers.get("authorization")
        return stated if isinstance(stated, str) else f"not text: {type(stated).__name__}"

    def _start_timer(self, seconds: float, code: CloseCode, reason: str) -> None:
        self._timer = asyncio.create_task(self._close_at_end_of(seconds, code, reason))

    async def _close_at_end_of(self, seconds: float, code: CloseCode, reason: str) -> None:
        await self._clock.sleep(seconds)
        await self.close(code, reason)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _end(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        if len(self._ending) >= self._maximum:
            # Else whoever begins and ends operations without a pause would have more of them under way than they may.
            await asyncio.wait(self._ending, return_when=asyncio.FIRST_COMPLETED)

    async def _stop_all(self) -> None:
        """Ends what the socket still had under way."""
        self._cancel_timer()
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), *self._ending, return_exceptions=True)


def _head(identity: str, kind: str) -> str:
    return f'{{"id":{encode_json(identity).decode()},"type":"{kind}"'


def _payload(frame: Frame) -> str:
    return f'"payload":{frame.text}}}'
