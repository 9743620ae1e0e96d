"""HTTP on a connection, as clients see it: what uvicorn's own protocol does, of whose inside ours takes the place, ours does too."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.web.extensions import take_body
from gateway.web.fixed_headers import FixedHeaders, MeasuredHeaders
from gateway.web.http_protocol import Connection

GET = b"GET /some%20where?a=b HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


@asynccontextmanager
async def serving(app: Any, protocol: type[HttpToolsProtocol], **options: Any) -> AsyncIterator[int]:
    config = uvicorn.Config(app, port=0, http=protocol, lifespan="off", access_log=False, log_config=None, server_header=False, **options)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    await server.on_tick(0)  # From which answers have their date.
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


async def said(app: Any, protocol: type[HttpToolsProtocol], *parts: bytes, **options: Any) -> bytes:
    """All that the server says to what a client says, up to the end of the connection; with the date taken out."""
    async with serving(app, protocol, **options) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    return re.sub(rb"date: [^\r]+ GMT\r\n", b"date: now\r\n", answer)


def answering(status: int, headers: Any, *bodies: bytes) -> Callable[..., Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, body in enumerate(bodies, 1):
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    return app


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Tells what it was asked, and the body as it came."""
    told = {name: value for name, value in scope.items() if name not in ("client", "server", "extensions")}
    body, is_more = b"", True
    while is_more:
        message = await receive()
        body, is_more = body + message.get("body", b""), message.get("more_body", False)
    text = f"{sorted(told.items())} {body!r}".encode()
    await answering(200, [(b"Content-Length", b"%d" % len(text))], text)(scope, receive, send)


async def breaks(scope: Any, receive: Any, send: Any) -> None:
    raise LookupError("before anything")


async def breaks_later(scope: Any, receive: Any, send: Any) -> None:
    await answering(200, [], b"one", b"")(scope, receive, send)
    raise LookupError("after all")


async def breaks_amid(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"part", "more_body": True})
    raise LookupError("amid the body")


async def silent(scope: Any, receive: Any, send: Any) -> None:
    return


async def speaks_out_of_turn(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.body", "body": b"first"})


FIXED = MeasuredHeaders(FixedHeaders({"Vary": "Accept", "x-frame-options": "DENY"}), 2)
LENGTH = (b"content-length", b"2")
CONVERSATIONS: dict[str, tuple[Any, list[bytes]]] = {
    "a request": (echo, [GET, LAST]),
    "a body with a length": (echo, [b"POST / HTTP/1.1\r\nHost: x\r\ncontent-length: 4\r\n\r\nab", b"cd", LAST]),
    "a chunked body": (
        echo,
        [b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n", b"1\r\nc\r\n0\r\n\r\n", LAST],
    ),
    "a body to be waited for": (echo, [b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n", b"ab", LAST]),
    "requests at once": (echo, [GET + b"POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\nx" + LAST]),
    "HTTP/1.0": (echo, [b"GET / HTTP/1.0\r\n\r\n"]),
    "a head in pieces": (echo, [b"GET /a", b"b HTTP/1.1\r\nho", b"st: x\r\nconnection: close\r\n\r\n"]),
    "no HTTP": (echo, [b"\x16\x03\x01\r\n\r\n"]),
    "an address of another kind": (echo, [b"CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n"]),
    "HEAD": (answering(200, [LENGTH], b"ab"), [b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", LAST]),
    "HEAD without a length": (answering(200, [], b"ab"), [b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", LAST]),
    "an answer in chunks": (answering(200, [], b"a", b"", b"bc", b""), [GET, LAST]),
    "an answer in chunks that says so": (answering(200, [(b"Transfer-Encoding", b"chunked")], b"a", b"b"), [GET, LAST]),
    "an answer with a length in parts": (answering(200, [LENGTH], b"a", b"b"), [GET, LAST]),
    "an answer without a body": (answering(204, [], b""), [GET, LAST]),
    "an answer that has not changed": (answering(304, [(b"etag", b'"1"')], b""), [GET, LAST]),
    "a status of its own": (answering(294, [LENGTH], b"ab"), [GET, LAST]),
    "an answer that ends the connection": (answering(413, [LENGTH, (b"Connection", b"Close")], b"ab"), [GET, LAST]),
    "long headers": (answering(200, [LENGTH, (b"x-long", b"x" * 5_000)], b"ab"), [GET, LAST]),
    "fixed headers": (answering(200, FIXED, b"ab"), [GET, LAST]),
    "a failure before the answer": (breaks, [GET]),
    "a failure amid the answer": (breaks_amid, [GET]),
    "a failure after the answer": (breaks_later, [GET, LAST]),
    "no answer": (silent, [GET]),
    "a body before the head": (speaks_out_of_turn, [GET]),
}


async def test_clients_see_what_they_would_see_of_the_librarys_own():
    async def all_said(protocol: type[HttpToolsProtocol]) -> dict[str, bytes]:
        answers = await asyncio.gather(*[said(app, protocol, *parts) for app, parts in CONVERSATIONS.values()])
        return dict(zip(CONVERSATIONS, answers, strict=True))

    ours, theirs = await asyncio.gather(all_said(Connection), all_said(HttpToolsProtocol))

    assert all(answer.startswith(b"HTTP/1.1 ") for answer in ours.values())
    assert ours == theirs


@pytest.mark.parametrize("parts", [1, 2, 9], ids=["at once", "head and body", "in pieces"])
@pytest.mark.parametrize("framing", [b"content-length: %d\r\n\r\n%b", b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"])
@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])  # Which begins without a body.
async def test_who_asks_for_what_is_not_spoken_is_answered_as_who_does_not_ask(protocol, framing, parts):
    # The parser takes what follows such a head for the next request: the library's own answers it, to whoever is the next.
    request = b"POST /a HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: %b\r\n" % protocol + framing % (len(GET), GET)
    size, end = -(-len(request) // parts), request.index(b"\r\n\r\n") + 4
    pieces = [request[:end], request[end:]] if parts == 2 else [request[at : at + size] for at in range(0, len(request), size)]

    answer = await said(echo, Connection, *pieces, LAST)

    assert repr(GET).encode() in answer
    assert re.findall(rb"'path', '(.*?)'", answer) == [b"/a", b"/"]


@pytest.mark.parametrize("head", [b"POST / HTTP/1.1\r\nconnection: close, upgrade", b"POST / HTTP/1.0\r\nconnection: upgrade"])
async def test_who_asks_for_what_is_not_spoken_in_a_last_request_is_answered_too(head):
    answer = await said(echo, Connection, head + b"\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nab")

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b" b'ab'")


async def test_no_socket_begins_amid_an_answer():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await receive()
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"ab"})

    key = b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
    socket = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n" + key

    answer = await said(app, Connection, GET + socket + LAST, ws="websockets-sansio")

    assert answer.count(b"HTTP/1.1 200 OK") == answer.count(b"2\r\nab\r\n0\r\n\r\n") == 3
    assert b"101" not in answer


async def test_any_number_of_requests_may_ask_for_what_is_not_spoken():
    head = b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"

    assert (await said(echo, Connection, head * 99 + LAST)).count(b"HTTP/1.1 200 OK") == 100


async def test_so_many_requests_may_wait_and_those_after_them_are_to_be_sent_again():
    waiting: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        waiting.append(scope["path"])
        await asyncio.sleep(0.05 if len(waiting) == 1 else 0)
        await echo(scope, receive, send)

    requests = [b"POST /%d HTTP/1.1\r\ncontent-length: 2\r\n\r\nab" % number for number in range(300)]
    answer = await said(app, Connection, b"".join(requests[:150]), b"".join(requests[150:]))

    assert waiting == [f"/{number}" for number in range(101)]
    assert answer.count(b"HTTP/1.1 200 OK") == answer.count(b"b'ab'") == 101
    assert answer.count(b"connection: close") == 1


@pytest.mark.parametrize(
    "headers",
    [[(b"x y", b"z")], [(b"x", b"a\r\nset-cookie: b")], [(b"", b"z")], [(b"x", b"y" * 300 + b"\n")], [(b"content-length", b"2\r\n")]],
)
async def test_headers_that_would_be_other_headers_are_never_sent(headers):
    answer = await said(answering(200, headers, b"ab"), Connection, GET)

    assert not answer.startswith(b"HTTP/1.1 200")
    assert b"set-cookie" not in answer


def test_fixed_headers_are_looked_at_when_they_are_made():
    with pytest.raises(RuntimeError):
        FixedHeaders({"x": "a\r\nset-cookie: b"})
    with pytest.raises(RuntimeError):
        FixedHeaders({"x:": "a"})
    assert list(FIXED) == [(b"vary", b"Accept"), (b"x-frame-options", b"DENY"), (b"content-length", b"2")]


@pytest.mark.parametrize("bodies", [[b"a"], [b"abc"], [b"a", b"bc"]], ids=["too short", "too long", "too long at last"])
async def test_a_body_that_is_not_as_long_as_was_said_ends_the_connection(bodies):
    answer = await said(answering(200, [LENGTH], *bodies), Connection, GET, GET)

    assert answer.count(b"HTTP/1.1") <= 1
    assert b"abc" not in answer


async def test_who_leaves_is_told_to_whoever_still_reads():
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(4):
            told.put_nowait(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async with serving(app, Connection) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nab")
        messages = [await asyncio.wait_for(told.get(), 5)]
        writer.write(b"cd")
        messages.append(await asyncio.wait_for(told.get(), 5))
        writer.close()
        messages += [await asyncio.wait_for(told.get(), 5) for _ in range(2)]

    assert messages == [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"cd", "more_body": False},
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
    ]


async def test_who_leaves_is_told_to_whoever_answers_though_another_request_waits():
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        told.put_nowait(await receive())

    async with serving(app, Connection) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET + GET)
        await reader.readuntil(b"1\r\na\r\n")
        writer.close()

        assert await asyncio.wait_for(told.get(), 5) == {"type": "http.disconnect"}


@pytest.mark.parametrize("takes", [True, False])
async def test_a_body_that_has_come_is_taken_or_received_and_not_both(takes):
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        taken = take_body(scope) if takes else None
        message = await receive()
        told.put_nowait((taken, message["body"], take_body(scope), message["more_body"]))
        await send({"type": "http.response.start", "status": 200, "headers": FIXED, "body": b"ab"})

    async with serving(app, Connection) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\ncd")
        await reader.readuntil(b"\r\n\r\nab")
        writer.close()

    assert told.get_nowait() == ((b"cd", b"", None, False) if takes else (None, b"cd", None, False))


async def test_an_idle_connection_is_closed_and_one_that_is_used_is_not():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.3 if scope["path"] == "/slow" else 0)
        await answering(200, [LENGTH], b"ab")(scope, receive, send)

    async with serving(app, Connection, timeout_keep_alive=0.2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path in (b"/", b"/slow", b"/"):
            writer.write(b"GET %b HTTP/1.1\r\n\r\n" % path)
            assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\nab"), 5)).startswith(b"HTTP/1.1 200 OK\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


@pytest.mark.parametrize(
    "parts",
    [[], [b"GET / HT"], [GET, b"GET / HT"], [b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nab", b"cd"], [GET, b"\r\n"]],
    ids=["nothing", "a part of a head", "a part of another head", "a part of a body that nobody reads", "a line without anything"],
)
async def test_a_connection_is_closed_where_no_request_is_answered_and_none_comes(parts):
    answer = await said(answering(200, [LENGTH], b"ab"), Connection, *parts, timeout_keep_alive=0.3)

    assert answer.count(b"HTTP/1.1 200 OK") == len([part for part in parts if b"\r\n\r\n" in part])


async def test_whether_the_body_has_come_is_told_and_one_message_may_be_the_answer():
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        told.put_nowait([*scope["extensions"]])
        await send({"type": "http.response.start", "status": 200, "headers": FIXED, "body": b"ab"})

    head = b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n"
    async with serving(app, Connection) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + b"ab")
        at_once, first = await asyncio.wait_for(told.get(), 5), await reader.readuntil(b"\r\n\r\nab")
        writer.write(head + b"a")
        late = await asyncio.wait_for(told.get(), 5)
        writer.write(b"b")
        second = await reader.readuntil(b"\r\n\r\nab")
        writer.close()

    assert (at_once, late) == (["gateway.whole_answer", "gateway.whole_request"], ["gateway.whole_answer"])
    assert all(answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in (first, second))
