"""Whatever is sent over a socket: it is answered, or the socket is closed with a code of the protocol."""

import json
import random
from collections import Counter

import structlog

from tests.web.serving import socket

KINDS = ("connection_init", "subscribe", "complete", "ping", "pong")
OTHER_KINDS = ("next", "error", "connection_ack", "stop", "", None, 5, [], {})
DOCUMENTS = (
    "{ hello }",
    "{",
    "",
    "{ nothing }",
    "{ never }",
    "{ surrogate }",
    'mutation { note(text: "x") }',
    "subscription { count(to: 2) }",
    None,
    5,
    [],
)
ODD = (None, True, 0, -1, 1e308, 10**30, "", "x", "\0", "😀", "\ud83d", [], {}, [1], {"a": [{}]}, "i" * 300)
PERSISTED = (
    None,
    5,
    [],
    {},
    {"version": 1, "sha256Hash": "x"},
    {"version": 2, "sha256Hash": "0" * 64},
    {"version": 1, "sha256Hash": "0" * 64},
)
MEMBERS = {
    "variables": ODD,
    "operationName": ODD,
    "extensions": (*ODD, *({"persistedQuery": value} for value in PERSISTED)),
    "documentId": ODD,
    "authorization": (*ODD, "Bearer", "Bearer x"),
}
CODES = {4400, 4401, 4403, 4409, 4429}
CONVERSATIONS = 1_000


def message_of(chance):
    """A message that is nearly right most of the time."""
    if chance.random() < 0.03:
        return chance.choice(ODD)
    message = {"type": chance.choice(KINDS if chance.random() < 0.9 else OTHER_KINDS)}
    if chance.random() < 0.95:
        message["id"] = chance.choice("123" if chance.random() < 0.95 else ODD)
    if chance.random() < 0.9:
        members = chance.sample(sorted(MEMBERS), chance.choice((0, 0, 0, 1, 2)))
        payload = {"query": chance.choice(DOCUMENTS), **{name: chance.choice(MEMBERS[name]) for name in members}}
        message["payload"] = payload if chance.random() < 0.95 else chance.choice(ODD)
    return message


def frame_of(chance):
    text = json.dumps(message_of(chance))
    if chance.random() < 0.03:
        return {"text": text[: chance.randrange(len(text))]}
    return {"bytes": text.encode()} if chance.random() < 0.01 else {"text": text}


async def ending_of(app, chance):
    """How a conversation of noise ends: with a code, or with a socket that still answers."""
    async with socket(app) as client:
        if chance.random() < 0.9:
            client.send({"type": "connection_init", "payload": chance.choice((None, None, None, {}, {"authorization": "Bearer x"}))})
        for _ in range(chance.randrange(1, 8)):
            client.send_raw(**frame_of(chance))
        client.send({"type": "ping", "payload": {"is": "the end"}})
        try:
            while await client.receive() != {"type": "pong", "payload": {"is": "the end"}}:
                pass
        except ConnectionError:
            return client.close_code
    return "open"


async def test_noise_is_answered_or_closes_the_socket_with_a_code_of_the_protocol(app):
    with structlog.testing.capture_logs() as logged:
        endings = Counter([await ending_of(app, random.Random(seed)) for seed in range(CONVERSATIONS)])

    assert set(endings) == {"open", *CODES}
    assert [entry for entry in logged if entry["log_level"] not in ("info", "debug")] == []
