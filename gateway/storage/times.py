"""The moment by the clock that everybody shares."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, DateTime, bindparam, func, type_coerce
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.clock import Clock, SystemClock
from gateway.models.base import UTCDateTime


def now(session: AsyncSession, clock: Clock) -> ColumnElement[datetime]:
    """The moment at which the statement runs, for what replicas compare: due times, leases, requests.

    PostgreSQL's own clock, as those of its replicas differ; on SQLite, and where a test drives the clock, that of this process.
    """
    return later(session, clock, seconds=0)


def later(session: AsyncSession, clock: Clock, *, seconds: float) -> ColumnElement[datetime]:
    """So many seconds after that moment."""
    if session.get_bind().dialect.name == "postgresql" and isinstance(clock, SystemClock):
        moment = func.clock_timestamp(type_=DateTime(timezone=True))
        return type_coerce(moment + timedelta(seconds=seconds) if seconds else moment, UTCDateTime)
    return bindparam("now", clock.now() + timedelta(seconds=seconds), type_=UTCDateTime, unique=True)


async def read(session: AsyncSession, clock: Clock) -> datetime:
    """That moment as a value, to count from."""
    return (await session.exec(select(now(session, clock)))).one()
