"""The moment by the clock that everybody shares."""

from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.clock import Clock, SystemClock
from gateway.models.base import UTCDateTime


def now(session: AsyncSession, clock: Clock) -> ColumnElement[datetime]:
    """The moment at which the statement runs, for what replicas compare: due times, leases, requests.

    PostgreSQL's own clock, as those of its replicas differ; on SQLite, and where a test drives the clock, that of this process.
    """
    if session.get_bind().dialect.name == "postgresql" and isinstance(clock, SystemClock):
        return func.clock_timestamp(type_=UTCDateTime)
    return bindparam("now", clock.now(), type_=UTCDateTime, unique=True)
