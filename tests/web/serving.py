"""A small schema behind the real application, and a WebSocket client without a network."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import strawberry
from msgspec import Raw
from starlette.applications import Starlette
from strawberry.scalars import JSON

from gateway.errors import NotFoundError
from gateway.models import Principal
from gateway.runtime import Runtime
from gateway.web.server import serve


class Context:
    """Counts how often it was used, so that a shared one shows."""

    def __init__(self, runtime: Runtime, principal: Principal) -> None:
        self.runtime = runtime
        self.principal = principal
        self.uses: Counter[str] = Counter()


Info = strawberry.Info[Context, None]


@strawberry.type
class Query:
    @strawberry.field
    async def hello(self, name: str = "world") -> str:
        return f"Hello, {name}!"

    @strawberry.field
    async def who(self, info: Info) -> str:
        principal = info.context.principal
        kind = "admin" if principal.is_admin else "customer" if principal.customer_id else "nobody"
        return f"{kind} {principal.customer_id}" if principal.customer_id else kind

    @strawberry.field
    async def uses(self, info: Info) -> int:
        info.context.uses["here"] += 1
        return info.context.uses["here"]

    @strawberry.field
    async def echo(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    async def unread(self) -> JSON:
        return Raw(b'{"a":\r\n  1.50,\r"b":\n\n"c"}')

    @strawberry.field
    async def missing(self) -> str | None:
        raise NotFoundError("There is no such thing.")

    @strawberry.field
    async def surrogate(self) -> str:
        return "half \ud800 a pair"

    @strawberry.field
    async def never(self) -> str:
        await asyncio.Event().wait()
        return "unreachable"


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def note(self, text: str) -> str:
        NOTES.append(text)
        return text


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncIterator[int]:
        for number in range(1, to + 1):
            yield number


NOTES: list[str] = []
SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


@asynccontextmanager
async def served(app: Starlette, *, port: int = 0) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """The application on a port: its address, and the task that ends when it does."""
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, host="127.0.0.1", port=port, on_ready=ready.set_result))
    yield f"{await ready}/graphql", task
    task.cancel()
    await asyncio.wait([task])


class Socket:
    """The client's end of a WebSocket, spoken in ASGI messages."""

    def __init__(self) -> None:
        self.subprotocol: str | None = None
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def send(self, message: object) -> None:
        self.send_raw(text=json.dumps(message))

    def send_raw(self, **frame: object) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", **frame})

    async def receive(self) -> Any:
        """The next message; fails when the gateway closed instead."""
        message = await asyncio.wait_for(self._from_app.get(), 5)
        if message["type"] == "websocket.close":
            self.close_code, self.close_reason = message["code"], message["reason"]
            self._to_app.put_nowait({"type": "websocket.disconnect", "code": message["code"]})
            raise ConnectionError(f"closed: {self.close_code} {self.close_reason}")
        return json.loads(message["text"])

    async def closed(self) -> tuple[int | None, str | None]:
        """The close code and reason; messages before it are dropped."""
        with suppress(ConnectionError):
            while True:
                await self.receive()
        return self.close_code, self.close_reason

    async def ask(self, query: str, **payload: object) -> list[Any]:
        """What answers an operation, up to its end."""
        self.send({"type": "subscribe", "id": "1", "payload": {"query": query, **payload}})
        answers = []
        while not answers or answers[-1]["type"] == "next":
            answers.append(await self.receive())
        return answers


@asynccontextmanager
async def socket(
    app: Starlette, *, headers: dict[str, str] | None = None, subprotocols: tuple[str, ...] = ("graphql-transport-ws",)
) -> AsyncIterator[Socket]:
    """A socket at /graphql, shaken hands, not yet initialised."""
    client = Socket()
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "scheme": "ws",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in {"host": "gateway.test", **(headers or {})}.items()],
        "subprotocols": list(subprotocols),
    }
    client._to_app.put_nowait({"type": "websocket.connect"})

    async def send(message: Any) -> None:
        client._from_app.put_nowait(message)

    task = asyncio.create_task(app(scope, client._to_app.get, send))
    first = await asyncio.wait_for(client._from_app.get(), 5)
    if first["type"] == "websocket.accept":
        client.subprotocol = first["subprotocol"]
    else:
        client.close_code = first["code"]
    try:
        yield client
    finally:
        client._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(task, 5)


@asynccontextmanager
async def open_socket(app: Starlette, *, payload: object = None) -> AsyncIterator[Socket]:
    """A socket that the gateway has acknowledged."""
    async with socket(app) as client:
        client.send({"type": "connection_init"} if payload is None else {"type": "connection_init", "payload": payload})
        assert await client.receive() == {"type": "connection_ack"}
        yield client
