"""Streams over a real server: clients that read slowly, servers that end, and clients that come back."""

import asyncio
import json
import os
import signal
from contextlib import asynccontextmanager

import pytest
import websockets

from gateway.web.assembly import assemble
from gateway.web.server import serve
from tests.support.processes import free_port
from tests.web.serving import Context
from tests.web.streams import CHANGES, STREAMS, fresh_log


@pytest.fixture
def log():
    return fresh_log()


@pytest.fixture
def app(runtime, log):
    return assemble(runtime, STREAMS, make_context=Context)


@asynccontextmanager
async def served(app, *, port=0):
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, host="127.0.0.1", port=port, on_ready=ready.set_result))
    yield (await ready).replace("http", "ws") + "/graphql", task
    task.cancel()
    await asyncio.wait([task])


@asynccontextmanager
async def subscribed(address, query=CHANGES, **variables):
    async with websockets.connect(address, subprotocols=["graphql-transport-ws"], proxy=None, max_queue=2) as client:
        await client.send('{"type": "connection_init"}')
        assert json.loads(await client.recv()) == {"type": "connection_ack"}
        await client.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query, "variables": variables}}))
        yield client


async def number_in(client):
    return json.loads(await client.recv())["payload"]["data"]["changes"]["number"]


async def test_a_client_that_reads_slowly_is_served_at_its_pace_and_holds_nobody_up(app, log):
    """It is only a position: what it has not read is not waiting for it in memory."""
    query = "subscription($who: String!) { changes(who: $who) { number text } }"
    count, size = 400, 100_000
    async with (
        served(app) as (address, _),
        subscribed(address, query, who="slow") as slow,
        subscribed(address, query, who="quick") as quick,
    ):
        await log.append(count, size=size)
        assert [await number_in(quick) for _ in range(count)] == list(range(1, count + 1))
        position = log.positions["slow"]

        # Some frames stand in the buffers of both ends and of the system; the rest, tens of megabytes, was not even asked for.
        assert position < count // 2
        assert [await number_in(slow) for _ in range(count)] == list(range(1, count + 1))

    # What was no longer kept when the slow one came to it was answered once more, for it alone.
    assert set(log.answers) == set(range(1, count + 1))
    assert max(log.answers.values()) <= 2


async def test_a_server_that_ends_closes_with_1012_and_the_client_resumes_at_the_next(app, runtime, log):
    port, received, codes = free_port(), [], []

    async def listen():
        while len(received) < 9:
            try:
                async with subscribed(f"ws://127.0.0.1:{port}/graphql", after=str(received[-1] if received else 0)) as client:
                    while len(received) < 9:
                        received.append(await number_in(client))
            except websockets.ConnectionClosed as closed:
                codes.append(closed.rcvd.code)
            except OSError:
                await asyncio.sleep(0.01)

    listening = asyncio.create_task(listen())
    for _ in range(3):
        async with served(assemble(runtime, STREAMS, make_context=Context), port=port) as (_, server):
            await log.append()  # While nobody may be connected yet.
            async with asyncio.timeout(10):
                while len(received) < len(log.batches):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await log.append()
            os.kill(os.getpid(), signal.SIGTERM)
            await server
        await log.append()
    async with served(assemble(runtime, STREAMS, make_context=Context), port=port):
        await asyncio.wait_for(listening, 10)

    assert received == list(range(1, 10))
    assert codes == [1012] * 3
