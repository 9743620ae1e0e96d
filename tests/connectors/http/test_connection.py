import asyncio
import gc
import logging
import socket
import weakref

import pytest

from gateway.connectors.http import AppRequest, WebAddress
from gateway.connectors.http.connection import Connection
from gateway.errors import UpstreamUnavailableError

ORIGIN = ("http", "app.example", 80)
HEAD = b"POST / HTTP/1.1\r\n\r\n"


@pytest.fixture
async def connected():
    """A connection, and the socket of the app at its other end."""
    here, there = socket.socketpair()
    here.setblocking(False)
    _, connection = await asyncio.get_running_loop().create_connection(lambda: Connection(ORIGIN), sock=here)
    with there:
        yield connection, there
        connection.abort()
        await connection.ended


def ask(connection, size):
    request = AppRequest("POST", WebAddress("http", "app.example", None, "/"), content=b"x" * size)
    return connection.ask(request, HEAD, max_bytes=100, until=asyncio.get_running_loop().time() + 10)


@pytest.mark.parametrize("is_large", [True, False])
async def test_an_answer_that_comes_before_the_last_of_the_request_was_sent_leaves_no_connection(connected, is_large):
    connection, app = connected
    # So much waits in the system, and the rest, which is less than the loop takes at once, with the loop.
    connection._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_000)
    answer = ask(connection, 70_000 if is_large else 60_000)

    app.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    assert (await answer).body == b"ok"
    assert not connection.rest()


async def test_a_large_request_to_an_app_that_has_left_ends_without_a_warning_for_each_piece(connected, caplog):
    connection, app = connected
    app.close()

    with caplog.at_level(logging.WARNING), pytest.raises(UpstreamUnavailableError, match="lost before it answered"):
        await ask(connection, 3_000_000)

    assert caplog.records == []


async def test_a_connection_that_has_ended_is_freed_with_the_answer_it_brought_before_anybody_looks_for_garbage():
    here, there = socket.socketpair()
    here.setblocking(False)
    _, connection = await asyncio.get_running_loop().create_connection(lambda: Connection(ORIGIN), sock=here)
    is_there, ended = weakref.ref(connection), connection.ended
    gc.disable()
    with there:
        answer = ask(connection, 10)
        there.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        await answer
        connection.rest()
        del connection
        await ended
        await asyncio.sleep(0)

    freed = is_there() is None
    gc.enable()
    assert freed
