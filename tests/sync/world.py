"""An instance of the changing app, and a worker that does what is due, one task after the other."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import update
from sqlmodel import col, select

from gateway.errors import GatewayError
from gateway.events import bodies, log
from gateway.events.log import RecordedEvent, Topic
from gateway.models import (
    ChangeType,
    DataSourceInstance,
    EventSubscription,
    Pointer,
    Principal,
    Snapshot,
    Stage,
    SyncGeneration,
    SyncKind,
    SyncRun,
    SyncState,
    SyncTask,
    TaskKind,
)
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services import data_source_instances, event_subscriptions, sync_runs
from gateway.services.selectors import DataSourceInstanceSelector, PointerInput
from gateway.sync.claims import claim
from gateway.sync.work import perform
from gateway.testing import FakeClock
from tests.support.changing_app import ChangingApp, Truth
from tests.support.changing_instance import changing_instance
from tests.support.prepared import prepared

MOST_TASKS = 500
INTERVAL_SECONDS = 300


@dataclass
class World:
    """The gateway with one instance of the app's items."""

    runtime: Runtime
    app: ChangingApp
    clock: FakeClock
    customer: Principal
    instance: DataSourceInstance
    apps: Sequence[object] = ()
    """What holds the state of the app."""

    @property
    def id(self) -> UUID:
        """The instance's id."""
        return self.instance.id

    async def subscribe(self, *types: ChangeType, emit_initial: bool = False) -> None:
        """Somebody is interested from now on, by default in every change."""
        by = DataSourceInstanceSelector(id=self.id)
        await event_subscriptions.subscribe(self.runtime, self.customer, by=by, types=types or None, emit_initial=emit_initial)

    async def unsubscribe(self) -> None:
        """Nobody is interested any more."""
        await event_subscriptions.unsubscribe(self.runtime, self.customer, by=DataSourceInstanceSelector(id=self.id))

    async def request(self, kind: SyncKind) -> SyncRun:
        """Somebody asks for a run."""
        return await sync_runs.request(self.runtime, self.customer, by=DataSourceInstanceSelector(id=self.id), kind=kind)

    async def prepared(self, steps: Callable[[], Awaitable[None]], *about: Hashable) -> None:
        """The steps are done, or everything is as they left it where they were done before in the very same situation."""
        await prepared(self.runtime, self.clock, self.apps, steps, *about)

    async def point_at(self, box: str) -> None:
        """The instance points elsewhere from now on."""
        pointer = PointerInput(path=f"/data/items?box={box}")
        self.instance = await data_source_instances.update(
            self.runtime, self.customer, by=DataSourceInstanceSelector(id=self.id), pointer=pointer
        )

    async def work(self, kinds: Collection[TaskKind] = tuple(TaskKind)) -> list[TaskKind]:
        """Does what is due now, until nothing is; returns what was done, in order."""
        done: list[TaskKind] = []
        while True:
            task = None
            for kind in kinds:
                task = await claim(self.runtime, self.id, kind, owner="test")
                if task is not None:
                    break
            if task is None:
                return done
            await perform(self.runtime, task)
            done.append(task.kind)
            assert len(done) < MOST_TASKS

    async def due(self) -> list[TaskKind]:
        """The kinds of the tasks that are due now."""
        is_due = (SyncTask.instance_id == self.id) & (col(SyncTask.due_at) <= self.clock.now())
        kinds = {row.kind for row in await self._all(SyncTask, is_due, SyncTask.kind)}
        return [kind for kind in TaskKind if kind.value in kinds]

    async def advance_and_work(self, seconds: float = 1.2 * INTERVAL_SECONDS) -> list[TaskKind]:
        """Does what is due after so many seconds."""
        self.clock.advance(seconds)
        return await self.work()

    async def events(self) -> list[RecordedEvent]:
        """Everything that was told, in its order."""
        async with self.runtime.database.read(SYSTEM) as session:
            return await log.read(session, topic=Topic(instance_id=self.id), after_pos=0, first=100_000)

    async def told(self) -> list[tuple[str, str, str]]:
        """What was told, as type, record id and method."""
        return [(event.type.value, event.record_id, event.method.value) for event in await self.events()]

    async def state(self) -> SyncState:
        return await self._one(SyncState, SyncState.instance_id == self.id)

    async def generation(self) -> SyncGeneration:
        state = await self.state()
        return await self._one(SyncGeneration, (SyncGeneration.instance_id == self.id) & (SyncGeneration.generation == state.generation))

    async def task(self, kind: TaskKind) -> SyncTask:
        return await self._one(SyncTask, (SyncTask.instance_id == self.id) & (SyncTask.kind == kind.value))

    async def runs(self) -> list[SyncRun]:
        """Every run, the oldest first."""
        return await self._all(SyncRun, SyncRun.instance_id == self.id, SyncRun.id)

    async def subscriptions(self) -> list[EventSubscription]:
        return await self._all(EventSubscription, EventSubscription.instance_id == self.id, EventSubscription.type)

    async def snapshot(self) -> Truth:
        """What the gateway takes for there, in the present generation."""
        state = await self.state()
        rows = await self._all(Snapshot, (Snapshot.instance_id == self.id) & (Snapshot.generation == state.generation), Snapshot.record_id)
        return {row.record_id: bodies.fields_of(row.body) for row in rows if row.hash is not None and row.body is not None}

    async def stage_count(self) -> int:
        return len(await self._all(Stage, None, Stage.count))

    async def die(self) -> None:
        """Whoever was at work is dead, and its leases have ended."""
        self.clock.advance(self.runtime.settings.sync_lease_seconds + 1)

    async def set_generation(self, **values: Any) -> None:
        """Changes the present generation behind the engine's back."""
        async with self.runtime.database.write(SYSTEM) as session:
            await session.exec(update(SyncGeneration).where(col(SyncGeneration.instance_id) == self.id).values(**values))

    async def _one(self, table: Any, criterion: Any) -> Any:
        async with self.runtime.database.read(SYSTEM) as session:
            return (await session.exec(select(table).where(criterion))).one()

    async def _all(self, table: Any, criterion: Any, order: Any) -> Any:
        statement = select(table) if criterion is None else select(table).where(criterion)
        async with self.runtime.database.read(SYSTEM) as session:
            return (await session.exec(statement.order_by(order))).all()


def replayed(baseline: Truth, events: Collection[RecordedEvent]) -> Truth:
    """What is there after the events, by whoever began with the baseline. Events that cannot be are refused."""
    held = dict(baseline)
    for event in events:
        match event.type:
            case ChangeType.CREATED:
                assert event.record_id not in held, f"{event.record_id} was created twice"
            case ChangeType.UPDATED | ChangeType.DELETED:
                assert event.record_id in held, f"{event.record_id} is not there to be {event.type}"
        if event.type is ChangeType.DELETED:
            del held[event.record_id]
        else:
            assert event.body is not None
            assert held.get(event.record_id) != bodies.fields_of(event.body), f"nothing of {event.record_id} has changed"
            held[event.record_id] = bodies.fields_of(event.body)
    return held


async def world_of(runtime: Runtime, app: ChangingApp, clock: FakeClock, *more: object) -> World:
    """An instance of the app's items, of a customer of its own. `more` holds what else is known of the app."""

    async def make() -> tuple[Principal, UUID]:
        customer, instance = await changing_instance(runtime)
        return customer, instance.id

    apps = (app, *more)
    customer, instance_id = await prepared(runtime, clock, apps, make, "an instance of the changing app")
    async with runtime.database.read(SYSTEM) as session:
        instance = await session.get_one(DataSourceInstance, instance_id)
    return World(runtime, app, clock, customer, instance, apps)


__all__ = ["GatewayError", "Pointer", "World", "orjson", "replayed", "world_of"]
