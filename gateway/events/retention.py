"""What of the log, the snapshots and the stage is no longer kept. All of it goes in slices that hold nobody up."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, exists, func, inspect, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.clock import Clock
from gateway.config import Settings
from gateway.events import log, snapshots, stages
from gateway.models import Event, EventLog, Snapshot, Stage, SyncGeneration, SyncState, SyncTask
from gateway.models.principal import SYSTEM
from gateway.models.sync import LONGEST_LAPSE
from gateway.storage import bulk, times
from gateway.storage.database import Database

SLICE = 10_000
"""By so many events the floor is moved at a time."""
_LEEWAY = timedelta(hours=1)
_DELETED_AT_ONCE = 2_500  # Events may be large: on PostgreSQL their bodies are deleted in pieces of 2 KB.


async def prune(database: Database, clock: Clock, settings: Settings, *, slice_size: int = SLICE) -> int:
    """Deletes events that are older, or more, than the settings keep; returns how many. Safe to run anywhere at any time.

    The floor is moved, and committed, before anything below it goes. How many there are is told by their positions, of which a few
    are skipped when commits fail: rather fewer are kept than more.
    """
    cutoff = clock.now() - timedelta(days=settings.event_retention_days)
    total = await _repeat(database, _delete_below_floor)
    while True:
        async with database.write(SYSTEM) as session:
            has_moved = await _move_floor(session, cutoff=cutoff, rows=settings.event_retention_rows, slice_size=slice_size)
        if not has_moved:
            return total
        total += await _repeat(database, _delete_below_floor)


async def sweep(database: Database, clock: Clock) -> int:
    """Deletes snapshots that nobody needs any more, and stages of runs that ended; returns how many rows.

    Those of generations that are over, of instances that are gone, and of those in which nobody has been interested for long.
    """
    async with database.read(SYSTEM) as session:
        places = await _places_that_are_over(session, clock)
        run_ids = await _runs_that_ended(session)
    total = 0
    for instance_id, generation in places:
        total += await _repeat(database, partial(snapshots.forget, instance_id=instance_id, generation=generation))
    for run_id in run_ids:
        total += await _repeat(database, partial(stages.unstage, run_id=run_id))
    return total


async def _repeat(database: Database, step: Callable[[AsyncSession], Awaitable[int]]) -> int:
    """Repeats a step in units of work of its own until it finds nothing; returns the sum."""
    total = 0
    while True:
        async with database.write(SYSTEM) as session:
            count = await step(session)
        if not count:
            return total
        total += count


async def _move_floor(session: AsyncSession, *, cutoff: datetime, rows: int, slice_size: int) -> bool:
    """Moves the floor by one slice at most; whether it moved."""
    meta = await log.log_meta(session)
    position = col(Event.pos)
    some = select(position, col(Event.recorded_at)).where(position > meta.floor).order_by(position).limit(slice_size).subquery()
    is_kept = (some.c.recorded_at >= cutoff) & (some.c.pos > meta.end - rows)
    first_kept, last = (await session.exec(select(func.min(some.c.pos).filter(is_kept), func.max(some.c.pos)))).one()
    floor = first_kept - 1 if first_kept is not None else last
    if floor is None or floor <= meta.floor:
        return False
    await session.exec(update(EventLog).where(col(EventLog.floor) < floor).values(floor=floor))
    return True


async def _delete_below_floor(session: AsyncSession) -> int:
    position = col(Event.pos)
    floor = select(EventLog.floor).scalar_subquery()
    some = select(position).where(position <= floor).order_by(position).limit(_DELETED_AT_ONCE).subquery()
    last = (await session.exec(select(func.max(some.c.pos)))).one()
    return bulk.changed_rows(await session.exec(delete(_EVENT).where(_EVENT.c.pos <= last))) if last is not None else 0


async def _places_that_are_over(session: AsyncSession, clock: Clock) -> list[tuple[UUID, int]]:
    is_known = exists().where(_SNAPSHOT.c.instance_id == SyncGeneration.instance_id, _SNAPSHOT.c.generation == SyncGeneration.generation)
    over = select(SyncGeneration.instance_id, SyncGeneration.generation).join(
        SyncState, col(SyncState.instance_id) == col(SyncGeneration.instance_id)
    )
    # Interest that comes back so late begins a new generation. An hour more, for whoever is at just that.
    has_lapsed = col(SyncState.lapsed_at) < times.later(session, clock, seconds=-(LONGEST_LAPSE + _LEEWAY).total_seconds())
    earlier = await session.exec(over.where((col(SyncGeneration.generation) < SyncState.generation) | has_lapsed, is_known))
    gone = await _values_without(session, _SNAPSHOT, "instance_id", kept=select(SyncState.instance_id))
    orphans = [(row.instance_id, row.generation) for row in await session.exec(_generations_of(gone))] if gone else []
    return [*earlier.all(), *orphans]


async def _runs_that_ended(session: AsyncSession) -> list[UUID]:
    under_way = select(SyncTask.run_id).where(col(SyncTask.run_id).is_not(None))
    return await _values_without(session, _STAGE, "run_id", kept=under_way)


def _generations_of(instance_ids: list[UUID]) -> Any:
    columns = (_SNAPSHOT.c.instance_id, _SNAPSHOT.c.generation)
    return select(*columns).where(_SNAPSHOT.c.instance_id.in_(instance_ids)).distinct()


async def _values_without(session: AsyncSession, table: Table, name: str, *, kept: Any) -> list[UUID]:
    """The values of the first column of a table's key that are not among `kept`; one look into the index for each value there is."""
    column = table.c[name]
    walk = select(select(column).order_by(column).limit(1).scalar_subquery().label("value")).cte("walk", recursive=True)
    following = select(column).where(column > walk.c.value).order_by(column).limit(1).scalar_subquery()
    walk = walk.union_all(select(following).where(walk.c.value.is_not(None)))
    return list((await session.exec(select(walk.c.value).where(walk.c.value.is_not(None), walk.c.value.not_in(kept)))).all())


_EVENT: Table = inspect(Event).local_table  # type: ignore[assignment]
_SNAPSHOT: Table = inspect(Snapshot).local_table  # type: ignore[assignment]
_STAGE: Table = inspect(Stage).local_table  # type: ignore[assignment]
