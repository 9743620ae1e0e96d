"""GraphQL over WebSocket: the graphql-transport-ws protocol, and who a socket belongs to."""

import asyncio
from datetime import timedelta

import pytest

from gateway.web.bodies import encode_json
from tests.web.serving import NOTES, open_socket, socket


async def test_a_query_over_a_socket_is_answered_and_completed(app):
    async with open_socket(app) as client:
        assert client.subprotocol == "graphql-transport-ws"
        assert await client.ask("query Greet($name: String!) { hello(name: $name) }", variables={"name": "Ada"}) == [
            {"id": "1", "type": "next", "payload": {"data": {"hello": "Hello, Ada!"}}},
            {"id": "1", "type": "complete"},
        ]


async def test_a_subscription_streams_until_it_ends(app):
    async with open_socket(app) as client:
        answers = await client.ask("subscription { count(to: 3) }")

    assert [answer.get("payload", {}).get("data") for answer in answers] == [{"count": 1}, {"count": 2}, {"count": 3}, None]


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
async def test_the_token_comes_with_connection_init(app, bearer, name):
    async with open_socket(app, payload={name: bearer(is_admin=True)}) as client:
        assert (await client.ask("{ who }"))[0]["payload"] == {"data": {"who": "admin"}}


async def test_the_token_may_come_with_the_handshake_from_clients_that_can_set_headers(app, bearer):
    async with socket(app, headers={"authorization": bearer(is_admin=True)}) as client:
        client.send({"type": "connection_init"})
        assert await client.receive() == {"type": "connection_ack"}
        assert (await client.ask("{ who }"))[0]["payload"] == {"data": {"who": "admin"}}


@pytest.mark.parametrize("payload", [None, {}, {"authorization": ""}, {"authorization": None}, {"other": 1}])
async def test_without_a_token_a_socket_is_nobodys(app, payload):
    async with open_socket(app, payload=payload) as client:
        assert (await client.ask("{ who }"))[0]["payload"] == {"data": {"who": "nobody"}}


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("Bearer made.up.token", "The token is not one that this gateway signed."),
        ("token", "The Authorization header must read `Bearer <token>`."),
        (5, "The Authorization header must read `Bearer <token>`."),
    ],
)
async def test_a_bad_token_closes_the_socket_with_4403(app, authorization, reason):
    async with socket(app) as client:
        client.send({"type": "connection_init", "payload": {"authorization": authorization}})

        code, told = await client.closed()

    assert code == 4403
    assert told.startswith(reason)
    assert len(told.encode()) <= 123


async def test_the_socket_is_closed_with_4403_when_its_token_expires(app, bearer, clock):
    async with open_socket(app, payload={"authorization": bearer("acme", expires_in=timedelta(minutes=5))}) as client:
        client.send({"type": "subscribe", "id": "busy", "payload": {"query": "{ never }"}})
        await asyncio.sleep(0)
        clock.advance(299)
        assert (await client.ask("{ hello }"))[0]["payload"] == {"data": {"hello": "Hello, world!"}}
        clock.advance(1)

        assert await client.closed() == (4403, "The token expired. Connect again with a new one.")


async def test_nothing_is_done_for_a_token_that_has_expired_even_if_the_client_goes_on(app, bearer, clock):
    NOTES.clear()
    async with open_socket(app, payload={"authorization": bearer("acme", expires_in=timedelta(minutes=5))}) as client:
        clock.advance(300)
        assert (await client._from_app.get())["type"] == "websocket.close"

        client.send({"type": "subscribe", "id": "late", "payload": {"query": 'mutation { note(text: "late") }'}})
        await asyncio.sleep(0.05)

    assert NOTES == []


async def test_a_socket_that_closed_waits_for_no_token_to_expire(app, bearer):
    def waiting() -> list[str]:
        return [task.get_name() for task in asyncio.all_tasks() if "_close_at" in repr(task.get_coro())]

    async with open_socket(app, payload={"authorization": bearer("acme", expires_in=timedelta(minutes=5))}):
        assert len(waiting()) == 1
    await asyncio.sleep(0)

    assert waiting() == []


async def test_an_operation_before_connection_init_closes_the_socket_with_4401(app):
    async with socket(app) as client:
        client.send({"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}})

        assert await client.closed() == (4401, "Unauthorized")


async def test_a_second_connection_init_closes_the_socket_with_4429(app):
    async with open_socket(app) as client:
        client.send({"type": "connection_init"})

        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_an_id_in_use_closes_the_socket_with_4409(app):
    async with open_socket(app) as client:
        for _ in range(2):
            client.send({"type": "subscribe", "id": "1", "payload": {"query": "{ never }"}})

        assert await client.closed() == (4409, "Subscriber for 1 already exists")


async def test_an_unknown_subprotocol_closes_the_socket_with_4406(app):
    async with socket(app, subprotocols=("graphql-ws",)) as client:
        assert await client.closed() == (4406, "Subprotocol not acceptable")


ODD = {
    "no JSON": "{",
    "NaN": '{"type": NaN}',
    "deep nesting": "[" * 2000,
    "a list": "[]",
    "null": "null",
    "a number": "5",
    "a text": '"ping"',
    "no type": "{}",
    "a type that is no text": '{"type": 5}',
    "an unknown type": '{"type": "stop"}',
    "a ping with a list": '{"type": "ping", "payload": []}',
    "an init with a text": '{"type": "connection_init", "payload": "Bearer x"}',
    "no id": '{"type": "subscribe", "payload": {"query": "{ hello }"}}',
    "an id that is no text": '{"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}}',
    "an id that is an object": '{"type": "subscribe", "id": {}, "payload": {"query": "{ hello }"}}',
    "an empty id": '{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}',
    "no payload": '{"type": "subscribe", "id": "1"}',
    "a payload that is a list": '{"type": "subscribe", "id": "1", "payload": []}',
    "no query": '{"type": "subscribe", "id": "1", "payload": {}}',
    "a query that is no text": '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
    "variables that are no object": '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": []}}',
    "a complete without an id": '{"type": "complete"}',
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
async def test_an_odd_message_closes_the_socket_with_4400_and_a_reason(app, text):
    async with open_socket(app) as client:
        client.send_raw(text=text)

        code, reason = await client.closed()

    assert code == 4400
    assert reason


@pytest.mark.parametrize("frame", [{"bytes": b"{}"}, {"bytes": b"{}", "text": None}])
async def test_a_binary_frame_closes_the_socket_with_4400(app, frame):
    async with open_socket(app) as client:
        client.send_raw(**frame)

        assert await client.closed() == (4400, "WebSocket message type must be text")


@pytest.mark.parametrize("query", ["{", "{ nothing }", "query($a: Int!) { hello }"])
async def test_an_operation_that_cannot_be_executed_leaves_the_others_alone(app, query):
    async with open_socket(app) as client:
        client.send({"type": "subscribe", "id": "busy", "payload": {"query": "{ never }"}})
        (answer,) = [message for message in await client.ask(query) if message["type"] != "complete"]
        errors = answer["payload"] if answer["type"] == "error" else answer["payload"]["errors"]

        assert {error["extensions"]["code"] for error in errors} == {"INVALID"}
        assert (await client.ask("{ hello }"))[0]["payload"] == {"data": {"hello": "Hello, world!"}}


async def test_an_unknown_operation_name_is_that_operations_error(app):
    async with open_socket(app) as client:
        (answer,) = await client.ask("query A { hello }", operationName="B")

    assert answer["type"] == "error"
    assert answer["payload"] == [{"message": "The document has no operation named 'B'.", "extensions": {"code": "INVALID"}}]


async def test_a_field_that_fails_is_told_with_the_rest_of_the_answer(app):
    async with open_socket(app) as client:
        answer, _ = await client.ask("{ hello missing }")

    assert answer["payload"]["data"] == {"hello": "Hello, world!", "missing": None}
    assert [error["path"] for error in answer["payload"]["errors"]] == [["missing"]]


async def test_a_completed_operation_stops_and_its_id_is_free_again(app):
    async with open_socket(app) as client:
        client.send({"type": "subscribe", "id": "1", "payload": {"query": "{ never }"}})
        client.send({"type": "complete", "id": "1"})

        assert (await client.ask("{ hello }"))[0]["payload"] == {"data": {"hello": "Hello, world!"}}


async def test_operations_on_one_socket_share_no_context(app):
    async with open_socket(app) as client:
        assert [(await client.ask("{ uses }"))[0]["payload"]["data"] for _ in range(3)] == [{"uses": 1}] * 3


async def test_the_hundred_and_first_operation_at_once_is_refused_and_the_socket_stays(app):
    async with open_socket(app) as client:
        for number in range(100):
            client.send({"type": "subscribe", "id": f"busy {number}", "payload": {"query": "{ never }"}})

        assert await client.ask("{ hello }") == [
            {
                "id": "1",
                "type": "error",
                "payload": [
                    {
                        "message": "This socket runs 100 operations, as many as it may. Wait until some have ended.",
                        "extensions": {"code": "OPERATIONS_EXCEEDED"},
                    }
                ],
            }
        ]


@pytest.mark.parametrize("payload", [None, {"at": 5}])
async def test_a_ping_is_answered_with_its_payload(app, payload):
    extra = {} if payload is None else {"payload": payload}

    async with open_socket(app) as client:
        client.send({"type": "ping", **extra})

        assert await client.receive() == {"type": "pong", **extra}


async def test_integers_of_any_size_pass_over_a_socket(app):
    number = 123456789012345678901234567890

    async with open_socket(app) as client:
        answer, _ = await client.ask("query($v: JSON!) { echo(value: $v) }", variables={"v": number})

    assert answer["payload"]["data"] == {"echo": number}
    assert encode_json(number) == b"123456789012345678901234567890"


@pytest.mark.parametrize(
    ("origin", "opens"),
    [
        (None, True),
        ("http://gateway.test", True),
        ("https://product.example", True),
        ("https://evil.example", False),
        ("https://product.example.evil.example", False),
        ("null", False),
    ],
)
async def test_a_page_of_a_foreign_origin_cannot_open_a_socket(app, origin, opens):
    async with socket(app, headers={} if origin is None else {"origin": origin}) as client:
        assert (client.subprotocol == "graphql-transport-ws") is opens
        assert client.close_code == (None if opens else 1008)
        if opens:
            client.send({"type": "connection_init"})
            assert await client.receive() == {"type": "connection_ack"}
