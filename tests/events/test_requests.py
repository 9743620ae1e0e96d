"""Asking for work: only of whom, and of what kind."""

from datetime import timedelta

from sqlmodel import select

from gateway.clock import SystemClock
from gateway.events.requests import request
from gateway.models import SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.storage import times
from gateway.storage.database import Database
from gateway.testing import FakeClock
from tests.events.observing import followed


async def test_only_the_kinds_of_the_instances_that_are_asked_for_are_due(database: Database):
    places, clock = await followed(database, 3), FakeClock()
    some = [place.instance_id for place in places[:2]]

    async with database.write(SYSTEM) as session:
        await request(session, clock, instance_ids=some, kinds=[TaskKind.PULL, TaskKind.INBOX])
        await request(session, clock, instance_ids=[], kinds=tuple(TaskKind))
        await request(session, clock, instance_ids=some, kinds=[])

    async with database.read(SYSTEM) as session:
        tasks = (await session.exec(select(SyncTask))).all()
    due = {(task.instance_id, task.kind) for task in tasks if task.due_at is not None}
    assert due == {(instance_id, kind) for instance_id in some for kind in ("PULL", "INBOX")}
    assert {(task.due_at, task.requested_at) for task in tasks} == {(clock.now(), clock.now()), (None, None)}


async def test_a_moment_is_counted_from_the_clock_that_everybody_shares(database: Database):
    clock = SystemClock()
    async with database.read(SYSTEM) as session:
        later = select(times.later(session, clock, seconds=3_600), times.later(session, clock, seconds=-1.5), times.now(session, clock))
        hence, ago, now = (await session.exec(later)).one()

    assert timedelta(hours=1) - timedelta(seconds=30) < hence - now <= timedelta(hours=1)
    assert timedelta(seconds=1) < now - ago < timedelta(seconds=30)
