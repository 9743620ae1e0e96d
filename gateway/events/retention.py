"""What of the log and the snapshots is no longer kept."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.clock import Clock
from gateway.config import Settings
from gateway.events import log
from gateway.models import Event, EventLog
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database

SLICE = 10_000


async def prune(database: Database, clock: Clock, settings: Settings) -> int:
    """Deletes events that are older, or more, than the settings keep; returns how many. Safe to run anywhere at any time.

    The floor is moved and committed before anything is deleted, in slices that hold nobody up.
    """
    cutoff = clock.now() - timedelta(days=settings.event_retention_days)
    total = 0
    while True:
        async with database.write(SYSTEM) as session:
            moved = await _move_floor(session, cutoff=cutoff, rows=settings.event_retention_rows)
        deleted = 1
        while deleted:
            async with database.write(SYSTEM) as session:
                deleted = await _delete_below_floor(session)
            total += deleted
        if not moved:
            return total


async def sweep(database: Database, *, limit: int = SLICE) -> int:
    """Deletes, slice by slice, snapshots of generations that are over and what is left of gone instances; returns how many rows."""
    raise NotImplementedError


async def _move_floor(session: AsyncSession, *, cutoff: datetime, rows: int) -> bool:
    """Moves the floor by one slice at most; whether it moved."""
    meta = await log.log_meta(session)
    some = (
        select(col(Event.pos), col(Event.recorded_at)).where(col(Event.pos) > meta.floor).order_by(col(Event.pos)).limit(SLICE).subquery()
    )
    is_kept = (some.c.recorded_at >= cutoff) & (some.c.pos > meta.end - rows)
    first_kept, last = (await session.exec(select(func.min(some.c.pos).filter(is_kept), func.max(some.c.pos)))).one()
    floor = meta.floor if last is None else last if first_kept is None else first_kept - 1
    if floor <= meta.floor:
        return False
    await session.exec(update(EventLog).where(col(EventLog.floor) < floor).values(floor=floor))
    return True


async def _delete_below_floor(session: AsyncSession) -> int:
    floor = select(EventLog.floor).scalar_subquery()
    some = select(col(Event.pos)).where(col(Event.pos) <= floor).order_by(col(Event.pos)).limit(SLICE)
    return (await session.exec(delete(Event).where(col(Event.pos).in_(some)))).rowcount
