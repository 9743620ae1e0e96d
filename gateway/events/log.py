"""Reading the event log: one order of all events, and whoever reads is a position in it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import CursorExpiredError
from gateway.events.cursors import parse_cursor
from gateway.models import ChangeType, Event, EventLog, EventMethod

EVERY_TYPE = frozenset(ChangeType)
_INSTANCES_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Which events are wanted: those of an instance, of a connection, or all, and of which types."""

    instance_id: UUID | None = None
    connection_id: UUID | None = None
    types: frozenset[ChangeType] = EVERY_TYPE

    def has(self, event: "RecordedEvent") -> bool:
        """Whether an event is of the topic."""
        return (
            event.type in self.types
            and (self.instance_id is None or self.instance_id == event.instance_id)
            and (self.connection_id is None or self.connection_id == event.connection_id)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """A change of a record, as it stands in the log."""

    pos: int
    instance_id: UUID
    connection_id: UUID
    generation: int
    seq: int
    type: ChangeType
    method: EventMethod
    record_id: str
    body: bytes | None
    """The record after the change (`bodies.decode`); null when it was deleted or bodies are not kept."""
    previous: bytes | None
    """The record before the change; null when it was created or bodies are not kept."""
    recorded_at: datetime

    @property
    def weight(self) -> int:
        """How many bytes its bodies take."""
        return len(self.body or b"") + len(self.previous or b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMeta:
    """Which log it is, and how much of it there is."""

    log_id: UUID
    floor: int
    """Events up to this position may be gone."""
    end: int
    """The position of the last event, also when that is gone."""

    def position_of(self, text: str, *, field: Sequence[str] = ("after",)) -> int:
        """The position that a cursor stands for.

        Raises InvalidError when it is damaged, CursorExpiredError when it is of another log or of a part that is gone.
        """
        cursor = parse_cursor(text, field=field)
        if cursor.log_id != self.log_id or not self.floor <= cursor.pos <= self.end:
            raise CursorExpiredError(
                "The cursor is older than the events that are kept, or of another log. Read the records again, then subscribe anew.",
                field=field,
            )
        return cursor.pos


async def log_meta(session: AsyncSession) -> LogMeta:
    """Which log it is, and how much of it there is at the session's moment; one statement, for admins as all of the log."""
    last = select(func.max(col(Event.pos))).scalar_subquery()
    log_id, floor, end = (await session.exec(select(EventLog.log_id, EventLog.floor, last))).one()
    return LogMeta(log_id=log_id, floor=floor, end=max(floor, end or 0))


async def read(session: AsyncSession, *, topic: Topic, after_pos: int, first: int, up_to: int | None = None) -> list[RecordedEvent]:
    """The first so many events of the topic after a position, in their order; fewer only when there are no more up to `up_to`.

    It does not look at the floor: check it in the same session, or after reading.
    """
    statement = _of_topic(topic, after_pos=after_pos, up_to=up_to).order_by(col(Event.pos)).limit(first)
    return [_event(row) for row in await session.exec(statement)]


async def read_some(
    session: AsyncSession, *, topic: Topic, after_pos: int, first: int, maximum_bytes: int, up_to: int | None = None
) -> list[RecordedEvent]:
    """The same, but it ends with the event whose bodies, with those before it, reach so many bytes. Bodies beyond are not read."""
    wanted = {"instance_id": topic.instance_id, "connection_id": topic.connection_id, "up_to": up_to}
    given = {name: value for name, value in wanted.items() if value is not None}
    statement = _bounded(frozenset(given), topic.types)
    parameters = {"after_pos": after_pos, "first": first, "maximum_bytes": maximum_bytes, **given}
    return [_event(row) for row in await session.exec(statement, params=parameters)]


async def of_each(
    session: AsyncSession, *, instance_ids: Collection[UUID], types: frozenset[ChangeType], after_pos: int, first: int
) -> dict[UUID, list[RecordedEvent]]:
    """For each instance, the first so many of its events after a position, in their order; one statement for a hundred instances."""
    found: dict[UUID, list[RecordedEvent]] = {instance_id: [] for instance_id in instance_ids}
    for some in _slices(list(found), _INSTANCES_AT_ONCE):
        topics = (Topic(instance_id=instance_id, types=types) for instance_id in some)
        # A part for each instance: it reads no more of a long history than it gives, which a window over all would.
        parts = (_of_topic(topic, after_pos=after_pos, up_to=None).order_by(col(Event.pos)).limit(first).subquery() for topic in topics)
        for row in await session.exec(union_all(*(select(part) for part in parts))):  # type: ignore[call-overload]
            found[row.instance_id].append(_event(row))
    return {instance_id: sorted(events, key=lambda event: event.pos) for instance_id, events in found.items()}


async def counts(session: AsyncSession, *, instance_ids: Collection[UUID], types: frozenset[ChangeType]) -> dict[UUID, int]:
    """How many events of each instance the log keeps; one statement."""
    floor = select(EventLog.floor).scalar_subquery()
    events = _of_topic(Topic(types=types), after_pos=floor, up_to=None).where(col(Event.instance_id).in_(instance_ids))
    counted = events.with_only_columns(col(Event.instance_id), func.count()).group_by(col(Event.instance_id))
    return dict.fromkeys(instance_ids, 0) | dict((await session.exec(counted)).all())


async def by_positions(session: AsyncSession, positions: Collection[int]) -> dict[int, RecordedEvent]:
    """The events at these positions; those that are not there are left out."""
    if not positions:
        return {}
    rows = await session.exec(select(*_COLUMNS).where(col(Event.pos).in_(positions)))  # type: ignore[call-overload]
    events = [_event(row) for row in rows]
    return {event.pos: event for event in events}


def _slices(instance_ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    return (instance_ids[start : start + size] for start in range(0, len(instance_ids), size))


_COLUMNS = (
    col(Event.pos),
    col(Event.instance_id),
    col(Event.connection_id),
    col(Event.generation),
    col(Event.seq),
    col(Event.type),
    col(Event.method),
    col(Event.record_id),
    col(Event.body),
    col(Event.previous),
    col(Event.recorded_at),
)
_TYPES = {change.value: change for change in ChangeType}
_METHODS = {method.value: method for method in EventMethod}


def _of_topic(topic: Topic, *, after_pos: Any, up_to: Any) -> Any:
    statement: Any = select(*_COLUMNS).where(col(Event.pos) > after_pos)  # type: ignore[call-overload]
    if up_to is not None:
        statement = statement.where(col(Event.pos) <= up_to)
    if topic.instance_id is not None:
        statement = statement.where(col(Event.instance_id) == topic.instance_id)
    if topic.connection_id is not None:
        statement = statement.where(col(Event.connection_id) == topic.connection_id)
    if topic.types != EVERY_TYPE:
        statement = statement.where(col(Event.type).in_(sorted(topic.types)))
    return statement


@lru_cache(maxsize=128)
def _bounded(given: frozenset[str], types: frozenset[ChangeType]) -> Any:
    """The statement of `read_some`, made once: that costs more than to execute it, and who follows the log does so all the time."""
    value: dict[str, Any] = {name: bindparam(name) for name in given}
    topic = Topic(instance_id=value.get("instance_id"), connection_id=value.get("connection_id"), types=types)
    first = _of_topic(topic, after_pos=bindparam("after_pos"), up_to=value.get("up_to")).order_by(col(Event.pos)).limit(bindparam("first"))
    weight = func.coalesce(func.length(Event.body), 0) + func.coalesce(func.length(Event.previous), 0)
    weighed = first.with_only_columns(col(Event.pos), weight.label("weight")).subquery()
    before = func.sum(weighed.c.weight).over(order_by=weighed.c.pos) - weighed.c.weight
    summed = select(weighed.c.pos, before.label("before")).subquery()
    events: Any = select(*_COLUMNS).join(summed, summed.c.pos == col(Event.pos))  # type: ignore[call-overload]
    return events.where(summed.c.before < bindparam("maximum_bytes")).order_by(col(Event.pos))


def _event(row: Any) -> RecordedEvent:
    return RecordedEvent(
        pos=row.pos,
        instance_id=row.instance_id,
        connection_id=row.connection_id,
        generation=row.generation,
        seq=row.seq,
        type=_TYPES[row.type],
        method=_METHODS[row.method],
        record_id=row.record_id,
        body=row.body,
        previous=row.previous,
        recorded_at=row.recorded_at,
    )
