"""What it costs to tell a thousand subscribers of one change: time until the last has it, CPU and memory for each.

    python benchmarks/fan_out.py [--subscribers 1000] [--rounds 30]

Beside the gateway stands the JavaScript reference, `graphql-ws` with `ws` on node, as `package.json` pins them (`npm` installs
them here at the first run). Both serve the same small schema and the same batch in the same run, in turns, on a processor of their own; the
subscribers share the other one. CPU is of all threads of a server, from /proc (Linux only). The gateway's server is the real
one, with its own way of running subscriptions; only the schema is small, so that both do the same.
"""

import argparse
import asyncio
import base64
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import strawberry
import uvloop
from strawberry.scalars import JSON

from gateway.config import Settings
from gateway.models import Principal
from gateway.runtime import Runtime, open_runtime
from gateway.web.assembly import assemble
from gateway.web.logging import configure_logging
from gateway.web.server import serve

HERE = Path(__file__).parent
NODE = ["node", str(HERE / "fan_out_node.mjs")]
GATEWAY = [sys.executable, __file__, "--serve"]
QUERY = """subscription Changes($after: String) {
  recordsChanged(after: $after) { cursor events { cursor type externalId changedFields record { externalId name url fields } } }
}"""
FIELDS = {f"field_{number}": f"value {number} " * 5 for number in range(8)}


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        uvloop.run(serve_small())
        return
    if not (HERE / "node_modules").exists():
        subprocess.run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"], cwd=HERE, check=True)
    uvloop.run(compare(subscribers=arguments.subscribers, rounds=arguments.rounds))


# The gateway's side.


@strawberry.type
class Record:
    """What a record is to both schemas."""

    external_id: str
    name: str | None
    url: str | None
    fields: JSON


@strawberry.type
class Event:
    """A change."""

    cursor: str
    type: str
    external_id: str
    changed_fields: list[str] | None
    record: Record | None


@strawberry.type
class Batch:
    """What happened at once: one object for all subscribers, as the log's."""

    cursor: str
    events: list[Event]
    results: strawberry.Private[dict[Any, Any]]


class Feed:
    """Wakes everybody who waits for the next batch."""

    def __init__(self) -> None:
        self.next, self.batch = asyncio.Event(), Batch(cursor="", events=[], results={})

    def tell(self, batch: dict[str, Any]) -> None:
        """Wakes them."""
        events = [
            Event(
                cursor=event["cursor"],
                type=event["type"],
                external_id=event["externalId"],
                changed_fields=event["changedFields"],
                record=Record(external_id=event["externalId"], **{key: event["record"][key] for key in ("name", "url", "fields")}),
            )
            for event in batch["events"]
        ]
        self.batch = Batch(cursor=batch["cursor"], events=events, results={})
        woken, self.next = self.next, asyncio.Event()
        woken.set()


@dataclass
class Context:
    """What resolvers have at hand."""

    feed: Feed


@strawberry.type
class Query:
    """A schema needs one."""

    ready: bool = True


@strawberry.type
class Subscription:
    """The one that is measured."""

    @strawberry.subscription
    async def records_changed(self, info: strawberry.Info[Context, None], after: str | None = None) -> AsyncIterator[Batch]:
        """Every batch from now on."""
        while True:
            await info.context.feed.next.wait()
            yield info.context.feed.batch


async def serve_small() -> None:
    """Serves the small schema until standard input ends; each line of it is a batch."""
    configure_logging(level=logging.WARNING)
    keys = "benchmark:" + base64.b64encode(b"k" * 32).decode()
    with TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/gateway.db"
        settings = Settings(database_url=url, token_secret="a-secret-of-more-than-32-bytes-for-this", encryption_keys=keys)
        async with open_runtime(settings) as runtime:
            feed = Feed()

            def make_context(_runtime: Runtime, _principal: Principal) -> Context:
                return Context(feed)

            app = assemble(runtime, strawberry.Schema(Query, subscription=Subscription), make_context=make_context)
            serving = asyncio.create_task(
                serve(app, host="127.0.0.1", port=0, on_ready=lambda url: print(url.rpartition(":")[2], flush=True))
            )
            reader = asyncio.StreamReader(limit=2**20)
            await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
            while line := await reader.readline():
                feed.tell(json.loads(line))
            serving.cancel()
            await asyncio.wait([serving])


# The subscribers' side.


class Socket(asyncio.Protocol):
    """A WebSocket client that does as little as it can: it is not what is measured."""

    def __init__(self, path: str, crowd: "Crowd") -> None:
        self._path, self._crowd = path, crowd
        self._received = bytearray()
        self._is_open = False
        self.messages: asyncio.Queue[dict[str, Any]] | None = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shakes hands."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def send(self, message: dict[str, Any]) -> None:
        """Sends a message, masked with zeros."""
        body = json.dumps(message).encode()
        length = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2, "big")
        self._transport.write(b"\x81" + length + b"\0\0\0\0" + body)

    def data_received(self, data: bytes) -> None:
        """Takes frames apart."""
        received = self._received
        received += data
        if not self._is_open:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                return
            assert received.startswith(b"HTTP/1.1 101"), bytes(received)
            del received[: end + 4]
            self._is_open = True
            self.send({"type": "connection_init"})
        while len(received) >= 4:
            length, start = received[1], 2
            if length >= 126:
                start = 4 if length == 126 else 10
                length = int.from_bytes(received[2:start], "big")
            if len(received) < start + length:
                return
            body = bytes(received[start : start + length]) if self.messages is not None else b""
            size = length
            del received[: start + length]
            if self.messages is not None:
                self.messages.put_nowait(json.loads(body))
            else:
                self._crowd.told(size)


@dataclass
class Crowd:
    """All the subscribers of one server."""

    size: int
    sockets: list[Socket] = field(default_factory=list)
    missing: int = 0
    bytes_told: int = 0

    def __post_init__(self) -> None:
        self.all_told = asyncio.Event()

    def told(self, size: int) -> None:
        """Counts one that has the batch."""
        self.missing -= 1
        self.bytes_told = size
        if self.missing == 0:
            self.all_told.set()

    async def connect(self, port: int) -> None:
        """Subscribes them all, fifty at a time."""
        for _ in range(0, self.size, 50):
            await asyncio.gather(*(self._join(port) for _ in range(min(50, self.size - len(self.sockets)))))
        await asyncio.sleep(1)
        for socket in self.sockets:
            socket.messages = None

    async def _join(self, port: int) -> None:
        _, socket = await asyncio.get_running_loop().create_connection(lambda: Socket("/graphql", self), "127.0.0.1", port)
        self.sockets.append(socket)
        assert socket.messages is not None
        assert (await socket.messages.get())["type"] == "connection_ack"
        socket.send({"type": "subscribe", "id": "1", "payload": {"query": QUERY, "variables": {"after": f"log.{len(self.sockets)}"}}})


@dataclass
class Figures:
    """What was measured at one server."""

    name: str
    kilobytes: float
    connecting_seconds: float
    last_ms: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def line(self) -> str:
        """A row of the table."""
        return (
            f"| {self.name} | {statistics.median(self.last_ms):.0f} | {sorted(self.last_ms)[int(len(self.last_ms) * 0.95)]:.0f} |"
            f" {statistics.median(self.cpu_us):.0f} | {self.kilobytes:.0f} | {self.connecting_seconds:.2f} |"
        )


async def compare(*, subscribers: int, rounds: int) -> None:
    """Both servers, the same batches, in turns."""
    processors = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        servers, crowds, figures = [], [], []
        for name, command in (("gateway", GATEWAY), ("node, graphql-ws and ws", NODE)):
            process, port = stack.enter_context(started(command))
            if len(processors) > 1:
                os.sched_setaffinity(process.pid, processors[:1])
                os.sched_setaffinity(0, processors[1:])
            crowd = Crowd(subscribers)
            memory, cpu = resident_kilobytes(process.pid), cpu_seconds(process.pid)
            await asyncio.wait_for(crowd.connect(port), 120)
            grown = resident_kilobytes(process.pid) - memory
            figures.append(Figures(name, grown / subscribers, cpu_seconds(process.pid) - cpu))
            servers.append(process)
            crowds.append(crowd)
        for process, crowd in zip(servers, crowds, strict=True):
            await warm_up(process, crowd)
        for number in range(rounds):
            for process, crowd, figure in zip(servers, crowds, figures, strict=True):
                await tell(process, crowd, figure, number)
    print(f"{subscribers} subscribers, {rounds} batches of one event, {crowds[0].bytes_told} and {crowds[1].bytes_told} bytes a frame\n")
    print("| | last has it, ms (median) | the same (p95) | CPU a subscriber, µs | memory a connection, KB | CPU of connecting, s |")
    print("|---|---|---|---|---|---|")
    print("\n".join(figure.line() for figure in figures))


async def warm_up(process: subprocess.Popen[bytes], crowd: Crowd) -> None:
    """Tells batches until three reached everybody: a busy server acknowledges before it has subscribed."""
    complete = 0
    for number in range(30):
        with suppress(TimeoutError):
            await tell(process, crowd, Figures("warming up", 0, 0), number, seconds=2)
            complete += 1
        if complete == 3:
            return
    raise SystemExit("Some subscribers get nothing.")


async def tell(process: subprocess.Popen[bytes], crowd: Crowd, figures: Figures, number: int, *, seconds: float = 30) -> None:
    """Tells one batch, and measures until the last has it."""
    crowd.missing = crowd.size
    crowd.all_told.clear()
    cpu, begun = cpu_seconds(process.pid), time.perf_counter()
    assert process.stdin is not None
    process.stdin.write(json.dumps(batch(number)).encode() + b"\n")
    process.stdin.flush()
    await asyncio.wait_for(crowd.all_told.wait(), seconds)
    figures.last_ms.append((time.perf_counter() - begun) * 1000)
    await asyncio.sleep(0.1)
    figures.cpu_us.append((cpu_seconds(process.pid) - cpu) / crowd.size * 1e6)


def batch(number: int) -> dict[str, Any]:
    """One event with a record of some 600 bytes."""
    record = {"externalId": f"record-{number}", "name": f"Record {number}", "url": None, "fields": FIELDS}
    event = {
        "cursor": f"log.{number}",
        "type": "UPDATED",
        "externalId": record["externalId"],
        "changedFields": ["field_1"],
        "record": record,
    }
    return {"cursor": f"log.{number}", "events": [event]}


@contextmanager
def started(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The server, and the port that it tells."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "NODE_ENV": "production"})
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        process.wait(timeout=20)


def cpu_seconds(pid: int) -> float:
    """The processor time of all threads of a process so far."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def resident_kilobytes(pid: int) -> float:
    """The memory of a process that is in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


if __name__ == "__main__":
    main()
