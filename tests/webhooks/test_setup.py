"""Telling apps to send: on the first interest, anew before it ends, and no more when nobody is interested."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import UpstreamRejectedError, UpstreamUnavailableError
from gateway.events.webhook_addresses import hash_of
from gateway.models import ChangeType, TaskKind
from gateway.services import connections, data_source_instances, webhook_urls
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector
from tests.webhooks.sending import PUBLIC_URL, WEBHOOK, thin


async def test_the_app_is_told_before_the_baseline_is_taken(world, sender):
    await world.subscribe()
    await world.work([TaskKind.SETUP])

    assert sender.connector.told == ["register /data/items"]
    assert world.app.requests == []
    [webhook] = await sender.webhooks()
    token = sender.target.url.removeprefix(f"{PUBLIC_URL}/webhooks/")
    assert len(token) == 43
    assert len(sender.target.secret) == 64
    assert (webhook.is_registered, webhook.renew_at, webhook.token_hash) == (True, None, hash_of(token))
    for secret in (token, sender.target.secret):
        assert secret.encode() not in webhook.secrets


async def test_looking_again_tells_the_app_nothing_new(world, followed):
    await world.subscribe(ChangeType.CREATED)
    await world.work()

    assert followed.connector.told == ["register /data/items"]


async def test_the_app_is_told_to_stop_when_nobody_is_interested(world, followed):
    await world.unsubscribe()
    await world.work()

    assert followed.connector.told == ["register /data/items", "remove 1"]
    assert await followed.webhooks() == []


async def test_an_app_that_refuses_to_stop_is_left_alone(world, followed):
    target = followed.target
    followed.connector.refusal = UpstreamRejectedError("No.", status=403)
    await world.unsubscribe()
    await world.work()

    assert await followed.webhooks() == []
    assert (await followed.send(thin("UPDATED", "r1"), target=target)).status_code == 404


@pytest.mark.parametrize("archived", ["instance", "connection"])
async def test_the_app_is_told_to_stop_when_something_is_archived_and_anew_when_it_is_restored(world, followed, archived):
    service, by = {
        "instance": (data_source_instances, DataSourceInstanceSelector(id=world.id)),
        "connection": (connections, ConnectionSelector(id=world.instance.connection_id)),
    }[archived]
    await service.archive(world.runtime, world.customer, by=by)
    await world.work()

    assert followed.connector.told == ["register /data/items", "remove 1"]
    assert await followed.webhooks() == []

    await service.restore(world.runtime, world.customer, id=by.id)
    await world.work()
    world.app.put("r1", {"n": 10})
    await followed.send(thin("UPDATED", "r1"))
    await world.work()

    assert followed.connector.told == ["register /data/items", "remove 1", "register /data/items"]
    assert [(event.type.value, event.record_id) for event in await world.events()] == [("UPDATED", "r1")]


async def test_each_interest_gets_an_address_of_its_own(world, followed):
    first = followed.target
    await world.unsubscribe()
    await world.work()
    await world.subscribe()
    await world.work()

    assert followed.target.url != first.url
    assert followed.target.secret != first.secret


async def test_a_refusal_is_told_and_changes_are_polled_meanwhile(world, sender):
    sender.connector.refusal = UpstreamRejectedError("You may not.", status=403)
    await world.subscribe()
    await world.work()

    assert {(row.status, row.error["message"]) for row in await world.subscriptions()} == {("ERROR", "You may not.")}
    assert await world.snapshot() == world.app.truth
    world.app.put("r1", {"n": 10})
    await world.advance_and_work()
    assert await world.told() == [("UPDATED", "r1", "DELTA")]


async def test_an_app_that_was_down_is_told_later_with_the_same_address(world, sender):
    sender.connector.refusal = UpstreamUnavailableError("The app is down.", may_have_been_received=True)
    await world.subscribe()
    await world.work()
    [before] = await sender.webhooks()
    sender.connector.refusal = None
    await world.advance_and_work(1000)

    [after] = await sender.webhooks()
    assert (before.is_registered, after.is_registered) == (False, True)
    assert (before.id, before.token_hash) == (after.id, after.token_hash)
    assert {row.status for row in await world.subscriptions()} == {"SUBSCRIBED"}


async def test_a_webhook_that_ends_is_renewed_before_that(world, sender, connector, clock):
    connector.expires_at = clock.now() + timedelta(hours=10)
    await world.subscribe()
    await world.work()
    [webhook] = await sender.webhooks()
    assert webhook.renew_at == clock.now() + timedelta(hours=7)

    clock.advance(6.9 * 3600)
    await world.work([TaskKind.SETUP])
    assert connector.told == ["register /data/items"]
    connector.expires_at = clock.now() + timedelta(hours=10)
    clock.advance(0.2 * 3600)
    await world.work([TaskKind.SETUP])

    assert connector.told == ["register /data/items", "renew 1"]
    [renewed] = await sender.webhooks()
    assert renewed.renew_at > clock.now() + timedelta(hours=6)
    assert (await sender.send(thin("UPDATED", "r1"))).status_code == 200


async def test_a_webhook_that_is_over_at_once_is_not_renewed_without_end(world, sender, connector, clock):
    connector.expires_at = clock.now() - timedelta(hours=1)
    await world.subscribe()
    await world.work()

    assert connector.told == ["register /data/items"]


async def test_a_secret_that_the_app_chose_is_the_one_that_counts(world, sender, connector):
    connector.chosen_secret = "chosen-by-the-app"
    await world.subscribe()
    await world.work()
    chosen = replace(sender.target, secret="chosen-by-the-app")

    assert (await sender.send(thin("UPDATED", "r1"))).status_code == 401
    assert (await sender.send(thin("UPDATED", "r1"), target=chosen)).status_code == 200


async def test_another_app_at_the_connection_is_told_anew_and_not_with_the_others_state(world, followed, connector):
    await connections.update(
        world.runtime,
        world.customer,
        by=ConnectionSelector(id=world.instance.connection_id),
        parameters={"server": "https://another.example"},
    )
    await world.work()

    assert connector.told == ["register /data/items", "register /data/items"]
    assert len(await followed.webhooks()) == 1


async def test_without_a_public_address_nothing_is_told(world, sender, connector):
    connector.app.support = replace(connector.app.support, webhook=None)
    await world.subscribe()
    await world.work()

    assert (connector.told, await sender.webhooks()) == ([], [])


class TestByHand:
    @pytest.fixture(autouse=True)
    def by_hand(self, connector):
        support = replace(WEBHOOK, is_registered=False, secret_parameter="key")
        connector.app.support = replace(connector.app.support, webhook=support)

    async def test_somebody_is_shown_the_address_with_the_secret_in_it(self, world, sender):
        assert await webhook_urls.url_of(world.runtime, world.customer, world.instance) is None
        await world.subscribe()
        await world.work()

        url = await webhook_urls.url_of(world.runtime, world.customer, world.instance)

        address, _, query = url.partition("?")
        assert address.startswith(f"{PUBLIC_URL}/webhooks/")
        assert (query[:4], len(query)) == ("key=", 68)
        assert sender.connector.told == []

    async def test_it_stays_the_same_until_nobody_is_interested(self, world, sender):
        await world.subscribe()
        await world.work()
        first = await webhook_urls.url_of(world.runtime, world.customer, world.instance)
        await world.subscribe(ChangeType.CREATED)
        await world.work()
        assert await webhook_urls.url_of(world.runtime, world.customer, world.instance) == first

        await world.unsubscribe()
        await world.work()
        assert await webhook_urls.url_of(world.runtime, world.customer, world.instance) is None

    async def test_it_stays_the_same_while_the_instance_is_archived(self, world, sender):
        await world.subscribe()
        await world.work()
        first = await webhook_urls.url_of(world.runtime, world.customer, world.instance)
        by = DataSourceInstanceSelector(id=world.id)
        await data_source_instances.archive(world.runtime, world.customer, by=by)
        await world.work()
        await data_source_instances.restore(world.runtime, world.customer, id=world.id)
        await world.work()

        assert first is not None
        assert await webhook_urls.url_of(world.runtime, world.customer, world.instance) == first

    async def test_nobody_else_is_shown_it(self, world, sender):
        await world.subscribe()
        await world.work()
        stranger = replace(world.customer, customer_id=world.instance.id)

        assert await webhook_urls.url_of(world.runtime, stranger, world.instance) is None


async def test_the_address_of_a_webhook_that_the_gateway_registers_is_shown_to_nobody(world, followed):
    assert await webhook_urls.of_instances(world.runtime, world.customer, [world.id, world.instance.customer_id]) == [None, None]
