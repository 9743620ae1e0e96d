"""The moment by the clock that everybody shares."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, DateTime, bindparam, func, type_coerce
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.clock import Clock, SystemClock
from gateway.models.base import UTCDateTime

_DATABASES = func.clock_timestamp(type_=DateTime(timezone=True))
_DATABASES_NOW: ColumnElement[datetime] = type_coerce(_DATABASES, UTCDateTime)
_PASSED_NOW: ColumnElement[datetime] = bindparam("now", type_=UTCDateTime)


def now(session: AsyncSession, clock: Clock) -> ColumnElement[datetime]:
    """The moment at which the statement runs, for what replicas compare: due times, leases, requests.

    PostgreSQL's own clock, as those of its replicas differ; on SQLite, and where a test drives the clock, that of this process.
    """
    return later(session, clock, seconds=0)


def later(session: AsyncSession, clock: Clock, *, seconds: float) -> ColumnElement[datetime]:
    """So many seconds after that moment."""
    if _is_told_by_database(session, clock):
        return type_coerce(_DATABASES + timedelta(seconds=seconds), UTCDateTime) if seconds else _DATABASES_NOW
    return bindparam("now", clock.now() + timedelta(seconds=seconds), type_=UTCDateTime, unique=True)


def now_of_each_run(session: AsyncSession, clock: Clock) -> tuple[ColumnElement[datetime], dict[str, datetime]]:
    """The moment at which a statement runs that is made once: what stands there for it, always the same, and what is passed in each run."""
    return (_DATABASES_NOW, {}) if _is_told_by_database(session, clock) else (_PASSED_NOW, {"now": clock.now()})


async def read(session: AsyncSession, clock: Clock) -> datetime:
    """That moment as a value, to count from."""
    return (await session.exec(select(now(session, clock)))).one()


def _is_told_by_database(session: AsyncSession, clock: Clock) -> bool:
    return session.get_bind().dialect.name == "postgresql" and isinstance(clock, SystemClock)
