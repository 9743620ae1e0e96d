import asyncio
import traceback
from ipaddress import ip_network

import pytest
from msgspec.structs import replace

from gateway import __version__
from gateway.connectors.http import AppRequest, AppResponse, Http, WebAddress
from gateway.errors import UpstreamRejectedError, UpstreamResponseError, UpstreamUnavailableError
from gateway.testing import Answer, Drip, Drop, Garbage, Hang

SECRET = "s3cret-value"
LOOPBACK = [ip_network("127.0.0.0/8")]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def _lost(writer):
    """Returns once an app that reads no more notices, as it writes, that nobody is there."""
    while not writer.transport.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0)


class Remembered:
    """Answers OK and keeps the writer, so that the test can say more on the same connection."""

    async def write(self, reader, writer, *, method):
        self.writer = writer
        writer.write(OK)
        await writer.drain()
        return True


async def test_an_answer_has_status_lower_case_headers_and_body(app, send):
    app.answer(status=404, headers=[("X-Left", "3"), ("Link", "<a>; rel=next"), ("link", "<b>; rel=last")], json={"error": "gone"})

    response = await send("/tasks?page=2")

    assert response == AppResponse(
        status=404,
        headers={"x-left": "3", "link": "<a>; rel=next, <b>; rel=last", "content-type": "application/json"},
        body=b'{"error": "gone"}',
    )


async def test_the_repr_of_an_answer_shows_its_status_only(app, send):
    app.answer(headers={"Set-Cookie": "session=s3cret"}, body="s3cret")

    assert repr(await send("/?key=s3cret")) == "AppResponse(status=200)"


async def test_bytes_of_a_header_that_are_no_text_become_replacement_characters(app, send):
    app.answer(headers={"X-Name": "Zo\udcebé", "ETag": '"\udcff"'})

    headers = (await send("/tasks")).headers

    assert (headers["x-name"], headers["etag"]) == ("Zo\ufffdé", '"\ufffd"')


async def test_a_request_arrives_with_its_own_headers_and_body(app, send):
    app.answer(status=201)

    headers = {"X-Key": "a, b", "Cookie": "own=1", "Content-Type": "application/json"}
    await send("/tasks", method="POST", headers=headers, content=b'{"title":"\xc3\xa9"}')

    [request] = app.requests
    assert request.method == "POST"
    assert request.json() == {"title": "é"}
    assert dict(request.headers) == {
        "host": f"127.0.0.1:{app.port}",
        "x-key": "a, b",
        "cookie": "own=1",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
        "accept": "*/*",
        "accept-encoding": "gzip, deflate",
        "user-agent": f"gateway/{__version__}",
    }


async def test_a_large_body_arrives_whole(app, send):
    app.answer()
    content = bytes(range(256)) * 16 * 1024

    await send(method="PUT", content=content)

    assert app.requests[0].body == content


async def test_an_answer_to_the_first_part_of_a_large_body_counts_and_its_connection_is_dropped_at_once(http):
    connections = []

    async def answer(reader, writer):
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        address = WebAddress.parse(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        upload = AppRequest("POST", address, content=b"x" * 30_000_000)
        answers = [await http.send(upload, max_bytes=100, timeout_seconds=10) for _ in range(2)]
        async with asyncio.timeout(10):
            for writer in connections:
                await _lost(writer)

    assert [(answer.status, answer.body) for answer in answers] == [(413, b"big")] * 2
    assert len(connections) == 2


async def test_headers_of_the_connection_are_the_gateways_own(app, send):
    app.answer()
    own = {"Host": "elsewhere.example", "Connection": "close", "Transfer-Encoding": "chunked", "Upgrade": "h2c", "TE": "trailers"}

    await send(method="POST", headers={**own, "Expect": "100-continue", "Accept-Encoding": "br"}, content=b"x")

    headers = app.requests[0].headers
    assert headers["host"] == f"127.0.0.1:{app.port}"
    assert headers["content-length"] == "1"
    assert headers["accept-encoding"] == "gzip, deflate"
    assert not {"connection", "transfer-encoding", "upgrade", "te", "expect"} & headers.keys()


async def test_a_header_beyond_ascii_arrives_as_utf_8(app, send):
    app.answer()

    await send(headers={"X-Name": "Zoë"})

    assert app.requests[0].headers["x-name"] == "Zoë"


@pytest.mark.parametrize("value", ["key\r\nX-Admin: 1", "key\n", "a\x00b", "\udcff"])
async def test_a_header_value_that_would_not_arrive_as_given_is_refused_without_showing_it(app, send, value):
    with pytest.raises(UpstreamRejectedError) as refused:
        await send(headers={"X-Key": "s3cret" + value})

    assert "'X-Key'" in refused.value.message
    assert "s3cret" not in refused.value.message
    assert app.connection_count == 0


@pytest.mark.parametrize(
    "target",
    ["/a%2Fb/%E2%82%AC", "/a%2fb", "/a//b/;c=1", "/p?q=a+b%2Bc&q=%20&empty=&flag", "/buckets/a..b/.hidden", "/x%25y", "/@:$&'()*+,;=~"],
)
async def test_a_target_arrives_exactly_as_it_was_given(app, send, target):
    app.answer()

    await send(target)

    assert app.requests[0].target == target


@pytest.mark.parametrize("path", ["/a/%2e%2e/b", "/%2E./b", "/a/.%2e", "/a%2F..%2Fb", "/a/%2e/b", "/a%5c..%5cb", "/a/..;x/b", "/a/..%3Bx"])
async def test_a_path_with_a_dot_segment_is_refused_unsent(app, send, path):
    with pytest.raises(UpstreamRejectedError, match=r"segment '\.' or '\.\.'"):
        await send(path)

    assert app.requests == []


@pytest.mark.parametrize(
    "parts",
    [
        {"target": "@127.0.0.2/"},
        {"target": ".evil.test/"},
        {"target": ""},
        {"target": "/a b"},
        {"target": "/a\r\nX-Key: y"},
        {"target": "/ä"},
        {"target": "/a#b"},
        {"host": "me:s3cret@127.0.0.1"},
        {"host": "127.0.0.1/a"},
        {"host": ""},
        {"scheme": "file"},
    ],
)
async def test_an_address_whose_parts_make_another_is_refused_unsent(app, http, parts):
    address = replace(WebAddress.parse(app.url), **parts)

    with pytest.raises(UpstreamRejectedError, match="no address of http or https") as refused:
        await http.send(AppRequest("GET", address), max_bytes=100, timeout_seconds=10)

    assert app.connection_count == 0
    assert "s3cret" not in refused.value.message


async def test_a_port_that_no_server_has_is_refused(http):
    with pytest.raises(UpstreamRejectedError, match="names port 70000, which no server has"):
        await http.send(AppRequest("GET", WebAddress.parse("http://app.example:70000/")), max_bytes=100, timeout_seconds=10)


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "GET /", ""])
async def test_a_method_that_no_app_needs_is_refused_unsent(app, send, method):
    with pytest.raises(UpstreamRejectedError, match="sends no request of method"):
        await send(method=method)

    assert app.requests == []


async def test_a_redirect_is_an_answer_and_is_not_followed(app, send):
    app.answer(status=302, headers={"Location": "/elsewhere"})

    response = await send("/start")

    assert (response.status, response.headers["location"]) == (302, "/elsewhere")
    assert [request.target for request in app.requests] == ["/start"]


async def test_cookies_of_an_answer_are_never_sent_back(app, http):
    app.answer(headers=[("Set-Cookie", "session=one; Path=/"), ("Set-Cookie", "b=2")])
    app.answer()
    # By name: jars keep no cookie of a numeric address.
    request = AppRequest("GET", WebAddress.parse(f"http://localhost:{app.port}/"))

    first = await http.send(request, max_bytes=100, timeout_seconds=10)
    await http.send(request, max_bytes=100, timeout_seconds=10)

    assert first.headers["set-cookie"] == "session=one; Path=/, b=2"
    assert "cookie" not in app.requests[1].headers
    assert app.connection_count == 1


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", Answer(body=b"not sent", headers={"Content-Encoding": "gzip"})),
        ("HEAD", Answer(body=b"not sent", headers={"Content-Encoding": "br"})),
        ("GET", Answer(status=204)),
        ("GET", Answer(status=304, headers={"Content-Encoding": "gzip", "Content-Length": "5000"})),
        ("GET", Answer(status=200, headers={"Content-Encoding": "gzip"})),
    ],
)
async def test_an_answer_without_a_body_is_read_at_once_and_its_connection_used_again(app, send, method, answer):
    app.answer(answer, Answer(body="next"))

    assert (await send(method=method)).body == b""
    assert (await send()).body == b"next"
    assert app.connection_count == 1


async def test_informational_answers_before_the_answer_are_passed_over(app, send):
    app.answer(Garbage(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK))

    assert (await send()).body == b"ok"


async def test_informational_answers_without_an_end_are_refused(app, send):
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    app.answer(Garbage(hints * 100 + OK), Garbage(hints * 101 + OK))

    assert (await send()).body == b"ok"
    with pytest.raises(UpstreamResponseError, match="more than 100 informational answers"):
        await send()


async def test_a_status_that_http_does_not_know_is_still_an_answer(app, send):
    app.answer(status=999, body="slow down")

    assert (await send()).status == 999


async def test_an_upgrade_nobody_asked_for_is_refused(app, send):
    app.answer(Garbage(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nabc"))

    with pytest.raises(UpstreamResponseError, match="status 101"):
        await send()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "POST"])
async def test_a_request_whose_connection_is_lost_is_not_repeated(app, send, method):
    app.answer(Drop(), Answer())

    with pytest.raises(UpstreamUnavailableError) as lost:
        await send(method=method)

    assert lost.value.may_have_been_received
    assert len(app.requests) == 1


async def test_an_idle_connection_that_the_app_closed_is_not_used_for_the_next_request(app, send):
    app.answer(Answer(body="one"), Answer(body="two"))

    await send()
    await app.drop_connections()
    response = await send(method="POST")

    assert response.body == b"two"
    assert [(request.method, request.connection) for request in app.requests] == [("GET", 1), ("POST", 2)]


async def test_an_answer_nobody_asked_for_is_never_given_to_the_next_request(app, send):
    remembered = Remembered()
    app.answer(remembered, Answer(body="mine"))

    await send()
    remembered.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled")
    response = await send()

    assert response.body == b"mine"
    assert app.connection_count == 2


@pytest.mark.parametrize("unasked", [b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 408 Request Ti"])
async def test_an_unasked_answer_or_a_part_of_one_that_was_read_while_the_connection_was_idle_ends_its_use(app, send, unasked):
    remembered = Remembered()
    app.answer(remembered, Answer(body="mine"))

    await send()
    remembered.writer.write(unasked)
    for _ in range(5):
        await asyncio.sleep(0.01)
    response = await send(method="POST")

    assert (response.status, response.body) == (200, b"mine")
    assert app.connection_count == 2


async def test_an_answer_nobody_asked_for_ends_the_connection_at_once_however_much_of_it_is_to_come(app, send):
    remembered = Remembered()
    app.answer(remembered, Answer(body="mine"))
    await send()

    remembered.writer.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 500_000)
    await asyncio.wait_for(app.wait_until_idle(), timeout=10)

    assert (await send()).body == b"mine"


async def test_two_answers_at_once_count_as_one(app, send):
    app.answer(Garbage(OK + OK.replace(b"ok", b"no"), stays_open=True), Answer(body="mine"))

    assert (await send()).body == b"ok"
    assert (await send()).body == b"mine"


async def test_a_connection_lost_on_a_used_connection_may_still_have_been_received(app, send):
    app.answer(Answer(), Drop(resets=True))

    await send()
    with pytest.raises(UpstreamUnavailableError) as lost:
        await send(method="POST")

    assert lost.value.may_have_been_received
    assert app.connection_count == 1


async def test_the_time_covers_a_body_that_drips(app, send):
    app.answer(Drip(body=b"x" * 1000, pause_seconds=0.02))

    with pytest.raises(UpstreamUnavailableError, match=r"did not answer within 0\.1 seconds") as late:
        await send(timeout_seconds=0.1)

    assert late.value.may_have_been_received
    await asyncio.wait_for(app.wait_until_idle(), timeout=10)


async def test_each_request_on_a_connection_has_its_own_time(app, send):
    app.answer(Answer(), Answer(delay_seconds=0.4, body="late"), Hang())

    await send(timeout_seconds=0.2)
    assert (await send(timeout_seconds=10)).body == b"late"
    with pytest.raises(UpstreamUnavailableError, match=r"did not answer within 0\.1 seconds"):
        await send(timeout_seconds=0.1)

    assert app.connection_count == 1


@pytest.mark.long
async def test_a_connection_that_nobody_needs_for_fifteen_seconds_is_closed(app, send):
    app.answer(Answer())
    await send(timeout_seconds=30)

    await asyncio.sleep(10)
    assert app.open_connection_count == 1
    await asyncio.wait_for(app.wait_until_idle(), timeout=10)


async def test_a_request_that_waits_for_a_free_connection_until_its_time_is_over_was_never_sent(app):
    http = Http(allowed_networks=LOOPBACK, max_connections=1)
    app.answer(Hang())
    first = asyncio.create_task(http.send(AppRequest("GET", WebAddress.parse(app.url)), max_bytes=1, timeout_seconds=30))
    await app.wait_for_requests(1)

    with pytest.raises(UpstreamUnavailableError, match=r"^The gateway had no free connection within 0\.05 seconds") as late:
        await http.send(AppRequest("POST", WebAddress.parse(app.url)), max_bytes=1, timeout_seconds=0.05)

    assert (late.value.may_have_been_received, late.value.is_apps_fault) == (False, False)
    assert len(app.requests) == 1
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await http.aclose()


async def test_a_request_that_had_to_wait_for_a_connection_and_got_one_is_the_apps_to_answer(app):
    http = Http(allowed_networks=LOOPBACK, max_connections=1)
    app.answer(Answer(delay_seconds=0.05), Hang())
    first = asyncio.create_task(http.send(AppRequest("GET", WebAddress.parse(app.url)), max_bytes=1, timeout_seconds=30))
    await app.wait_for_requests(1)

    with pytest.raises(UpstreamUnavailableError, match="did not answer within") as late:
        await http.send(AppRequest("POST", WebAddress.parse(app.url)), max_bytes=1, timeout_seconds=1)

    assert (late.value.may_have_been_received, late.value.is_apps_fault) == (True, True)
    await first
    await http.aclose()


@pytest.mark.parametrize("answer", [Hang(), Drip(body=b"x" * 10_000, pause_seconds=0.02)], ids=["before the answer", "in its body"])
async def test_a_cancelled_request_closes_its_connection_and_frees_its_place(app, answer):
    http = Http(allowed_networks=LOOPBACK, max_connections=1)
    app.answer(answer, Answer(body="next"))
    task = asyncio.create_task(http.send(AppRequest("GET", WebAddress.parse(app.url)), max_bytes=100_000, timeout_seconds=30))
    await app.wait_for_requests(1)
    await asyncio.sleep(0.05)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await asyncio.wait_for(app.wait_until_idle(), timeout=10)
    assert (await http.send(AppRequest("GET", WebAddress.parse(app.url)), max_bytes=100, timeout_seconds=10)).body == b"next"
    await http.aclose()


async def test_a_place_that_falls_free_for_a_request_that_is_cancelled_in_the_same_turn_goes_to_the_next_one(app):
    http = Http(allowed_networks=LOOPBACK, max_connections=1)
    app.answer(Hang(), Answer(body="mine"))
    request = AppRequest("GET", WebAddress.parse(app.url))

    async def end_the_next():
        try:
            await http.send(request, max_bytes=10, timeout_seconds=30)
        finally:
            second.cancel()

    first = asyncio.create_task(end_the_next())
    await app.wait_for_requests(1)
    second = asyncio.create_task(http.send(request, max_bytes=10, timeout_seconds=30))
    await asyncio.sleep(0)
    third = asyncio.create_task(http.send(request, max_bytes=10, timeout_seconds=5))
    await asyncio.sleep(0)

    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)

    assert second.cancelled()
    assert (await third).body == b"mine"
    await http.aclose()


async def test_a_hundred_cancelled_requests_leave_no_connection_behind(app):
    http = Http(allowed_networks=LOOPBACK, max_connections=10)
    app.answer_with(lambda request: Hang())
    tasks = [
        asyncio.create_task(http.send(AppRequest("GET", WebAddress.parse(app.url)), max_bytes=1, timeout_seconds=30)) for _ in range(100)
    ]
    await app.wait_for_requests(10)

    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    await asyncio.wait_for(app.wait_until_idle(), timeout=10)
    assert len(app.requests) == 10
    await http.aclose()


async def test_requests_at_once_each_get_their_own_answer(app, send):
    app.answer_with(lambda request: Answer(body=request.query["n"]))

    responses = await asyncio.gather(*(send(f"/?n={n}") for n in range(200)))

    assert [response.body for response in responses] == [str(n).encode() for n in range(200)]
    assert app.connection_count <= 100


async def test_closing_ends_idle_connections_and_refuses_what_comes_after(app, http, send):
    app.answer()
    await send()

    await http.aclose()

    await asyncio.wait_for(app.wait_until_idle(), timeout=10)
    with pytest.raises(UpstreamUnavailableError, match="shutting down") as refused:
        await send()
    assert not refused.value.may_have_been_received


async def test_closing_refuses_a_request_that_waits_for_a_connection_and_makes_none_for_it(app):
    http = Http(allowed_networks=LOOPBACK, max_connections=1)
    app.answer(Hang())
    request = AppRequest("POST", WebAddress.parse(app.url))
    tasks = [asyncio.create_task(http.send(request, max_bytes=1, timeout_seconds=30)) for _ in range(3)]
    await app.wait_for_requests(1)

    await http.aclose()

    lost, *refused = await asyncio.gather(*tasks, return_exceptions=True)
    assert lost.may_have_been_received
    for error in refused:
        assert "shutting down" in error.message
        assert (error.may_have_been_received, error.is_apps_fault) == (False, False)
    assert app.connection_count == 1


async def test_idle_connections_to_many_hosts_are_about_as_many_as_may_be_in_use(app):
    http = Http(allowed_networks=LOOPBACK, max_connections=2)
    app.answer_with(lambda request: Answer())
    hosts = ["127.0.0.1", "127.1", "127.0.1", "0x7f000001", "2130706433", "017700000001", "localhost"]

    for host in [*hosts, *reversed(hosts)]:
        await http.send(AppRequest("GET", WebAddress("http", host, app.port, "/")), max_bytes=1, timeout_seconds=10)

    # Those of the last four hosts were still there.
    assert app.connection_count == 7 + 3
    await http.aclose()


async def test_closing_breaks_off_an_answer_that_would_have_ended_with_its_connection(app, http, send):
    app.answer(Garbage(b"HTTP/1.1 200 OK\r\n\r\npart", stays_open=True))
    task = asyncio.create_task(send())
    await app.wait_for_requests(1)
    await asyncio.sleep(0.05)

    await http.aclose()

    with pytest.raises(UpstreamUnavailableError, match="broke off before its end"):
        await task


@pytest.mark.parametrize(
    "answer", [Drop(), Hang(), Garbage(b"?"), Answer(body="x", content_length=9), Answer(headers={"Content-Encoding": "br"}, body="x")]
)
async def test_no_error_shows_or_chains_what_the_request_held(app, send, answer):
    app.answer(answer)

    with pytest.raises((UpstreamUnavailableError, UpstreamResponseError)) as failed:
        await send(f"/?api_key={SECRET}", headers={"Authorization": f"Bearer {SECRET}"}, content=SECRET.encode(), timeout_seconds=0.3)

    assert SECRET not in "".join(traceback.format_exception(failed.value))
