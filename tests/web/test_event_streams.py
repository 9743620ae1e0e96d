"""GraphQL over server-sent events: what a stream looks like, what it resumes from, and how it ends."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from gateway.web.assembly import assemble
from gateway.web.server import serve
from tests.web.serving import NOTES, Context
from tests.web.streams import CHANGES, STREAMS, events, fresh_log

EXPIRED = {
    "errors": [{"message": "The token expired. Connect again with a new one.", "extensions": {"code": "NOT_AUTHENTICATED"}}],
}


@pytest.fixture
def log():
    return fresh_log()


@pytest.fixture
def app(runtime, log):
    NOTES.clear()
    return assemble(runtime, STREAMS, make_context=Context)


def number_of(event):
    return event["data"]["data"]["changes"]["number"]


async def test_events_are_framed_with_line_feeds_and_told_by_their_cursor(app, log):
    await log.append(2)
    async with events(app, CHANGES) as client:
        assert client.status == 200
        assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert client.headers["cache-control"] == "no-store, no-transform"
        assert client.headers["x-accel-buffering"] == "no"
        assert "content-length" not in client.headers
        assert [await client.chunk() for _ in range(2)] == [
            f'id: {number}\nevent: next\ndata: {{"data":{{"changes":{{"number":{number}}}}}}}\n\n' for number in (1, 2)
        ]


async def test_a_stream_that_ends_says_that_it_is_complete(app):
    async with events(app, "subscription { numbers(to: 1) }") as client:
        assert await client.chunk() == 'event: next\ndata: {"data":{"numbers":1}}\n\n'
        assert await client.chunk() == "event: complete\ndata: \n\n"
        assert await client.chunk() is None


async def test_json_that_nobody_read_is_told_on_one_line_however_it_was_written(app):
    async with events(app, "{ unread }") as client:
        assert await client.chunk() == 'event: next\ndata: {"data":{"unread":{"a":  1.50,"b":"c"}}}\n\n'
        assert await client.chunk() == "event: complete\ndata: \n\n"


async def test_sockets_and_streams_share_answers(app, log):
    await log.append()
    async with events(app, CHANGES) as first, events(app, CHANGES) as second:
        assert [number_of(await client.event()) for client in (first, second)] == [1, 1]

    assert log.answers == {1: 1}


@pytest.mark.parametrize("variables", [{}, {"after": "0"}])
@pytest.mark.parametrize(
    "query",
    [
        CHANGES,
        "subscription { changes { number } }",
        'subscription { changes(after: "0") { number } }',
        "subscription($after: String) { renamed: changes(after: $after) { number } }",
        "subscription($after: String) { ... on Subscription { ... { changes(after: $after) { number } } } }",
        "subscription { ...Root } fragment Root on Subscription { ...Changes } fragment Changes on Subscription { changes { number } }",
    ],
)
async def test_a_client_that_tells_the_last_event_goes_on_after_it(app, log, query, variables):
    await log.append(3)
    async with events(app, query, headers={"last-event-id": "2"}, variables=variables) as client:
        assert await client.chunk() == (await client_frame(query, 3))


async def client_frame(query, number):
    name = "renamed" if "renamed" in query else "changes"
    return f'id: {number}\nevent: next\ndata: {{"data":{{"{name}":{{"number":{number}}}}}}}\n\n'


@pytest.mark.parametrize("cursor", ['") { who } #', "x\\", "\x7f"])
async def test_a_hostile_last_event_is_an_argument_like_any_other(app, cursor):
    async with events(app, CHANGES, headers={"last-event-id": cursor}) as client:
        event = await client.event()

    assert event["event"] == "next"
    assert [error["extensions"]["code"] for error in event["data"]["errors"]] == ["INTERNAL"]  # This schema's resolver asks for a number.


async def test_a_subscription_that_resumes_nowhere_ignores_the_last_event(app):
    async with events(app, "subscription { numbers(to: 1) }", headers={"last-event-id": "5"}) as client:
        assert (await client.event())["data"] == {"data": {"numbers": 1}}


async def test_queries_and_mutations_are_streams_of_one_answer(app):
    for query, data in (("{ hello }", {"hello": "Hello, world!"}), ('mutation { note(text: "x") }', {"note": "x"})):
        async with events(app, query) as client:
            assert await client.event() == {"event": "next", "data": {"data": data}}
            assert await client.chunk() == "event: complete\ndata: \n\n"
            assert await client.chunk() is None
    assert NOTES == ["x"]


@pytest.mark.parametrize(
    "query",
    ["{", "{ nothing }", "subscription { nothing }", "subscription {", "subscription { numbers }", "query A { hello } { hello }"],
)
async def test_what_cannot_be_executed_is_refused_with_400_and_no_stream(app, query):
    async with events(app, query) as client:
        assert client.status == 400
        assert client.headers["content-type"] in ("application/graphql-response+json; charset=utf-8", "application/json; charset=utf-8")
        assert '"code":"INVALID"' in (client._from_app.get_nowait()["body"].decode())


async def test_variables_that_do_not_fit_end_the_stream(app):
    async with events(app, "subscription($to: Int!) { numbers(to: $to) }", variables={"to": "x"}) as client:
        event = await client.event()

        assert list(event["data"]) == ["errors"]
        assert event["data"]["errors"][0]["extensions"]["code"] == "INVALID"
        assert await client.chunk() == "event: complete\ndata: \n\n"


async def test_a_mutation_by_get_is_refused(app):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        response = await http.get("/graphql", params={"query": 'mutation { note(text: "x") }'}, headers={"accept": "text/event-stream"})

    assert response.status_code == 405
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert NOTES == []


async def test_a_token_that_does_not_hold_is_refused_with_401_and_no_stream(app):
    async with events(app, CHANGES, headers={"authorization": "Bearer x"}) as client:
        assert client.status == 401
        assert client.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "query", "media_type"),
    [
        ("text/event-stream", "{ hello }", "text/event-stream"),
        ("text/event-stream, */*", "{ hello }", "text/event-stream"),
        ("TEXT/EVENT-STREAM", "{ hello }", "text/event-stream"),
        ("text/event-stream;q=0.9, application/json", "{ hello }", "application/json"),
        ("application/graphql-response+json, application/json, text/event-stream", "{ hello }", "application/graphql-response+json"),
        ("application/json, text/event-stream, multipart/mixed", "subscription { numbers(to: 1) }", "text/event-stream"),
        ("*/*, text/event-stream;q=0.1", "subscription { numbers(to: 1) }", "text/event-stream"),
        ("application/json, text/event-stream;q=0", "subscription { numbers(to: 1) }", "application/json"),
        ("*/*", "subscription { numbers(to: 1) }", "application/json"),
    ],
)
async def test_a_stream_answers_who_likes_it_best_and_whose_subscription_needs_it(app, accept, query, media_type):
    async with events(app, query, headers={"accept": accept}) as client:
        assert client.headers["content-type"] == f"{media_type}; charset=utf-8"


async def test_a_browser_may_listen_by_get(app, log):
    await log.append()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        response = await http.get("/graphql", params={"query": "subscription { numbers(to: 2) }"}, headers={"accept": "text/event-stream"})

    assert response.text.count("event: next\n") == 2
    assert response.text.endswith("event: complete\ndata: \n\n")


async def test_a_silent_stream_gives_a_sign_of_life(app, log, clock):
    async with events(app, CHANGES) as client:
        await asyncio.sleep(0.01)
        for _ in range(2):
            clock.advance(15)
            assert await client.chunk() == ":\n\n"
        await log.append()
        assert number_of(await client.event()) == 1


async def test_a_stream_ends_when_its_token_expires(app, log, clock, bearer):
    async with events(app, CHANGES, headers={"authorization": bearer("acme", expires_in=timedelta(seconds=10))}) as client:
        await log.append()
        assert number_of(await client.event()) == 1
        clock.advance(10)

        chunk = await client.chunk()
        assert chunk is not None
        assert chunk.startswith('event: next\ndata: {"errors":[{"message":"The token expired.')
        assert chunk.endswith("\n\nevent: complete\ndata: \n\n")
        assert '"code":"NOT_AUTHENTICATED"' in chunk
        assert await client.chunk() is None
    assert log.sources == 0


async def test_a_client_that_leaves_closes_the_source(app, log):
    async with events(app, CHANGES) as client:
        await log.append()
        await client.event()
        assert log.sources == 1

    assert log.sources == 0


async def test_a_server_that_ends_breaks_streams_off_without_completing_them(app, log):
    ready = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(app, host="127.0.0.1", port=0, on_ready=ready.set_result))
    async with httpx.AsyncClient(base_url=await ready, trust_env=False) as http:
        asked = {"query": CHANGES}
        async with http.stream("POST", "/graphql", json=asked, headers={"accept": "text/event-stream"}) as response:
            lines = response.aiter_lines()
            await log.append()
            assert [await anext(lines) for _ in range(4)] == ["id: 1", "event: next", 'data: {"data":{"changes":{"number":1}}}', ""]
            server.cancel()

            assert [line async for line in lines] == []
    async with asyncio.timeout(5):  # Else it would wait ten seconds for the stream.
        with pytest.raises(asyncio.CancelledError):
            await server
    assert log.sources == 0
