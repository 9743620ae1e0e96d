"""Whether memory stays flat: over 200,000 events on one subscription, as many frames of one event, and as many queries.

    python benchmarks/memory.py [--count 200000] [--only events frames queries]

Each part has a process of its own, whose resident memory is read from /proc (Linux only) while it works:

- events: `gateway serve` syncs an app of a thousand records, each of which has changed at every sync, and tells one socket of it:
  from the app's answer through the event log to frames of up to 100 events.
- frames: the gateway's server and its way of running subscriptions with a small schema (`fan_out.py`): one event in each frame,
  so that what is kept of an execution shows.
- queries: `gateway serve` answers a mixture: documents that it knows, others that it has never seen, refused ones, its own rows
  and an app's records.

What is bounded fills up first, such as the answers that wait for subscribers who ask alike, which takes 30,000 frames. So memory is
flat when it grows by less than 64 bytes for each event or query over the second half, and less than 100,000 are too few to tell.
Prints a Markdown table, and ends with 1 where something is not flat.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "compare"))

import ours  # noqa: E402
from contenders import posted  # noqa: E402
from load import PAGE, Job, measured  # noqa: E402
from tools import PYTHON, asked, free_port, in_production, started  # noqa: E402

FLAT_BYTES = 64
RECORDS, FEW_RECORDS = 1000, 10
SAMPLES = 40
_SECONDS = 60.0
"""The longest that one frame is waited for."""
_EVENTS = """subscription Changes($instance: ID!) { recordsChanged(dataSourceInstance: {id: $instance}) {
  cursor events { cursor type externalId changedFields record { externalId name fields } } } }"""
_FRAMES = "subscription { recordsChanged { cursor events { cursor type externalId changedFields record { externalId name fields } } } }"
_SYNC = """mutation ($instance: ID!) { dataSourceInstanceSync(input: {by: {id: $instance}, kind: FULL_SYNC}) {
  syncRun { id } userErrors { message } } }"""
_OWN = "{ dataSourceInstances(first: 5) { nodes { id path dataSource { key } connection { name integration { key } } } } }"


@dataclass
class Watched:
    """The memory of a process while it works."""

    name: str
    pid: int
    done: list[int] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    def look(self, done: int) -> None:
        """Notes how much it holds after so much work."""
        self.done.append(done)
        self.bytes.append(int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))

    @property
    def slope(self) -> float:
        """Bytes for each event or query, over the second half."""
        later = [(done, held) for done, held in zip(self.done, self.bytes, strict=True) if done >= self.done[-1] / 2]
        return statistics.linear_regression(*zip(*later, strict=True)).slope

    @property
    def row(self) -> str:
        """The row of the table."""
        held = [self.bytes[int((len(self.bytes) - 1) * share / 4)] / 2**20 for share in range(5)]
        return f"| {self.name} | {self.done[-1]:,} | " + " | ".join(f"{each:.1f}" for each in held) + f" | {self.slope:+.1f} |"


class App(asyncio.Protocol):
    """An app of records that have all changed whenever they are asked for: a thousand on the first page, ten on any other."""

    versions = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins with nothing."""
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answers each request that is whole."""
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            App.versions += 1
            count = RECORDS if b"page=1 " in request else FEW_RECORDS
            body = json.dumps({"items": [self._record(number) for number in range(count)]}).encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            self._transport.write(head + body)  # type: ignore[attr-defined]

    def _record(self, number: int) -> dict[str, Any]:
        return {"id": number, "title": f"Review the report {number}", "assignee": App.versions, "labels": ["legal", "urgent"]}


@dataclass(frozen=True)
class Gateway:
    """A `gateway serve` that is filled."""

    pid: int
    port: int
    token: str
    connection_id: str
    instance_id: str

    def ask(self, query: str, **variables: object) -> Any:
        """The data of an answer."""
        answer = asked(posted(query, token=self.token, **variables), port=self.port)
        if "errors" in answer:
            raise SystemExit(json.dumps(answer)[:2000])
        return answer["data"]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args()
    print("| resident MiB of | how many | at first | after 1/4 | 1/2 | 3/4 | all | bytes each, second half |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    slopes = []
    for name in given.only:
        watched = uvloop.run(PARTS[name](given.count))
        print(watched.row, flush=True)
        slopes.append(watched.slope)
    if max(slopes) >= FLAT_BYTES:
        raise SystemExit(f"Memory is not flat: something grows by {FLAT_BYTES} bytes or more for each event or query.")


async def events(count: int) -> Watched:
    """One subscription, told of syncs in which everything changed."""
    async with gateway() as served, subscribed(served.port, _EVENTS, token=served.token, instance=served.instance_id) as socket:
        watched = Watched("events of the log, on one subscription", served.pid)
        await _events_of(socket)
        done = 0
        while done < count:
            await asyncio.to_thread(served.ask, _SYNC, instance=served.instance_id)
            wanted = done + RECORDS
            while done < wanted:
                done += await _events_of(socket)
            watched.look(done)
    return watched


async def frames(count: int) -> Watched:
    """One subscription, a frame for each event."""
    with tempfile.TemporaryDirectory() as folder:
        command = [PYTHON, str(HERE / "fan_out.py"), "--serve"]
        server = started(command, on=os.sched_getaffinity(0), log=Path(folder) / "log", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with server as process:
            assert process.stdin is not None
            assert process.stdout is not None
            watched = Watched("frames of one event", process.pid)
            async with subscribed(int(process.stdout.readline()), _FRAMES) as socket:
                await asyncio.sleep(1)  # A small server tells nobody when it listens.
                for number in range(count):
                    print(json.dumps(_batch(number)), file=process.stdin, flush=True)
                    await _events_of(socket)
                    if number % max(count // SAMPLES, 1) == 0:
                        watched.look(number)
                watched.look(count)
    return watched


async def queries(count: int) -> Watched:
    """A mixture, in turns, sixteen at once."""
    numbers = iter(range(10**9 + 1, 10**10))
    async with gateway() as served:
        watched, done = Watched("queries", served.pid), 0
        while done < count:
            for share, request, mark, marks in _mixture(served):
                job = Job(
                    port=served.port,
                    request=request,
                    mark=mark,
                    marks=marks,
                    pid=served.pid,
                    concurrency=16,
                    seconds=_SECONDS,
                    requests=int(count / SAMPLES * share),
                )
                done += (await measured(job, numbers=numbers)).requests
            watched.look(done)
    return watched


def _mixture(served: Gateway) -> list[tuple[float, str, str, int]]:
    """Which share of all is what request, and the text that tells its answer: how often it stands there."""
    records = posted(ours.TYPED_QUERY, token=served.token, connection=served.connection_id, parameters={"page": PAGE})
    return [
        (0.6, posted("{ __typename }", token=served.token), "Query", 1),
        (0.2, posted(f"{{ never{PAGE}: __typename }}", token=served.token), "Query", 1),
        (0.1, posted(f"{{ unknown{PAGE} }}", token=served.token), "errors", 1),
        (0.07, posted(_OWN, token=served.token), '"path"', 1),
        (0.03, records, "Review the report", FEW_RECORDS),
    ]


PARTS: dict[str, Callable[[int], Any]] = {"events": events, "frames": frames, "queries": queries}


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway of its own, with an app, a connection and an instance."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        app_port, port, configuration = free_port(), free_port(), ours.environment(folder)
        await stack.enter_async_context(await asyncio.get_running_loop().create_server(App, "127.0.0.1", app_port))
        process = started(
            [*ours.COMMAND, "serve", "--port", str(port)],
            on=os.sched_getaffinity(0),
            log=folder / "gateway.log",
            environment=in_production(**configuration),
            is_ready=lambda: asked("GET /readyz HTTP/1.1\r\n\r\n", port=port),
        )
        pid = stack.enter_context(process).pid
        setting = ours.Setting(configuration, port=port, app=f"http://127.0.0.1:{app_port}")
        connection_id, instance_id = await asyncio.to_thread(setting.one_instance)
        yield Gateway(pid, port, setting.token, connection_id, instance_id)


@asynccontextmanager
async def subscribed(port: int, query: str, *, token: str | None = None, **variables: object) -> AsyncIterator[ClientConnection]:
    """A socket on which one subscription runs."""
    url = f"ws://127.0.0.1:{port}/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None, compression=None, proxy=None) as socket:
        payload = {"Authorization": f"Bearer {token}"} if token else {}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        acknowledged = json.loads(await socket.recv())
        assert acknowledged["type"] == "connection_ack", acknowledged
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query, "variables": variables}}))
        yield socket


async def _events_of(socket: ClientConnection) -> int:
    """How many events the next frame has."""
    while True:
        async with asyncio.timeout(_SECONDS):
            message = json.loads(await socket.recv())
        if message["type"] == "ping":
            await socket.send(json.dumps({"type": "pong"}))
        elif message["type"] == "next" and not message["payload"].get("errors"):
            return len(message["payload"]["data"]["recordsChanged"]["events"])
        else:
            raise SystemExit(json.dumps(message)[:2000])


def _batch(number: int) -> dict[str, Any]:
    record = {"name": f"Record {number}", "url": None, "fields": {"title": f"Review the report {number}", "state": "open"}}
    event = {"cursor": f"log.{number}", "type": "UPDATED", "externalId": str(number), "changedFields": ["title"], "record": record}
    return {"cursor": event["cursor"], "events": [event]}


if __name__ == "__main__":
    main()
