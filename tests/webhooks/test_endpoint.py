"""The address that apps send to: what it takes, and what it tells whom."""

import io
import json
import logging
from datetime import timedelta

import pytest

from gateway.models import WebhookInbox
from gateway.models.principal import SYSTEM
from gateway.services import connections, data_source_instances, webhook_deliveries
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector
from gateway.sync import inbox
from gateway.web.logging import configure_logging
from tests.webhooks.sending import PUBLIC_URL, thin

UNKNOWN = {"errors": [{"message": "There is no such webhook.", "extensions": {"code": "NOT_FOUND"}}]}


@pytest.mark.parametrize("token", ["a", "A" * 43, "%00", "%F0%9F%98%80", "x" * 5000, "null", "%ED%A0%80"])
async def test_every_unknown_address_is_answered_alike(followed, token):
    answer = await followed.http.post(f"/webhooks/{token}", content=b"x" * 100)

    assert (answer.status_code, answer.json()) == (404, UNKNOWN)


async def test_a_path_below_an_address_is_none(followed):
    path = followed.target.url.removeprefix(PUBLIC_URL)

    assert [(await followed.http.post(each)).status_code for each in ("/webhooks", "/webhooks/", f"{path}/", f"{path}/x")] == [404] * 4


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_only_post_is_taken(followed, method):
    answer = await followed.http.request(method, followed.target.url.removeprefix(PUBLIC_URL))

    assert answer.status_code == 405


async def test_who_does_not_know_the_secret_is_refused(followed):
    answer = await followed.post(b'{"hints": []}', x_secret="wrong")

    assert answer.status_code == 401
    assert answer.json()["errors"][0] == {
        "message": "The webhook does not prove that it comes from the app.",
        "extensions": {"code": "ACCESS_DENIED"},
    }
    assert await followed.inbox() == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"hints": 5}', b'{"hints": [{}]}', b"[" * 4000, b"\x00" * 4000])
async def test_what_cannot_be_read_is_refused_and_not_kept(followed, content):
    answer = await followed.post(content)

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "INVALID")
    assert await followed.inbox() == []


async def test_a_body_that_is_too_large_is_refused(followed):
    kept = json.dumps({"hints": [], "pad": "x" * 4000}).encode()
    answers = [(await followed.post(content)).status_code for content in (kept, kept + b" " * 1000, b" " * 10_000_000)]

    assert answers == [200, 413, 413]


async def test_a_body_of_no_announced_length_is_not_read_beyond_the_limit(followed):
    sent = []

    async def endless():
        for number in range(1000):
            sent.append(number)
            yield b" " * 1024

    path = followed.target.url.removeprefix(PUBLIC_URL)
    answer = await followed.http.post(path, content=endless(), headers={"x-secret": followed.target.secret})

    assert answer.status_code == 413


async def test_a_header_that_comes_twice_is_both(followed):
    path, secret = followed.target.url.removeprefix(PUBLIC_URL), followed.target.secret
    answers = [await followed.http.post(path, content=b"{}", headers=[("x-secret", secret)] * count) for count in (1, 2)]

    assert [answer.status_code for answer in answers] == [200, 401]


async def test_a_handshake_is_answered_and_keeps_nothing(followed):
    answer = await followed.post(b'{"challenge": "c"}')

    assert (answer.status_code, answer.content, answer.headers["x-echo"]) == (200, b"c", "1")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert await followed.inbox() == []


async def test_what_says_nothing_is_taken_and_not_kept(followed):
    assert (await followed.send()).status_code == 200
    assert await followed.inbox() == []


async def test_when_too_many_wait_others_are_sent_away_for_a_while(followed):
    [webhook] = await followed.webhooks()
    async with followed.world.runtime.database.write(SYSTEM) as session:
        owner = {"webhook_id": webhook.id, "instance_id": webhook.instance_id, "received_at": webhook.created_at}
        session.add_all([WebhookInbox(**owner, dedupe_key=str(number)) for number in range(webhook_deliveries.MOST_WAITING - 1)])
    answers = [await followed.send(thin("UPDATED", "r1")) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 503, 503]
    assert answers[1].headers["retry-after"] == "60"
    assert len(await followed.inbox()) == webhook_deliveries.MOST_WAITING
    await followed.world.work()
    assert (await followed.send(thin("UPDATED", "r1"))).status_code == 200


async def test_what_is_archived_is_not_sent_to(world, followed):
    await data_source_instances.archive(world.runtime, world.customer, by=DataSourceInstanceSelector(id=world.id))

    assert (await followed.send(thin("UPDATED", "r1"))).json() == UNKNOWN


async def test_a_connection_that_is_archived_is_not_sent_to(world, followed):
    await connections.archive(world.runtime, world.customer, by=ConnectionSelector(id=world.instance.connection_id))

    assert (await followed.send(thin("UPDATED", "r1"))).json() == UNKNOWN


async def test_the_log_tells_of_webhooks_and_of_no_secret(followed):
    stream = io.StringIO()
    configure_logging(level=logging.INFO, stream=stream)
    hint = {**thin("UPDATED", "r1"), "fields": {"n": "personal"}}
    await followed.send(hint, key="nobody-reads-this")
    await followed.post(b"{", x_more="more-than-anybody-reads")
    await followed.post(b"{}", x_secret="wrong-and-perhaps-a-password")

    lines = [json.loads(line) for line in stream.getvalue().splitlines() if "webhook" in line]
    told = [(line["event"], line.get("status"), line.get("code")) for line in lines]
    assert told == [("webhook", 200, None), ("webhook_refused", None, "INVALID"), ("webhook_refused", None, "ACCESS_DENIED")]
    assert {line["instance_id"] for line in lines} == {str(followed.world.id)}
    token = followed.target.url.rpartition("/")[2]
    for secret in (token, followed.target.secret, "nobody-reads-this", "personal", "wrong-and", "more-than"):
        assert secret not in stream.getvalue()


async def test_what_came_in_long_ago_is_forgotten(world, followed, clock):
    await followed.send(thin("UPDATED", "r1"), key="old")
    await world.work()
    clock.advance(timedelta(days=8).total_seconds() - 60)
    await followed.send(thin("UPDATED", "r1"), key="new")
    await inbox.forget(world.runtime)
    assert len(await followed.inbox()) == 2

    clock.advance(120)
    await inbox.forget(world.runtime)

    [left] = await followed.inbox()
    assert left.processed_at is None
