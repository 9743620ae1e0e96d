"""Interest lives while somebody listens and a while longer, and leaves alone what somebody declared for good."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, delete, select, update

from gateway.errors import NotFoundError
from gateway.events.bell import Bell
from gateway.events.leases import Leases
from gateway.models import ChangeType, DataSourceInstance, EventSubscription, SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from gateway.testing import FakeClock
from tests.events.observing import TIMES, followed
from tests.support.database import recorded_statements

EVERY = tuple(ChangeType)


class Listeners:
    """A process in which somebody may listen to one instance, and what is stored of that."""

    def __init__(self, database: Database, instance: DataSourceInstance, clock: FakeClock) -> None:
        self.database = database
        self.instance = instance
        self.clock = clock
        self.bell = Bell()
        self.leases = Leases(database, clock, self.bell)

    async def interest(self) -> dict[str, tuple[str, float | None]]:
        """By type: the status, and the seconds until it ends."""
        async with self.database.read(SYSTEM) as session:
            rows = (await session.exec(select(EventSubscription).order_by(EventSubscription.type))).all()
        now = self.clock.now()
        return {row.type: (row.status, (row.expires_at - now).total_seconds() if row.expires_at else None) for row in rows}

    async def asked(self) -> list[str]:
        """The tasks that were asked for since this was asked last."""
        async with self.database.write(SYSTEM) as session:
            kinds = await session.exec(select(SyncTask.kind).where(col(SyncTask.requested_at).is_not(None)).order_by(SyncTask.kind))
            found = list(kinds)
            await session.exec(update(SyncTask).values(requested_at=None))
        return found

    async def declare(self, change: ChangeType, **values: Any) -> None:
        """A subscription that is there already."""
        owner = {"instance_id": self.instance.id, "customer_id": self.instance.customer_id}
        async with self.database.write(SYSTEM) as session:
            session.add(EventSubscription(**owner, type=change.value, **values, **TIMES))


@pytest.fixture
async def listeners(database: Database) -> Listeners:
    await followed(database)
    async with database.read(SYSTEM) as session:
        instance = (await session.exec(select(DataSourceInstance))).one()
    return Listeners(database, instance, FakeClock())


async def test_listening_is_interest_that_asks_for_setup_and_outlives_the_listener_for_a_minute(listeners):
    async with listeners.leases.held(listeners.instance, [ChangeType.CREATED, ChangeType.DELETED]):
        assert await listeners.interest() == {"CREATED": ("SUBSCRIBED", 60), "DELETED": ("SUBSCRIBED", 60)}
        assert await listeners.asked() == [TaskKind.SETUP]
        assert listeners.bell.count == 1
        listeners.clock.advance(20)

    assert await listeners.interest() == {"CREATED": ("SUBSCRIBED", 40), "DELETED": ("SUBSCRIBED", 40)}


async def test_what_is_held_is_renewed_and_what_was_left_is_not(listeners):
    async with listeners.leases.held(listeners.instance, EVERY):
        async with listeners.leases.held(listeners.instance, [ChangeType.CREATED]):
            pass
        await listeners.asked()
        listeners.clock.advance(20)
        await listeners.leases.renew()
        assert await listeners.interest() == {change.value: ("SUBSCRIBED", 60) for change in EVERY}
        assert await listeners.asked() == [], "nothing had ended"
    listeners.clock.advance(20)

    await listeners.leases.renew()

    assert await listeners.interest() == {change.value: ("SUBSCRIBED", 40) for change in EVERY}


async def test_many_who_begin_to_listen_to_the_same_cost_one_unit_of_work(listeners):
    with recorded_statements(listeners.database) as statements:
        async with AsyncExitStack() as stack:
            held = (listeners.leases.held(listeners.instance, EVERY) for _ in range(1_000))
            await asyncio.gather(*(stack.enter_async_context(each) for each in held))
    assert len(statements) < 15
    assert await listeners.interest() == {change.value: ("SUBSCRIBED", 60) for change in EVERY}


async def test_whoever_listens_later_prolongs_and_asks_for_nothing(listeners):
    async with listeners.leases.held(listeners.instance, EVERY):
        await listeners.asked()
        listeners.clock.advance(30)
        async with listeners.leases.held(listeners.instance, EVERY):
            assert await listeners.interest() == {change.value: ("SUBSCRIBED", 60) for change in EVERY}
            assert await listeners.asked() == []


async def test_interest_that_was_declared_for_good_stays_as_it_is(listeners):
    await listeners.declare(ChangeType.CREATED)
    await listeners.declare(ChangeType.UPDATED, status="ERROR", error={"code": "UPSTREAM_AUTH", "message": "Connect again."})

    async with listeners.leases.held(listeners.instance, [ChangeType.CREATED, ChangeType.UPDATED]):
        await listeners.leases.renew()

        assert await listeners.interest() == {"CREATED": ("SUBSCRIBED", None), "UPDATED": ("ERROR", None)}
        assert await listeners.asked() == []


async def test_a_subscription_that_somebody_ended_becomes_a_lease(listeners):
    await listeners.declare(ChangeType.CREATED, status="UNSUBSCRIBED", error={"code": "INVALID", "message": "Old."})

    async with listeners.leases.held(listeners.instance, [ChangeType.CREATED]):
        assert await listeners.interest() == {"CREATED": ("SUBSCRIBED", 60)}
        assert await listeners.asked() == [TaskKind.SETUP]

        async with listeners.database.write(SYSTEM) as session:
            await session.exec(update(EventSubscription).values(status="UNSUBSCRIBED", expires_at=None))
        await listeners.leases.renew()
        assert await listeners.interest() == {"CREATED": ("SUBSCRIBED", 60)}, "somebody listens still"
        assert await listeners.asked() == [TaskKind.SETUP]


async def test_a_lease_that_ended_while_the_process_stood_still_is_taken_up_again_and_looked_at(listeners):
    async with listeners.leases.held(listeners.instance, [ChangeType.CREATED]):
        await listeners.asked()
        listeners.clock.advance(600)

        await listeners.leases.renew()

        assert await listeners.interest() == {"CREATED": ("SUBSCRIBED", 60)}
        assert await listeners.asked() == [TaskKind.SETUP]


async def test_an_error_stays_while_the_lease_lives_and_is_forgotten_with_it(listeners):
    await listeners.declare(
        ChangeType.CREATED,
        status="ERROR",
        error={"code": "INVALID", "message": "No."},
        expires_at=listeners.clock.now() + timedelta(seconds=30),
    )
    async with listeners.leases.held(listeners.instance, [ChangeType.CREATED]):
        assert await listeners.interest() == {"CREATED": ("ERROR", 60)}
    listeners.clock.advance(61)

    async with listeners.leases.held(listeners.instance, [ChangeType.CREATED]):
        assert await listeners.interest() == {"CREATED": ("SUBSCRIBED", 60)}


async def test_an_instance_that_is_gone_cannot_be_listened_to_and_keeps_no_renewal_from_the_others(listeners):
    async with listeners.leases.held(listeners.instance, EVERY):
        async with listeners.database.write(SYSTEM) as session:
            await session.exec(delete(DataSourceInstance))
        await listeners.leases.renew()
    listeners.clock.advance(60)

    assert await listeners.interest() == {}
    with pytest.raises(NotFoundError) as caught:
        async with listeners.leases.held(listeners.instance, EVERY):
            pass
    assert caught.value.message == "The instance was deleted at this moment."


async def test_processes_that_begin_and_renew_at_the_same_moment_do_not_get_in_each_others_way(listeners):
    others = [Listeners(listeners.database, listeners.instance, listeners.clock) for _ in range(8)]

    async def listen(process: Listeners) -> None:
        async with process.leases.held(process.instance, EVERY):
            await asyncio.gather(*(process.leases.renew() for _ in range(3)))

    await asyncio.gather(*(listen(process) for process in others))

    assert await listeners.interest() == {change.value: ("SUBSCRIBED", 60) for change in EVERY}
