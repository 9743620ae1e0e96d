"""graphql-transport-ws to the letter: whole conversations, and the limits of sockets.

What the protocol's reference, the npm package graphql-ws, does otherwise is said where it is so.
"""

import asyncio
import sqlite3
from contextlib import closing
from hashlib import sha256

import pytest

from gateway.runtime import open_runtime
from gateway.web.assembly import assemble
from tests.support.chaos_proxy import chaos_proxy
from tests.web.serving import SCHEMA, Context, open_socket, socket
from tests.web.streams import CHANGES, STREAMS, events, fresh_log

HEAR = object()
"""In what is sent: here the client waits for the next message."""
INIT, ACK = {"type": "connection_init"}, {"type": "connection_ack"}


def ask(query, identity="1", **payload):
    return {"type": "subscribe", "id": identity, "payload": {"query": query, **payload}}


def by_hash(document, **payload):
    digest = sha256(document.encode()).hexdigest()
    return ask(payload.pop("query", None), extensions={"persistedQuery": {"version": 1, "sha256Hash": digest}})


def complete(identity="1"):
    return {"type": "complete", "id": identity}


def answer(data, identity="1"):
    return [{"id": identity, "type": "next", "payload": {"data": data}}, {"id": identity, "type": "complete"}]


def refused(*codes, identity="1"):
    return [{"id": identity, "type": "error", "payload": list(codes)}]


HELLO = answer({"hello": "Hello, world!"})
LONG = "i" * 256
CONVERSATIONS = {
    # Before and around connection_init.
    "the acknowledgement has no payload": ([INIT], [ACK]),
    "a payload of null is none": ([{**INIT, "payload": None}], [ACK]),
    "what the message has beyond the protocol is not looked at": ([{**INIT, "id": 5, "more": []}], [ACK]),
    "a ping needs no connection": ([{"type": "ping"}], [{"type": "pong"}]),
    "a ping's payload comes back, also an empty one": ([{"type": "ping", "payload": {}}], [{"type": "pong", "payload": {}}]),
    "a pong that nobody asked for is nothing": ([{"type": "pong"}, {"type": "pong", "payload": {"a": 1}}, INIT], [ACK]),
    "the end of what never began is nothing": ([complete("x"), INIT, complete("x")], [ACK]),
    "an operation needs a connection": ([ask("{ hello }")], [4401]),
    # The reference may close the socket for it with 4401: it hears the operation while it still looks at the token.
    "an operation that is sent along with the first message waits for it": ([INIT, ask("{ hello }")], [ACK, *HELLO]),
    "one connection to a socket": ([INIT, INIT], [ACK, 4429]),
    "one connection to a socket, however it is asked for": ([INIT, {**INIT, "payload": {"authorization": "Bearer x"}}], [ACK, 4429]),
    "a token that does not hold": ([{**INIT, "payload": {"authorization": "Bearer x"}}], [4403]),
    "nothing is heard after a close": ([INIT, INIT, ask("{ hello }")], [ACK, 4429]),
    # Operations.
    "a query": ([INIT, ask("{ hello }")], [ACK, *HELLO]),
    "a mutation": ([INIT, ask('mutation { note(text: "x") }')], [ACK, *answer({"note": "x"})]),
    "a subscription": ([INIT, ask("subscription { count(to: 1) }")], [ACK, *answer({"count": 1})]),
    "a subscription without events": ([INIT, ask("subscription { count(to: 0) }")], [ACK, {"id": "1", "type": "complete"}]),
    "members that are null are none": (
        [INIT, ask("{ hello }", variables=None, operationName=None, extensions=None)],
        [ACK, *HELLO],
    ),
    "extensions that nobody knows": ([INIT, ask("{ hello }", extensions={"trace": {"a": [1]}})], [ACK, *HELLO]),
    "variables that nobody declared": ([INIT, ask("{ hello }", variables={"other": 1})], [ACK, *HELLO]),
    "one of several operations": ([INIT, ask("query A { hello } query B { who }", operationName="B")], [ACK, *answer({"who": "nobody"})]),
    "an id of any characters": ([INIT, ask("{ hello }", '"\\\n\u2028é😀')], [ACK, *answer({"hello": "Hello, world!"}, '"\\\n\u2028é😀')]),
    "an id as long as may be": ([INIT, ask("{ hello }", LONG)], [ACK, *answer({"hello": "Hello, world!"}, LONG)]),
    "an id may be used again": ([INIT, ask("{ hello }"), HEAR, HEAR, HEAR, ask("{ hello }")], [ACK, *HELLO, *HELLO]),
    # The reference has no bound, and keeps ids of any size.
    "an id that is too long": ([INIT, ask("{ hello }", LONG + "i")], [ACK, 4400]),
    "an id in use": ([INIT, ask("{ never }"), ask("{ hello }")], [ACK, 4409]),
    "an id in use, whatever the operation": ([INIT, ask("{ never }"), ask("{")], [ACK, 4409]),
    "an id is in use by its text": ([INIT, ask("{ never }", "a"), ask("{ hello }", "A")], [ACK, *answer({"hello": "Hello, world!"}, "A")]),
    "an id is free as soon as the client has completed it": ([INIT, ask("{ never }"), complete(), ask("{ hello }")], [ACK, *HELLO]),
    "what the client has completed is not completed once more": ([INIT, ask("{ never }"), complete()], [ACK]),
    "a completion ends only its own": ([INIT, ask("{ never }", "a"), complete("b"), ask("{ hello }")], [ACK, *HELLO]),
    # What is wrong with an operation ends it with one message, and leaves the socket alone. For the first three the reference ends it.
    "a syntax error": ([INIT, ask("{")], [ACK, *refused("INVALID")]),
    "no document": ([INIT, ask("")], [ACK, *refused("INVALID")]),
    "a document of comments": ([INIT, ask("# nothing")], [ACK, *refused("INVALID")]),
    "fields that do not exist": ([INIT, ask("{ nothing nowhere }")], [ACK, *refused("INVALID", "INVALID")]),
    "an operation that does not exist": ([INIT, ask("query A { hello }", operationName="B")], [ACK, *refused("INVALID")]),
    "several operations and no name": ([INIT, ask("query A { hello } query B { who }")], [ACK, *refused("INVALID")]),
    "a document without operation": ([INIT, ask("fragment F on Query { hello }")], [ACK, *refused("INVALID")]),
    # The reference sends these two as a `next` without data, and completes.
    "a variable that is missing": ([INIT, ask("query($n: String!) { hello(name: $n) }")], [ACK, *refused("INVALID")]),
    "a variable of a wrong type": (
        [INIT, ask("subscription($to: Int!) { count(to: $to) }", variables={"to": "x"})],
        [ACK, *refused("INVALID")],
    ),
    "too many tokens": ([INIT, ask("{" + " hello" * 5_000 + "}")], [ACK, *refused("TOKENS_EXCEEDED")]),
    "an operation after one that was refused": ([INIT, ask("{"), HEAR, HEAR, ask("{ hello }")], [ACK, *refused("INVALID"), *HELLO]),
    # Documents by their hash: what names one needs no `query`. The reference knows none, and closes the socket with 4400.
    "a hash that nobody has sent": ([INIT, by_hash("{ who }")], [ACK, *refused("PERSISTED_QUERY_NOT_FOUND")]),
    "a hash that came with its document before": (
        [INIT, by_hash("{ hello }", query="{ hello }"), HEAR, HEAR, HEAR, by_hash("{ hello }")],
        [ACK, *HELLO, *HELLO],
    ),
    "a hash of something else": ([INIT, by_hash("{ who }", query="{ hello }")], [ACK, *refused("INVALID")]),
    "extensions that name no document": ([INIT, ask(None, extensions={"other": 1})], [ACK, *refused("INVALID")]),
    "an id that names no document": ([INIT, ask(None, documentId="x")], [ACK, *refused("PERSISTED_QUERY_NOT_FOUND")]),
    "neither document nor hash": ([INIT, ask(None)], [ACK, 4400]),
    # Messages of the server's, for which the reference closes the socket with 4500, as for a defect of its own; and of an older protocol.
    **{f"a client sends no `{kind}`": ([INIT, {"type": kind, "id": "1", "payload": []}], [ACK, 4400]) for kind in ("next", "error")},
    **{f"a client sends no `{kind}`": ([INIT, {"type": kind}], [ACK, 4400]) for kind in ("connection_ack", "connection_terminate", "")},
    "the older protocol's start": ([INIT, {"type": "start", "id": "1", "payload": {"query": "{ hello }"}}], [ACK, 4400]),
}


@pytest.fixture
async def limited(settings, clock):
    """The application, with small limits."""
    small = {"max_sockets_per_customer": 2, "max_subscriptions_per_socket": 2, "max_subscriptions_per_customer": 3}
    async with open_runtime(settings.model_copy(update=small), clock=clock) as runtime:
        yield assemble(runtime, STREAMS, make_context=Context)


async def heard_of(app, sent, expected):
    """What comes back, errors as their codes and a close as its code. A pong shows that nothing else was said."""
    closes = isinstance(expected[-1], int)
    heard = []
    async with socket(app) as client:
        try:
            for message in sent:
                if message is HEAR:
                    heard.append(shown(await client.receive()))
                else:
                    client.send(message)
            while len(heard) < len(expected) - closes:
                heard.append(shown(await client.receive()))
            client.send({"type": "ping", "payload": {"is": "the end"}})
            heard.append(await client.receive())
        except ConnectionError:
            heard.append(client.close_code)
    return heard[:-1] if heard[-1] == {"type": "pong", "payload": {"is": "the end"}} else heard


def shown(message):
    if message["type"] != "error":
        return message
    return {**message, "payload": [error["extensions"]["code"] for error in message["payload"]]}


async def test_every_conversation_goes_as_the_protocol_has_it(app):
    heard = {name: await heard_of(app, sent, expected) for name, (sent, expected) in CONVERSATIONS.items()}

    assert heard == {name: expected for name, (_, expected) in CONVERSATIONS.items()}
    assert len(heard) == 54  # As many as docs/protocols.md tells.


@pytest.mark.parametrize(
    ("offered", "spoken"),
    [
        (("graphql-transport-ws",), "graphql-transport-ws"),
        (("graphql-ws", "graphql-transport-ws"), "graphql-transport-ws"),
        (("graphql-ws",), None),
        (("GraphQL-Transport-WS",), None),
        ((), None),
    ],
)
async def test_the_protocol_is_spoken_with_whoever_offers_it(app, offered, spoken):
    async with socket(app, subprotocols=offered) as client:
        assert client.subprotocol == spoken
        if spoken is None:
            assert await client.closed() == (4406, "Subprotocol not acceptable")


async def test_whoever_does_not_begin_within_ten_seconds_is_left(app, clock):
    async with socket(app) as client:
        client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}
        clock.advance(10)

        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_whoever_has_begun_may_stay(app, clock):
    async with open_socket(app) as client:
        clock.advance(1000)
        client.send({"type": "ping"})

        assert await client.receive() == {"type": "pong"}


async def test_a_defect_while_a_socket_opens_closes_it_with_4500_and_a_reference(app, bearer, settings):
    with closing(sqlite3.connect(settings.database_url.removeprefix("sqlite+aiosqlite:///"))) as database:
        database.execute("ALTER TABLE customer RENAME TO lost")
    async with socket(app) as client:
        client.send({**INIT, "payload": {"authorization": bearer("acme")}})

        code, reason = await client.closed()

    assert code == 4500
    assert reason.startswith("Something went wrong inside the gateway. Its operator finds the cause in the log under ")


async def test_while_the_database_is_away_sockets_are_closed_with_1013_for_later(settings, clock, bearer, postgres_server):
    init = {**INIT, "payload": {"authorization": bearer("acme")}}
    async with postgres_server.migrated_database() as direct_url, chaos_proxy(direct_url) as (proxy, url):
        behind = settings.model_copy(update={"database_url": url})
        async with open_runtime(behind, clock=clock) as runtime:
            app = assemble(runtime, SCHEMA, make_context=Context)
            proxy.go_down()
            assert await heard_of(app, [init], [1013]) == [1013]
            proxy.come_back()

            assert await heard_of(app, [init], [ACK]) == [ACK]


async def test_a_customer_has_so_many_sockets_and_no_more(limited, bearer):
    """The one too many is closed with 4429, which no client takes for a reason to try again at once."""
    acme, other = ({"authorization": bearer(customer)} for customer in ("acme", "globex"))
    async with open_socket(limited, payload=acme), open_socket(limited, payload=other), open_socket(limited):
        async with open_socket(limited, payload=acme), socket(limited) as third:
            third.send({**INIT, "payload": acme})

            assert await third.closed() == (4429, "You have 2 sockets open, as many as you may. Close some, then try again.")
        # One of the customer's has closed.
        async with open_socket(limited, payload=acme):
            pass


async def test_a_customer_has_so_many_subscriptions_on_sockets_and_streams_together(limited, bearer):
    fresh_log()
    token = {"authorization": bearer("acme")}
    too_many = {
        "message": "You have 3 subscriptions open, as many as you may. Close some, then try again.",
        "extensions": {"code": "SUBSCRIPTIONS_EXCEEDED"},
    }
    async with open_socket(limited, payload=token) as one, open_socket(limited, payload=token) as two:
        one.send(ask(CHANGES, "a"))
        one.send(ask(CHANGES, "b"))
        await asyncio.sleep(0.01)
        async with events(limited, CHANGES, headers=token) as three:
            await asyncio.sleep(0.01)
            assert await two.ask(CHANGES) == [{"id": "1", "type": "error", "payload": [too_many]}]
            async with events(limited, CHANGES, headers=token) as four:
                assert (await four.event())["data"] == {"errors": [too_many]}
                assert await four.chunk() == "event: complete\ndata: \n\n"
            # Queries are no subscriptions, and another customer has places of their own.
            assert (await two.ask("{ hello }"))[0]["payload"] == {"data": {"hello": "Hello, world!"}}
            async with open_socket(limited, payload={"authorization": bearer("globex")}) as other:
                assert (await other.ask("subscription { numbers(to: 1) }"))[0]["payload"] == {"data": {"numbers": 1}}
            one.send(complete("a"))
            await asyncio.sleep(0.01)
            assert (await two.ask("subscription { numbers(to: 1) }"))[0]["payload"] == {"data": {"numbers": 1}}
        assert three.status == 200


async def test_a_socket_runs_so_many_operations_at_once(limited):
    async with open_socket(limited) as client:
        for identity in "ab":
            client.send(ask("{ never }", identity))
        (refusal,) = await client.ask("{ hello }")
        client.send(complete("a"))

        assert refusal["payload"] == [
            {
                "message": "This socket runs 2 operations, as many as it may. Wait until some have ended.",
                "extensions": {"code": "OPERATIONS_EXCEEDED"},
            }
        ]
        assert (await client.ask("{ hello }"))[0]["payload"] == {"data": {"hello": "Hello, world!"}}


async def test_whoever_begins_and_ends_operations_without_a_pause_has_no_more_under_way_than_they_may(limited, bearer):
    log, most = fresh_log(), 0
    async with open_socket(limited, payload={"authorization": bearer("acme")}) as client:
        for number in range(300):
            client.send(ask(CHANGES, str(number)))
            if number % 3 == 0:
                await asyncio.sleep(0)
            client.send(complete(str(number)))
            most = max(most, log.sources)
        answers = await client.ask("{ hello }")

        assert answers == HELLO
        assert log.sources == 0
    assert most <= 3


async def test_nobody_who_came_once_is_remembered(limited, bearer):
    view = next(route.app for route in limited.routes if route.path == "/graphql")
    async with open_socket(limited, payload={"authorization": bearer("acme")}) as client:
        await client.ask("subscription { numbers(to: 1) }")
        assert (len(view.sockets), len(view.subscriptions.open)) == (1, 0)

    assert (len(view.sockets), view.sockets._held) == (0, {})
