"""The snapshot: what was last seen of each record. And the stage: which records a full sync has met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, inspect, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.events.compare import Known
from gateway.models import Snapshot, Stage
from gateway.storage import bulk
from gateway.storage.bulk import ROWS_PER_STATEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedPlace:
    """One generation of an instance: whose records are observed."""

    instance_id: UUID
    connection_id: UUID
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A record as it was last seen."""

    hash: bytes | None
    """Null when it was deleted."""
    tick: int
    body: bytes | None
    """As `bodies.decode` reads it; null when it was deleted or bodies are not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPage:
    """One range of a snapshot's keys, compared with a stage."""

    record_ids: tuple[str, ...]
    """Records of the range that the run did not meet, in the order of their ids."""
    live_count: int
    """How many records of the range were there, met or not."""
    last_key: str | None
    """Where the next range begins; null when this was the last."""


async def known(session: AsyncSession, *, place: ObservedPlace, record_ids: Sequence[str]) -> dict[str, Known]:
    """What the snapshot says of these records; those that it does not know are left out."""
    found: dict[str, Known] = {}
    for some in _slices(record_ids):
        rows = await session.exec(
            select(Snapshot.record_id, Snapshot.hash, Snapshot.tick).where(_of(place), bulk.among(session, col(Snapshot.record_id), some))
        )
        found |= {record_id: Known(hash=hashed, tick=tick) for record_id, hashed, tick in rows}
    return found


async def stored(session: AsyncSession, *, place: ObservedPlace, record_ids: Sequence[str]) -> dict[str, StoredRecord]:
    """These records as they were last seen, with their bodies; those that the snapshot does not know are left out."""
    columns = (col(Snapshot.record_id), col(Snapshot.hash), col(Snapshot.tick), col(Snapshot.body))
    found: dict[str, StoredRecord] = {}
    for some in _slices(record_ids):
        rows = await session.exec(select(*columns).where(_of(place), bulk.among(session, col(Snapshot.record_id), some)))
        found |= {record_id: StoredRecord(hash=hashed, tick=tick, body=body) for record_id, hashed, tick, body in rows}
    return found


async def missing(
    session: AsyncSession, *, place: ObservedPlace, run_id: UUID, after: str | None, up_to_tick: int, limit: int = ROWS_PER_STATEMENT
) -> MissingPage:
    """The records of the next `limit` keys after `after` that the run did not meet, found changed at `up_to_tick` or before.

    Nothing outside the range is looked at, so that it costs the same however large the snapshot is.
    """
    keys = _range(place, after=after, limit=limit)
    is_live = and_(keys.c.hash.is_not(None), keys.c.tick <= up_to_tick)
    last_key, key_count, live_count = (
        await session.exec(select(func.max(keys.c.record_id), func.count(), func.count().filter(is_live)).select_from(keys))
    ).one()
    if not live_count:
        return MissingPage(record_ids=(), live_count=0, last_key=last_key if key_count == limit else None)

    key = col(Snapshot.record_id)
    is_of_range = key <= last_key if after is None else and_(key > after, key <= last_key)
    is_live = and_(col(Snapshot.hash).is_not(None), col(Snapshot.tick) <= up_to_tick)
    rows = await session.exec(
        select(Snapshot.record_id).where(_of(place), is_of_range, is_live, ~_is_staged(run_id, after=after, last=last_key)).order_by(key)
    )
    return MissingPage(record_ids=tuple(rows.all()), live_count=live_count, last_key=last_key if key_count == limit else None)


async def live_count(session: AsyncSession, *, place: ObservedPlace) -> int:
    """How many records the snapshot knows that were not deleted; read range by range."""
    total, after = 0, None
    while True:
        keys = _range(place, after=after, limit=10 * ROWS_PER_STATEMENT)
        last_key, live = (await session.exec(select(func.max(keys.c.record_id), func.count(keys.c.hash)).select_from(keys))).one()
        if last_key is None:
            return total
        total, after = total + live, last_key


async def purge_deleted(
    session: AsyncSession, *, place: ObservedPlace, after: str | None, up_to_tick: int, limit: int = ROWS_PER_STATEMENT
) -> str | None:
    """Forgets the deleted records among the next `limit` keys after `after`; returns where the next range begins, null at the end.

    Only those whose deletion was seen at `up_to_tick` or before: a sight of the record that is older must not be under way any more.
    """
    keys = _range(place, after=after, limit=limit)
    last_key, key_count = (await session.exec(select(func.max(keys.c.record_id), func.count()).select_from(keys))).one()
    if last_key is None:
        return None
    key = col(Snapshot.record_id)
    is_of_range = key <= last_key if after is None else and_(key > after, key <= last_key)
    await session.exec(delete(Snapshot).where(_of(place), is_of_range, col(Snapshot.hash).is_(None), col(Snapshot.tick) <= up_to_tick))
    return str(last_key) if key_count == limit else None


async def stage(session: AsyncSession, *, run_id: UUID, record_ids: Sequence[str]) -> int:
    """Notes that a run has met these records; returns how many of them it had not met before."""
    total = 0
    for some in _slices(record_ids):
        given = bulk.texts_of(session, some)
        rows = select(literal(run_id, Stage.__table__.c.run_id.type), given.c.value)  # type: ignore[attr-defined]
        if bulk.is_postgresql(session):
            statement: Any = postgresql.insert(Stage).from_select(["run_id", "record_id"], rows).on_conflict_do_nothing()
        else:
            # Without a condition SQLite takes ON for that of a join.
            statement = sqlite.insert(Stage).from_select(["run_id", "record_id"], rows.where(literal(value=True))).on_conflict_do_nothing()
        total += bulk.changed_rows(await session.exec(statement))
    return total


async def staged_count(session: AsyncSession, *, run_id: UUID) -> int:
    """How many records a run has met, as the stage has it: fewer than were staged when PostgreSQL emptied it in a crash."""
    return (await session.exec(select(func.count()).select_from(Stage).where(col(Stage.run_id) == run_id))).one()


async def unstage(session: AsyncSession, *, run_id: UUID, limit: int = ROWS_PER_STATEMENT) -> int:
    """Forgets up to `limit` records that a run has met; returns how many. To be repeated, in units of work of their own, until it is 0."""
    some = select(Stage.record_id).where(col(Stage.run_id) == run_id).order_by(col(Stage.record_id)).limit(limit)
    return bulk.changed_rows(await session.exec(delete(Stage).where(col(Stage.run_id) == run_id, col(Stage.record_id).in_(some))))


async def write(session: AsyncSession, *, place: ObservedPlace, tick: int, columns: Mapping[str, Sequence[Any]]) -> None:
    """Keeps what was seen of records, `record_id`, `hash` and `body`, in place of what was known of them."""
    await bulk.insert(
        session,
        _TABLE,
        constants={"instance_id": place.instance_id, "generation": place.generation, "tick": tick},
        columns=columns,
        overwrites=("hash", "tick", "body"),
    )


_TABLE: Table = inspect(Snapshot).local_table  # type: ignore[assignment]


def _of(place: ObservedPlace) -> ColumnElement[bool]:
    return and_(col(Snapshot.instance_id) == place.instance_id, col(Snapshot.generation) == place.generation)


def _range(place: ObservedPlace, *, after: str | None, limit: int) -> Any:
    key = col(Snapshot.record_id)
    keys = select(Snapshot.record_id, Snapshot.hash, Snapshot.tick).where(_of(place))
    if after is not None:
        keys = keys.where(key > after)
    return keys.order_by(key).limit(limit).subquery()


def _is_staged(run_id: UUID, *, after: str | None, last: str) -> ColumnElement[bool]:
    key = col(Stage.record_id)
    # The range is said once more: without it PostgreSQL may read the whole stage for each range.
    is_of_range = key <= last if after is None else and_(key > after, key <= last)
    return exists().where(col(Stage.run_id) == run_id, key == col(Snapshot.record_id), is_of_range)


def _slices(record_ids: Sequence[str]) -> list[Sequence[str]]:
    return [record_ids[start : start + ROWS_PER_STATEMENT] for start in range(0, len(record_ids), ROWS_PER_STATEMENT)]
