import asyncio
import gzip

import pytest

import gateway.testing
from gateway.testing import Answer, Drip, Drop, EndlessBody, Garbage, Hang, ScriptedApp, gzip_bomb


async def exchange(app: ScriptedApp, *requests: bytes, limit: int = -1) -> bytes:
    """What the app says to requests on one connection that the client ends after them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
    for request in requests:
        writer.write(request)
    if limit < 0:
        writer.write_eof()
    try:
        return await reader.read(limit)
    finally:
        writer.close()


GET = b"GET /tasks?page=2&q=a%20b HTTP/1.1\r\nHost: x\r\nX-Key: a\r\nx-key: b\r\n\r\n"
POST = b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{"a":1}'


@pytest.fixture
async def app():
    async with ScriptedApp() as app:
        yield app


async def test_answers_are_given_in_the_order_of_the_script_on_one_connection(app):
    app.answer(status=201, json={"id": 1})
    app.answer(Answer(body="two"), Answer(status=204))

    assert await exchange(app, GET, POST, GET) == (
        b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"id": 1}'
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"
        b"HTTP/1.1 204 No Content\r\n\r\n"
    )
    assert app.connection_count == 1


async def test_every_request_is_kept_as_it_came(app):
    app.answer_with(lambda request: Answer())

    await exchange(app, GET, POST)
    await exchange(app, GET)

    get, post, again = app.requests
    assert (get.method, get.target, get.path, get.query) == ("GET", "/tasks?page=2&q=a%20b", "/tasks", {"page": "2", "q": "a b"})
    assert get.headers == {"host": "x", "x-key": "a, b"}
    assert get.raw_headers == (("Host", "x"), ("X-Key", "a"), ("x-key", "b"))
    assert (post.body, post.json()) == (b'{"a":1}', {"a": 1})
    assert [request.connection for request in (get, post, again)] == [1, 1, 2]


async def test_what_the_script_does_not_say_the_function_decides(app):
    app.answer(body="scripted")
    app.answer_with(lambda request: Answer(body=request.path))

    answers = await exchange(app, GET, GET)

    assert b"scripted" in answers
    assert answers.endswith(b"/tasks")


async def test_what_nobody_decided_is_answered_with_the_reason(app):
    answer = await exchange(app, GET)

    assert answer.startswith(b"HTTP/1.1 501 Not Implemented\r\n")
    assert answer.endswith(b"The script has no answer for GET /tasks?page=2&q=a%20b.")


@pytest.mark.parametrize("drop", [Drop(), Drop(resets=True)])
async def test_a_dropped_request_was_received(app, drop):
    app.answer(drop)

    try:
        assert await exchange(app, GET, limit=100) == b""
    except ConnectionResetError:
        assert drop.resets

    assert len(app.requests) == 1


async def test_an_answer_may_tell_a_length_that_is_not_its_own_and_ends_the_connection(app):
    app.answer(Answer(body="half", content_length=8), Answer())

    assert await exchange(app, GET, GET) == b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"


async def test_an_answer_may_end_its_connection(app):
    app.answer(Answer(closes=True), Answer())

    assert await exchange(app, GET, GET) == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def test_a_head_request_gets_the_length_and_no_body(app):
    app.answer(body="hello")

    assert await exchange(app, GET.replace(b"GET", b"HEAD")) == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


async def test_garbage_is_sent_as_it_is(app):
    app.answer(Garbage(b"\x00\xff"))

    assert await exchange(app, GET) == b"\x00\xff"


async def test_a_dripping_body_comes_whole(app):
    app.answer(Drip(body=b"slow", pause_seconds=0.001))

    assert (await exchange(app, GET)).endswith(b"\r\n\r\nslow")


async def test_a_chunked_body_of_a_size_comes_to_its_end(app):
    app.answer(EndlessBody(chunk=b"abc", size=6))

    assert await exchange(app, GET) == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n"


async def test_an_endless_body_ends_when_the_client_leaves(app):
    app.answer(EndlessBody())

    await exchange(app, GET, limit=1000)

    await asyncio.wait_for(app.wait_until_idle(), timeout=10)


async def test_a_hanging_request_ends_when_the_client_leaves(app):
    app.answer(Hang())
    client = asyncio.create_task(exchange(app, GET, limit=1))
    await app.wait_for_requests(1)
    assert app.open_connection_count == 1

    client.cancel()

    await asyncio.wait_for(app.wait_until_idle(), timeout=10)


async def test_leaving_the_app_ends_what_hangs():
    async with ScriptedApp() as app:
        app.answer(Hang(), Answer(delay_seconds=1000))
        clients = [asyncio.create_task(exchange(app, GET, limit=1)) for _ in range(2)]
        await app.wait_for_requests(2)

    assert app.open_connection_count == 0
    await asyncio.gather(*clients, return_exceptions=True)


async def test_dropping_connections_ends_the_idle_ones(app):
    app.answer(body="hello")
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
    writer.write(GET)
    await reader.readuntil(b"hello")

    await app.drop_connections()

    assert await reader.read() == b""
    writer.close()


def test_a_gzip_bomb_is_small_and_decodes_to_its_size():
    bomb = gzip_bomb(size=1_000_001)

    assert isinstance(bomb.body, bytes)
    assert len(bomb.body) < 2000
    assert gzip.decompress(bomb.body) == b" " * 1_000_001


def test_an_app_that_is_not_started_has_no_address():
    with pytest.raises(RuntimeError, match="not started"):
        _ = ScriptedApp().url


def test_the_kit_lists_what_it_offers_in_order():
    assert gateway.testing.__all__ == sorted(gateway.testing.__all__)
