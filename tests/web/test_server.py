"""The server, for real: a port, a signal, sockets and bodies that misbehave."""

import asyncio
import json
import os
import signal
import socket

import httpx
import pytest
import websockets

from gateway.errors import ConfigurationError
from gateway.web.server import serve


class Running:
    """A server in the background."""

    def __init__(self, app, **where):
        ready = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(serve(app, on_ready=ready.set_result, **{"host": "127.0.0.1", "port": 0, **where}))
        self.ready = ready

    async def __aenter__(self):
        self.url = await asyncio.wait_for(self.ready, 10)
        self.port = int(self.url.rpartition(":")[2])
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


async def test_a_server_tells_its_address_and_answers_there(app):
    async with Running(app) as server, httpx.AsyncClient() as client:
        response = await client.post(f"{server.url}/graphql", json={"query": "{ hello }"})

    assert server.url == f"http://127.0.0.1:{server.port}"
    assert response.json() == {"data": {"hello": "Hello, world!"}}
    assert "server" not in response.headers


async def test_a_page_elsewhere_that_may_read_answers_is_told_so_on_each(app):
    origin = "https://product.example"
    async with Running(app) as server, httpx.AsyncClient(headers={"origin": origin}) as client:
        answer = await client.post(f"{server.url}/graphql", json={"query": "{ hello }"})
        refusal = await client.post(f"{server.url}/graphql", content="no JSON", headers={"content-type": "application/json"})

    assert (answer.json(), refusal.status_code) == ({"data": {"hello": "Hello, world!"}}, 400)
    for told in (answer.headers, refusal.headers):
        assert (told["access-control-allow-origin"], told["x-frame-options"], told["cache-control"]) == (origin, "DENY", "no-store")
    assert answer.headers["content-length"] == str(len(answer.content))


async def test_a_port_in_use_is_a_matter_of_configuration(app):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigurationError) as refusal:
            await serve(app, host="127.0.0.1", port=port)

    assert refusal.value.message == f"Port {port} of 127.0.0.1 is in use by another program. Stop it, or choose another with --port."


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("no such host", 0), ("::ffff:192.0.2.1", 0)])
async def test_an_address_that_cannot_be_had_is_a_matter_of_configuration(app, host, port):
    with pytest.raises(ConfigurationError, match=rf"^Cannot listen on {host} port {port}: .+\. Choose others with --host and --port\.$"):
        await serve(app, host=host, port=port)


@pytest.mark.parametrize("port", [-1, 65_536])
async def test_a_port_that_does_not_exist_is_a_matter_of_configuration(app, port):
    with pytest.raises(ConfigurationError, match=rf"^There is no port {port}\. Choose one of 0 to 65535 with --port\.$"):
        await serve(app, host="127.0.0.1", port=port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_server_and_not_the_process(app, number):
    before = signal.getsignal(number)
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, host="127.0.0.1", port=0, on_ready=ready.set_result))
    url = await ready

    os.kill(os.getpid(), number)
    await asyncio.wait_for(task, 10)

    assert signal.getsignal(number) == before
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_running_operation_is_answered_before_the_server_ends(app):
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, host="127.0.0.1", port=0, on_ready=ready.set_result))
    port = int((await ready).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"query": "{ hello }"}).encode()
    writer.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body))
    await writer.drain()
    await asyncio.sleep(0.1)

    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.1)
    writer.write(body)
    answer = await reader.read()
    await task

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b'{"data":{"hello":"Hello, world!"}}')
    writer.close()


async def test_sockets_are_closed_with_1012_when_the_server_ends(app):
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, host="127.0.0.1", port=0, on_ready=ready.set_result))
    address = (await ready).replace("http", "ws") + "/graphql"

    async with websockets.connect(address, subprotocols=["graphql-transport-ws"]) as client:
        await client.send('{"type": "connection_init"}')
        assert json.loads(await client.recv()) == {"type": "connection_ack"}
        await client.send('{"type": "subscribe", "id": "1", "payload": {"query": "{ never }"}}')
        os.kill(os.getpid(), signal.SIGTERM)

        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        await task

    assert client.close_code == 1012


async def test_a_query_over_a_real_socket_is_a_text_frame_without_compression(app, bearer):
    async with Running(app) as server:
        address = f"ws://127.0.0.1:{server.port}/graphql"
        async with websockets.connect(address, subprotocols=["graphql-transport-ws"], compression="deflate") as client:
            await client.send(json.dumps({"type": "connection_init", "payload": {"authorization": bearer(is_admin=True)}}))
            assert json.loads(await client.recv()) == {"type": "connection_ack"}
            await client.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "{ who }"}}))
            answer = await client.recv()

            assert client.response.headers.get("sec-websocket-extensions") is None
            assert json.loads(answer) == {"id": "1", "type": "next", "payload": {"data": {"who": "admin"}}}
            assert isinstance(answer, str)


async def test_a_bad_token_closes_a_real_socket_with_4403(app):
    async with (
        Running(app) as server,
        websockets.connect(f"{server.url.replace('http', 'ws')}/graphql", subprotocols=["graphql-transport-ws"]) as client,
    ):
        await client.send('{"type": "connection_init", "payload": {"authorization": "Bearer no"}}')
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()

    assert client.close_code == 4403


async def test_a_message_larger_than_a_body_may_be_closes_the_socket_with_1009(app, settings):
    async with (
        Running(app) as server,
        websockets.connect(f"{server.url.replace('http', 'ws')}/graphql", subprotocols=["graphql-transport-ws"]) as client,
    ):
        await client.send(" " * (settings.max_body_bytes + 1))
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()

    assert client.close_code == 1009


async def exchange(port, *parts):
    """What the server answers to these bytes before it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


HEAD = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


async def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(app):
    async with Running(app) as server:
        answer = await exchange(server.port, HEAD + b"content-length: 1000000000000\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"BODY_TOO_LARGE" in answer


async def test_a_chunked_body_is_cut_off_at_the_limit(app):
    async with Running(app) as server:
        answer = await exchange(
            server.port,
            HEAD + b"transfer-encoding: chunked\r\n\r\n",
            b"400\r\n" + b" " * 1024 + b"\r\n",
            b"800\r\n" + b" " * 2048 + b"\r\n",
        )

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


async def test_a_client_that_goes_away_in_the_middle_leaves_the_server_well(app):
    async with Running(app) as server, httpx.AsyncClient() as client:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HEAD + b"content-length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

        assert (await client.get(f"{server.url}/healthz")).json() == {"status": "ok"}


LONG_HEADS = {
    "one long header": [b"x-long: " + b"x" * 100_000 + b"\r\n\r\n"],
    "many headers": [b"a: b\r\n" * 40_000, b"\r\n"],
    "one header that never ends": [b"x-long: ", *[b"x" * 65_536] * 12],
    "a header that never ends, in little pieces": [b"x-long: ", *[b"x" * 1000] * 600],
}


@pytest.mark.parametrize("head", LONG_HEADS.values(), ids=LONG_HEADS.keys())
async def test_a_head_without_end_is_not_read(app, head):
    async with Running(app) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        for part in head:
            writer.write(part)
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 400 ")
        writer.close()


@pytest.mark.parametrize("trailers", [[b"a: b\r\n" * 40_000], [b"a: b\r\n" * 2_000] * 20], ids=["at once", "piece by piece"])
async def test_headers_after_the_body_are_not_read_without_end_either(app, trailers):
    async with Running(app) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"2\r\n{}\r\n0\r\n")
        for part in trailers:
            writer.write(part)
            await writer.drain()
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 400 ")
        assert (await asyncio.wait_for(reader.read(), 10)).endswith(b"The head of the request is too long.")
        writer.close()


async def test_headers_after_the_body_do_not_say_who_asks(app, bearer):
    body = json.dumps({"query": "{ who }"})
    head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    async with Running(app) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        # All in one piece, so that it is there before anybody looks at the head.
        writer.write(f"{head}{len(body):x}\r\n{body}\r\n0\r\nauthorization: {bearer('acme')}\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()

    assert answer.endswith(b'{"data":{"who":"nobody"}}')


async def test_a_long_address_is_not_read(app):
    async with Running(app) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /healthz?" + b"x" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_heads_are_counted_each_for_itself_and_bodies_not_at_all(app):
    body = json.dumps({"query": "{ hello }", "extensions": {"pad": "x" * 300_000}})
    async with Running(app) as server, httpx.AsyncClient() as client:
        answers = [await client.post(f"{server.url}/graphql", content=body, headers={"x-pad": "x" * 60_000}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [415] * 4
