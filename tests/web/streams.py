"""A small schema with a log behind its subscriptions, and a client of server-sent events without a network."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import strawberry
from starlette.applications import Starlette

from gateway.errors import CursorExpiredError
from tests.web.serving import Context, Mutation, Query


class Batch:
    """What a log tells at once, the same object for everybody."""

    def __init__(self, number: int, size: int) -> None:
        self.number = number
        self.text = "x" * size
        self.results: dict[Any, Any] = {}


class Log:
    """Batches in memory; `answers` counts how often one was answered, `positions` where each subscriber is."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.answers: Counter[int] = Counter()
        self.sources = 0
        self.contexts: list[Context] = []
        self.held: asyncio.Event | None = None
        self.outages = 0
        self.positions: dict[object, int] = {}
        self._changed = asyncio.Condition()

    async def append(self, count: int = 1, *, size: int = 1) -> None:
        for _ in range(count):
            self.batches.append(Batch(len(self.batches) + 1, size))
        async with self._changed:
            self._changed.notify_all()

    async def tail(self, after: int, who: object) -> AsyncIterator[Batch]:
        self.sources += 1
        self.positions[who] = after
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: len(self.batches) > self.positions[who])
                    self.positions[who] += 1
                yield self.batches[self.positions[who] - 1]
        finally:
            self.sources -= 1


LOG = Log()


def fresh_log() -> Log:
    """The log, empty again."""
    LOG.__init__()  # type: ignore[misc]
    return LOG


Info = strawberry.Info[Context, None]


@strawberry.type
class Changes:
    batch: strawberry.Private[Batch]
    cursor: str

    @property
    def results(self) -> dict[Any, Any]:
        return self.batch.results

    @strawberry.field
    async def number(self, info: Info) -> int:
        LOG.answers[self.batch.number] += 1
        LOG.contexts.append(info.context)
        if LOG.held is not None:
            await LOG.held.wait()
        return self.batch.number

    @strawberry.field
    def text(self) -> str:
        return self.batch.text

    @strawberry.field
    def times(self, factor: int | None) -> int:
        return self.batch.number * (factor or 0)

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("a secret")

    @strawberry.field
    def breaks(self) -> str:
        raise ValueError("a secret")

    @strawberry.field
    def read(self) -> str | None:
        LOG.outages -= 1
        if LOG.outages >= 0:
            raise ConnectionResetError("the database went away")
        return "it is there"

    @strawberry.field
    def who(self, info: Info) -> str:
        return str(info.context.principal.customer_id)

    @strawberry.field
    def uses(self, info: Info) -> int:
        info.context.uses["here"] += 1
        return info.context.uses["here"]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def changes(self, after: str = "0", who: str = "") -> AsyncIterator[Changes]:
        async for batch in LOG.tail(int(after), who or object()):
            yield Changes(batch=batch, cursor=str(batch.number))

    @strawberry.subscription
    async def numbers(self, to: int) -> AsyncIterator[int]:
        for number in range(1, to + 1):
            yield number

    @strawberry.subscription
    async def expires(self, after_frames: int) -> AsyncIterator[int]:
        for number in range(after_frames):
            yield number
        raise CursorExpiredError("The cursor is too old.")

    @strawberry.subscription
    async def defect(self) -> AsyncIterator[int]:
        raise ValueError("a secret")
        yield 1


STREAMS = strawberry.Schema(Query, Mutation, Subscription)
CHANGES = "subscription Changes($after: String) { changes(after: $after) { number } }"


class Events:
    """The client's end of a stream of server-sent events, spoken in ASGI messages."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def chunk(self) -> str | None:
        """What the gateway wrote at once; None when it has written all."""
        message = await asyncio.wait_for(self._from_app.get(), 5)
        return message["body"].decode() if message["more_body"] else None

    async def event(self) -> dict[str, Any]:
        """The next event, its data decoded."""
        chunk = await self.chunk()
        assert chunk is not None
        assert chunk.endswith("\n\n")
        fields = dict(line.split(": ", 1) for line in chunk[:-2].split("\n"))
        return {**fields, "data": json.loads(fields["data"]) if fields["data"] else None}

    def leave(self) -> None:
        self._to_app.put_nowait({"type": "http.disconnect"})


@asynccontextmanager
async def events(app: Starlette, query: str, *, headers: dict[str, str] | None = None, **asked: Any) -> AsyncIterator[Events]:
    """What the gateway answers to a POST that accepts nothing but events."""
    client = Events()
    told = {"host": "gateway.test", "content-type": "application/json", "accept": "text/event-stream", **(headers or {})}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in told.items()],
    }
    client._to_app.put_nowait({"type": "http.request", "body": json.dumps({"query": query, **asked}).encode(), "more_body": False})

    async def send(message: Any) -> None:
        client._from_app.put_nowait(message)

    task = asyncio.create_task(app(scope, client._to_app.get, send))
    start = await asyncio.wait_for(client._from_app.get(), 5)
    client.status = start["status"]
    client.headers = {name.decode(): value.decode() for name, value in start["headers"]}
    try:
        yield client
    finally:
        client.leave()
        await asyncio.wait_for(task, 5)
