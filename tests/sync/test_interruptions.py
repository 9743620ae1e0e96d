"""A worker that dies before any commit of its work: the next one brings everything to the same end."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from gateway.events import bodies
from gateway.models import CursorOrder, CursorSync, SyncKind, SyncSupport, TaskKind
from gateway.services import sync_runs
from gateway.storage.scope import ScopedSession
from gateway.sync.claims import claim
from gateway.sync.work import perform
from tests.support.changing_app import ChangingApp
from tests.sync.test_histories import DeathError, another
from tests.sync.world import World, replayed

pytestmark = pytest.mark.usefixtures("unthreaded_files")

DELTA = SyncSupport(has_delta=True, sees_deletions=True)
BY_TIME = SyncSupport(cursor=CursorSync(order=CursorOrder.ASCENDING))
NEWEST = SyncSupport(cursor=CursorSync(order=CursorOrder.NEWEST_FIRST), sees_deletions=True)
MOST_COMMITS = 100


@dataclass
class Worker:
    """Does what is due; it dies before the commit of this number, and another one takes over when the lease has ended."""

    world: World
    dies_before: int | None = None
    commits: int = 0
    has_died: bool = False

    async def work(self) -> None:
        """Returns when nothing is due."""
        while (task := await self._next()) is not None:
            try:
                with self._dying():
                    await perform(self.world.runtime, task)
            except DeathError:
                self.has_died = True
                await self.world.die()

    async def _next(self) -> Any:
        for kind in TaskKind:
            task = await claim(self.world.runtime, self.world.id, kind, owner="test")
            if task is not None:
                return task
        return None

    @contextmanager
    def _dying(self) -> Iterator[None]:
        event.listen(Session, "before_commit", self._before_commit)
        try:
            yield
        finally:
            event.remove(Session, "before_commit", self._before_commit)

    def _before_commit(self, session: Session) -> None:
        if isinstance(session, ScopedSession) and not session.principal.is_admin:
            return  # Of somebody else, while the app answers.
        self.commits += 1
        if self.commits == self.dies_before:
            raise DeathError


Step = Callable[[World, Worker], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What happens in an app, and the work that follows from it."""

    support: SyncSupport
    act: Step
    is_in_sync: bool = True
    """Whether the baseline stands when it begins."""
    count: int = 7
    page_size: int = 3
    finds_by_id: bool = True


def change(world: World) -> None:
    for number in range(4):
        world.app.put(f"r{number}", {"n": "new"})
        world.clock.advance(1)
    world.app.put("zzz", {"n": 1})
    world.app.remove("r5")


async def baseline(world: World, worker: Worker) -> None:
    await world.subscribe(emit_initial=True)
    await worker.work()


async def full_sync(world: World, worker: Worker) -> None:
    change(world)
    await world.request(SyncKind.FULL_SYNC)
    await worker.work()


async def full_sync_of_many(world: World, worker: Worker) -> None:
    for number in range(2_100):
        world.app.put(f"new {number}", {"n": number})
    await full_sync(world, worker)


async def pull(world: World, worker: Worker) -> None:
    change(world)
    world.clock.advance(400)
    await worker.work()


async def resynchronization(world: World, worker: Worker) -> None:
    change(world)
    world.app.forget_delta_tokens()
    world.clock.advance(400)
    await worker.work()


async def holding(world: World, worker: Worker) -> None:
    for number in range(55):
        world.app.remove(f"r{number}")
    await world.request(SyncKind.FULL_SYNC)
    await worker.work()
    run = (await world.runs())[-1]
    assert (run.status, run.missing_count) == ("HELD", 55)
    assert await world.told() == []
    await sync_runs.release(world.runtime, world.customer, id=run.id)
    await worker.work()


async def cancelling(world: World, worker: Worker) -> None:
    async def cancel() -> None:
        await sync_runs.cancel(world.runtime, world.customer, id=(await world.runs())[-1].id)

    world.app.meanwhile.extend([None, cancel])
    await world.request(SyncKind.FULL_SYNC)
    await worker.work()


async def pointing_elsewhere(world: World, worker: Worker) -> None:
    change(world)
    await world.point_at("other")
    await worker.work()
    world.app.put("r1", {"n": "newest"})
    world.clock.advance(400)
    await worker.work()


SCENARIOS = {
    "a baseline that is told": Scenario(support=DELTA, act=baseline, is_in_sync=False),
    "a full sync that asks for what is missing": Scenario(support=SyncSupport(), act=full_sync),
    "a full sync that lists twice": Scenario(support=SyncSupport(), act=full_sync, finds_by_id=False),
    "a page that takes several commits": Scenario(support=SyncSupport(), act=full_sync_of_many, page_size=3_000),
    "a pull by delta": Scenario(support=DELTA, act=pull),
    "a pull in ascending order": Scenario(support=BY_TIME, act=pull),
    "a pull of a feed": Scenario(support=NEWEST, act=pull),
    "a delta token that expired": Scenario(support=DELTA, act=resynchronization),
    "a full sync that is held and released": Scenario(support=SyncSupport(), act=holding, count=60, page_size=30),
    "a full sync that is cancelled": Scenario(support=SyncSupport(), act=cancelling),
    "an instance that points elsewhere": Scenario(support=DELTA, act=pointing_elsewhere),
}


def fields(body: bytes | None) -> Any:
    return bodies.fields_of(body) if body is not None else None


async def outcome(world: World, scenario: Scenario, *, dies_before: int | None) -> tuple[bool, Any]:
    """Whether the worker died on the way, and all there is to see in the end."""
    app = ChangingApp(support=scenario.support, now=world.clock.now, page_size=scenario.page_size, finds_by_id=scenario.finds_by_id)
    # Then each page is a commit of its own.
    app.takes_its_time = lambda: world.clock.advance(1)
    world = await another(world, app)
    for number in range(scenario.count):
        app.put(f"r{number}", {"n": number})
    if scenario.is_in_sync:
        await world.subscribe()
        await world.work()
    known, worker = await world.snapshot(), Worker(world, dies_before)
    await scenario.act(world, worker)

    events = await world.events()
    replayed(known, events)
    assert [each.seq for each in events] == list(range(1, len(events) + 1))
    assert await world.stage_count() == 0
    tasks = [await world.task(kind) for kind in TaskKind]
    idle = (None, None, None, 0, None)
    assert {(task.owner, task.run_id, task.progress, task.failures, task.requested_at) for task in tasks} == {idle}
    generation = await world.generation()
    return worker.has_died, (
        [(each.type, each.method, each.record_id, each.generation, fields(each.body), fields(each.previous)) for each in events],
        await world.snapshot(),
        # Other tasks may be asked for once more: a pull that finds nothing.
        [
            run
            for run, _ in groupby((run.kind, run.status, run.conclusion, run.event_count, run.missing_count) for run in await world.runs())
        ],
        [task.due_at is None for task in tasks],
        (generation.generation, generation.baseline_at is not None, sorted(generation.checkpoint or {})),
    )


async def deaths(world: World, scenario: Scenario) -> int:
    """How many commits the work takes, before each of which a worker died, and in the end all was as without that."""
    _, expected = await outcome(world, scenario, dies_before=None)
    for number in range(1, MOST_COMMITS):
        has_died, found = await outcome(world, scenario, dies_before=number)
        assert found == expected, f"it died before commit {number}"
        if not has_died:
            return number - 1
    raise AssertionError("The work does not end.")


async def test_a_pull_whose_worker_dies_before_any_commit_ends_as_if_nothing_had_happened(world: World):
    assert await deaths(world, SCENARIOS["a pull by delta"]) >= 4


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
async def test_work_whose_worker_dies_before_any_commit_ends_as_if_nothing_had_happened(world: World, name: str):
    assert await deaths(world, SCENARIOS[name]) >= 4


@pytest.mark.long
async def test_a_released_run_that_deletes_range_by_range_goes_on_where_its_worker_died(world: World):
    world = await another(world, ChangingApp(now=world.clock.now, page_size=1_000, finds_by_id=False))
    for number in range(11_000):
        world.app.put(f"r{number:05}", {"n": number})
    await world.subscribe()
    await world.work()
    for number in range(10_990):
        world.app.remove(f"r{number:05}")
    await world.request(SyncKind.FULL_SYNC)
    await world.work()
    (*_, run) = await world.runs()
    assert (run.status, run.missing_count, await world.told()) == ("HELD", 10_990, [])
    await sync_runs.release(world.runtime, world.customer, id=run.id)

    worker, begun_after, counts = Worker(world), set[str | None](), set[int]()
    while (task := await worker._next()) is not None:
        worker.dies_before = worker.commits + 5
        try:
            with worker._dying():
                await perform(world.runtime, task)
        except DeathError:
            progress = (await world.task(TaskKind.FULL)).progress or {}
            if progress.get("phase") == "DELETING":
                begun_after.add(progress["deleted_to"])
                counts.add((await world.runs())[-1].missing_count)
            await world.die()

    # Ranges are of 5,000 keys, and a commit is of 1,000 records: it died within the first range, and within the second.
    assert begun_after >= {None, "r04999"}
    assert counts == {10_990}
    assert [record_id for _, record_id, _ in await world.told()] == [f"r{number:05}" for number in range(10_990)]
    (*_, released) = await world.runs()
    assert (released.id, released.conclusion, released.missing_count, released.event_count) == (run.id, "SUCCESS", 10_990, 10_990)
    assert await world.snapshot() == world.app.truth
    assert await world.stage_count() == 0
