"""From a webhook to an event: what is recorded is what the app has, once, whatever comes in and in whatever order."""

import json

import pytest

from gateway.errors import UpstreamRejectedError, UpstreamUnavailableError
from gateway.models import TaskKind, WebhookDelivery
from gateway.services import webhook_deliveries
from tests.webhooks.sending import thin


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


async def test_a_change_is_told_as_soon_as_the_app_sends_it(world, followed):
    world.app.put("r4", {"n": 4})
    world.app.put("r1", {"n": 10})
    world.app.remove("r2")

    answer = await followed.send(thin("CREATED", "r4"), thin("UPDATED", "r1"), thin("DELETED", "r2"))

    assert (answer.status_code, answer.content) == (200, b"")
    assert await world.told() == []
    assert await world.work() == [TaskKind.INBOX]
    assert await world.told() == [("CREATED", "r4", "WEBHOOK"), ("UPDATED", "r1", "WEBHOOK"), ("DELETED", "r2", "WEBHOOK")]
    assert world.app.requests == ["records_by_ids"]
    assert await world.snapshot() == world.app.truth


async def test_a_pull_tells_what_a_webhook_told_not_again(world, followed):
    world.app.put("r1", {"n": 10})
    await followed.send(thin("UPDATED", "r1"))
    await world.work()

    await world.advance_and_work()

    assert await world.told() == [("UPDATED", "r1", "WEBHOOK")]


async def test_a_pull_tells_of_what_was_lost_on_the_way(world, followed):
    world.app.put("r1", {"n": 10})

    await world.advance_and_work()

    assert await world.told() == [("UPDATED", "r1", "DELTA")]


async def test_a_webhook_that_comes_late_finds_what_was_told_already(world, followed):
    world.app.put("r1", {"n": 10})
    late = followed.whole("UPDATED", "r1")
    world.app.put("r1", {"n": 11})
    await world.advance_and_work()

    await followed.send(late)
    await world.work()

    assert await world.told() == [("UPDATED", "r1", "DELTA")]
    assert await world.snapshot() == world.app.truth


async def test_a_record_that_is_newer_than_the_known_one_is_taken_as_it_comes(world, followed):
    world.clock.advance(1)
    world.app.put("r1", {"n": 10})

    await followed.send(followed.whole("UPDATED", "r1"))
    await world.work()

    assert await world.told() == [("UPDATED", "r1", "WEBHOOK")]
    assert world.app.requests == []


@pytest.mark.parametrize("advance", [0, -1])
async def test_a_record_that_is_not_newer_is_read_from_the_app(world, followed, advance):
    hint = followed.whole("UPDATED", "r1") | {"fields": {"n": "never"}}
    world.clock.advance(1)
    world.app.put("r1", {"n": 10})

    await followed.send(hint)
    await world.work()

    assert world.app.requests == ["records_by_ids"]
    assert await world.snapshot() == world.app.truth


async def test_webhooks_that_overtake_each_other_leave_what_the_app_has(world, followed):
    world.clock.advance(1)
    world.app.put("r1", {"n": 10})
    first = followed.whole("UPDATED", "r1")
    world.clock.advance(1)
    world.app.put("r1", {"n": 11})
    second = followed.whole("UPDATED", "r1")

    for hint in (second, first):
        await followed.send(hint)
    await world.work()

    assert [event.type.value for event in await world.events()] == ["UPDATED"]
    assert await world.snapshot() == world.app.truth


async def test_a_deletion_of_a_record_that_is_there_is_not_believed(world, followed):
    await followed.send(thin("DELETED", "r1"))
    await world.work()

    assert await world.told() == []
    assert await world.snapshot() == world.app.truth


async def test_a_record_that_was_created_and_is_gone_leaves_no_trace(world, followed):
    world.app.put("r9", {"n": 9})
    hint = followed.whole("CREATED", "r9")
    world.app.remove("r9")

    await followed.send(hint)
    await world.work()

    assert await world.told() == []
    assert await world.snapshot() == world.app.truth


async def test_one_delivery_that_comes_twice_is_kept_once(world, followed):
    world.app.put("r1", {"n": 10})

    answers = [await followed.send(thin("UPDATED", "r1"), key="k") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(await followed.inbox()) == 1
    await world.work()
    await followed.send(thin("UPDATED", "r1"), key="k")

    assert await world.work() == []
    [row] = await followed.inbox()
    assert (row.delivery, row.processed_at is not None) == (None, True)


async def test_equal_deliveries_without_a_key_are_worked_through_each(world, followed):
    for number in range(2):
        world.app.put("r1", {"n": 10 + number})
        await followed.send(thin("UPDATED", "r1"))
        await world.work()

    assert await world.told() == [("UPDATED", "r1", "WEBHOOK")] * 2
    assert await followed.inbox() == []


async def test_what_is_kept_of_a_delivery_is_sealed(world, followed):
    await followed.send(thin("UPDATED", "r1"), key="nobody-reads-this")

    [row] = await followed.inbox()

    assert row.delivery is not None
    for plain in (b"hints", b"nobody-reads-this", followed.target.secret.encode()):
        assert plain not in row.delivery
    assert "nobody-reads-this" not in row.dedupe_key


async def test_what_comes_before_the_baseline_waits_for_it(world, sender):
    await world.subscribe()
    await world.work([TaskKind.SETUP])
    world.app.put("r1", {"n": 10})
    await sender.send(thin("UPDATED", "r1"))
    assert await world.work([TaskKind.INBOX]) == [TaskKind.INBOX]
    assert [row.processed_at for row in await sender.inbox()] == [None]

    await world.work()

    assert await world.told() == []
    assert await sender.inbox() == []
    assert await world.snapshot() == world.app.truth


async def test_a_webhook_that_comes_while_others_are_worked_through_is_not_swallowed(world, followed):
    async def send_another():
        world.app.put("r2", {"n": 20})
        await followed.send(thin("UPDATED", "r2"))

    world.app.put("r1", {"n": 10})
    world.app.meanwhile.append(send_another)
    await followed.send(thin("UPDATED", "r1"))

    await world.work()

    assert [event.record_id for event in await world.events()] == ["r1", "r2"]
    assert await followed.inbox() == []


async def test_a_record_that_a_pull_finds_changed_meanwhile_is_read_again(world, followed):
    async def change_and_pull():
        world.app.put("r1", {"n": 11})
        world.clock.advance(400)
        assert TaskKind.PULL in await world.work([TaskKind.PULL])

    world.app.put("r1", {"n": 10})
    world.app.meanwhile.append(change_and_pull)
    await followed.send(thin("UPDATED", "r1"))
    await world.work([TaskKind.INBOX])

    assert await world.snapshot() == world.app.truth
    assert [event.type.value for event in await world.events()] == ["UPDATED"]


async def test_while_the_app_does_not_answer_nothing_is_lost(world, followed):
    world.app.put("r1", {"n": 10})
    world.app.failures.append(UpstreamUnavailableError("The app is down.", may_have_been_received=False))
    await followed.send(thin("UPDATED", "r1"))

    await world.work([TaskKind.INBOX])
    assert await world.told() == []
    assert (await world.task(TaskKind.INBOX)).error == {"code": "UPSTREAM_UNAVAILABLE", "message": "The app is down."}
    world.clock.advance(1000)
    await world.work([TaskKind.INBOX])

    assert await world.told() == [("UPDATED", "r1", "WEBHOOK")]


async def test_a_record_that_the_app_refuses_does_not_hold_up_the_others(world, followed):
    world.app.put("r1", {"n": 10})
    world.app.failures.append(UpstreamRejectedError("No.", status=400))
    await followed.send(thin("UPDATED", "r1"))

    assert await world.work() == [TaskKind.INBOX, TaskKind.PULL]

    assert await world.told() == [("UPDATED", "r1", "DELTA")]
    assert await followed.inbox() == []


@pytest.mark.parametrize("record_id", ["x" * 1001, "a\x00b", "\ud800", "é" * 1000], ids=["long", "nul", "surrogate", "long in bytes"])
async def test_an_id_that_cannot_be_one_is_not_asked_for(world, followed, record_id):
    await followed.send(thin("UPDATED", record_id))
    await world.work()

    assert world.app.requests == []
    assert await world.told() == []


async def test_many_records_are_asked_for_in_as_few_requests_as_the_app_allows(world, followed):
    for number in range(45):
        world.app.put(f"n{number:02}", {"n": number})
        await followed.send(thin("CREATED", f"n{number:02}"))

    await world.work()

    assert world.app.requests == ["records_by_ids"] * 3
    assert [event.record_id for event in await world.events()] == [f"n{number:02}" for number in range(45)]


async def test_large_deliveries_are_worked_through_in_parts(world, followed):
    token, secret = followed.target.url.rpartition("/")[2], followed.target.secret
    receiver = await webhook_deliveries.receiver_of(world.runtime, token)
    for number in range(4):
        world.app.put(f"n{number}", {"n": number})
        body = json.dumps({"hints": [thin("CREATED", f"n{number}")], "pad": "x" * 600_000}).encode()
        delivery = WebhookDelivery(headers={"x-secret": secret}, query={}, body=body, received_at=world.clock.now())
        await webhook_deliveries.receive(world.runtime, receiver, delivery)

    await world.work()

    assert world.app.requests == ["records_by_ids"] * 4
    assert [event.record_id for event in await world.events()] == [f"n{number}" for number in range(4)]
    assert await followed.inbox() == []


class TestAnAppThatFindsNothingById:
    @pytest.fixture(autouse=True)
    def finds_nothing(self, connector):
        connector.app.finds_by_id = False

    async def test_is_believed(self, world, followed):
        world.app.put("r1", {"n": 10})
        world.app.remove("r2")

        await followed.send(followed.whole("UPDATED", "r1"), thin("DELETED", "r2"))
        await world.work()

        assert await world.told() == [("UPDATED", "r1", "WEBHOOK"), ("DELETED", "r2", "WEBHOOK")]
        assert world.app.requests == []

    async def test_is_not_believed_where_it_tells_of_older_times(self, world, followed):
        world.clock.advance(10)
        world.app.put("r1", {"n": 10})
        older = followed.whole("UPDATED", "r1") | {"fields": {"n": 5}, "at": "2025-12-31T00:00:00+00:00"}
        newer = followed.whole("UPDATED", "r1")

        await followed.send(newer, older)
        await world.work()
        await followed.send(older)
        await world.work()

        assert await world.told() == [("UPDATED", "r1", "WEBHOOK")]
        assert await world.snapshot() == world.app.truth

    async def test_is_not_believed_where_somebody_has_looked_since_it_sent(self, world, followed):
        world.app.put("r1", {"n": 10})
        late = {"type": "UPDATED", "id": "r1", "fields": {"n": 10}}
        await followed.send(late)
        world.app.put("r1", {"n": 11})
        world.clock.advance(400)
        await world.work([TaskKind.PULL])

        assert await world.work() == [TaskKind.INBOX, TaskKind.PULL]
        assert await world.told() == [("UPDATED", "r1", "DELTA")]
        assert await world.snapshot() == world.app.truth

    async def test_is_as_old_as_the_first_of_several_that_wait(self, world, followed):
        late = {"type": "UPDATED", "id": "r1", "fields": {"n": 10}}
        await followed.send(late)
        world.app.put("r1", {"n": 11})
        world.clock.advance(400)
        await world.work([TaskKind.PULL])
        await followed.send(late)
        await world.work()

        assert await world.told() == [("UPDATED", "r1", "DELTA")]
        assert await world.snapshot() == world.app.truth

    async def test_is_not_believed_where_the_baseline_was_taken_since_it_sent(self, world, sender):
        await world.subscribe()
        await world.work([TaskKind.SETUP])
        await sender.send({"type": "UPDATED", "id": "r1", "fields": {"n": "before"}})
        await world.work()

        assert await world.told() == []
        assert await world.snapshot() == world.app.truth

    @pytest.mark.parametrize("are_together", [True, False])
    async def test_a_late_change_brings_no_record_back(self, world, followed, are_together):
        world.app.put("r1", {"n": 10})
        late = followed.whole("UPDATED", "r1")
        world.app.remove("r1")
        await followed.send(thin("DELETED", "r1"))
        if not are_together:
            await world.work()
        await followed.send(late, late)
        await world.work()

        assert [(event.type.value, event.record_id) for event in await world.events()] == [("DELETED", "r1")]
        assert await world.snapshot() == world.app.truth

    async def test_a_record_that_was_made_anew_is_pulled(self, world, followed):
        world.app.remove("r1")
        await followed.send(thin("DELETED", "r1"))
        await world.work()
        world.app.put("r1", {"n": 12})
        await followed.send(followed.whole("CREATED", "r1"))
        await world.work()

        assert await world.told() == [("DELETED", "r1", "WEBHOOK"), ("CREATED", "r1", "DELTA")]

    async def test_is_pulled_when_the_last_it_sends_is_only_an_id(self, world, followed):
        world.app.put("r1", {"n": 10})
        first = followed.whole("UPDATED", "r1")
        world.app.put("r1", {"n": 11})
        await followed.send(first, thin("UPDATED", "r1"))
        await world.work()

        assert await world.told() == [("UPDATED", "r1", "DELTA")]
        assert await world.snapshot() == world.app.truth

    async def test_is_pulled_when_it_sends_only_ids(self, world, followed):
        world.app.put("r1", {"n": 10})

        await followed.send(thin("UPDATED", "r1"))

        assert await world.work() == [TaskKind.INBOX, TaskKind.PULL]
        assert await world.told() == [("UPDATED", "r1", "DELTA")]


async def test_nobody_who_is_interested_leaves_nothing_waiting(world, followed):
    target = followed.target
    await followed.send(thin("UPDATED", "r1"), key="k")
    await world.unsubscribe()

    await world.work()

    assert await followed.inbox() == []
    assert (await followed.send(thin("UPDATED", "r1"), target=target)).status_code == 404


async def test_what_came_in_for_another_collection_says_nothing(world, followed):
    first = followed.target
    await world.point_at("b")
    await followed.send(thin("DELETED", "r1"))
    await world.work()

    assert await world.told() == []
    assert followed.connector.told == ["register /data/items", "remove 1", "register /data/items?box=b"]
    assert (await followed.send(thin("UPDATED", "r1"), target=first)).status_code == 404
    assert (await followed.send(thin("UPDATED", "r1"))).status_code == 200
