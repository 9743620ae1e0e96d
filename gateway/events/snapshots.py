"""The snapshot: what was last seen of each record. And the stage: which records a full sync has met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Table, and_, case, delete, func, inspect, literal, or_, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.events.compare import Known
from gateway.models import Snapshot, Stage, SyncState
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


async def differing(session: AsyncSession, *, place: ObservedPlace, hashes: Mapping[str, bytes | None]) -> dict[str, Known | None]:
    """What the snapshot says of the records whose hashes are not these, null of those that it does not know.

    A null hash stands for a record that is gone. Records that are as given never leave the database, which is what makes it cheap.
    """
    found: dict[str, Known | None] = {}
    record_ids = list(hashes)
    for start in range(0, len(record_ids), ROWS_PER_STATEMENT):
        some = {record_id: hashes[record_id] for record_id in record_ids[start : start + ROWS_PER_STATEMENT]}
        rows = await session.exec(_differing_in_arrays(place, some) if bulk.is_postgresql(session) else _differing_in_json(place, some))
        found |= {record_id: Known(hash=hashed, tick=tick) if tick is not None else None for record_id, hashed, tick in rows}
    return found


async def stored(session: AsyncSession, *, place: ObservedPlace, record_ids: Sequence[str]) -> dict[str, StoredRecord]:
    """These records as they were last seen, with their bodies; those that the snapshot does not know are left out."""
    rows = await _found(session, select(*_STORED).where(_of(place)), record_ids)
    return {record_id: StoredRecord(hash=hashed, tick=tick, body=body) for record_id, hashed, tick, body in rows}


async def missing(
    session: AsyncSession, *, place: ObservedPlace, run_id: UUID, after: str | None, up_to_tick: int, limit: int = ROWS_PER_STATEMENT
) -> MissingPage:
    """The records of the next `limit` keys after `after` that the run did not meet, found changed at `up_to_tick` or before.

    Nothing outside the range is looked at, so that it costs the same however large the snapshot is.
    """
    await bulk.expect_keys(session)
    keys = _range(place, after=after, limit=limit)
    is_live = and_(keys.c.hash.is_not(None), keys.c.tick <= up_to_tick)
    last_key, key_count, live_count = (
        await session.exec(select(func.max(keys.c.record_id), func.count(), func.count().filter(is_live)).select_from(keys))
    ).one()
    if not live_count:
        return MissingPage(record_ids=(), live_count=0, last_key=last_key if key_count == limit else None)

    # A difference of two sets reads each once; as a join PostgreSQL may read the whole range for each of its keys.
    live = select(_SNAPSHOT.c.record_id).where(
        _of(place), _between(_SNAPSHOT, after, last_key), _SNAPSHOT.c.hash.is_not(None), _SNAPSHOT.c.tick <= up_to_tick
    )
    met = select(_STAGE.c.record_id).where(_STAGE.c.run_id == run_id, _between(_STAGE, after, last_key))
    unmet = (await session.exec(live.except_(met))).all()  # type: ignore[call-overload]
    record_ids = sorted(record_id for (record_id,) in unmet)
    return MissingPage(record_ids=tuple(record_ids), live_count=live_count, last_key=last_key if key_count == limit else None)


async def purge_deleted(
    session: AsyncSession,
    *,
    place: ObservedPlace,
    after: str | None,
    up_to_tick: int,
    keeps_bodies: bool = True,
    limit: int = ROWS_PER_STATEMENT,
) -> str | None:
    """Forgets the deleted records among the next `limit` keys after `after`; returns where the next range begins, null at the end.

    Only those whose deletion was seen at `up_to_tick` or before: older sights, which could bring them back, are stale from then on.
    Unless they are to be kept, the bodies of all others are forgotten too. A session of an admin.
    """
    await bulk.expect_keys(session)
    keys = _range(place, after=after, limit=limit)
    old_count, body_count = func.count().filter(_is_old(keys.c, up_to_tick)), func.count().filter(keys.c.has_body)
    range_ = select(func.max(keys.c.record_id), func.count(), old_count, body_count).select_from(keys)
    last_key, key_count, old, with_body = (await session.exec(range_)).one()
    if last_key is None:
        return None
    if old or (with_body and not keeps_bodies):
        # Whoever observes holds the same row: two who write the same records in different orders would wait for each other.
        state = update(SyncState).where(col(SyncState.instance_id) == place.instance_id)
        forgotten_tick = case((col(SyncState.forgotten_tick) < up_to_tick, up_to_tick), else_=col(SyncState.forgotten_tick))
        await session.exec(state.values(forgotten_tick=forgotten_tick))
        await session.exec(delete(_SNAPSHOT).where(_of(place), _between(_SNAPSHOT, after, last_key), _is_old(_SNAPSHOT.c, up_to_tick)))
    if with_body and not keeps_bodies:
        has_body = and_(_of(place), _between(_SNAPSHOT, after, last_key), _SNAPSHOT.c.body.is_not(None))
        await session.exec(update(_SNAPSHOT).where(has_body).values(body=None))
    return str(last_key) if key_count == limit else None


async def forget(session: AsyncSession, *, instance_id: UUID, generation: int, limit: int = ROWS_PER_STATEMENT) -> int:
    """Deletes up to `limit` rows of a generation that is over; returns how many. To be repeated until it is 0, as `unstage`."""
    await bulk.expect_keys(session)
    is_its = and_(_SNAPSHOT.c.instance_id == instance_id, _SNAPSHOT.c.generation == generation)
    keys = select(_SNAPSHOT.c.record_id).where(is_its).order_by(_SNAPSHOT.c.record_id).limit(limit).subquery()
    last_key = (await session.exec(select(func.max(keys.c.record_id)))).one()
    if last_key is None:
        return 0
    return bulk.changed_rows(await session.exec(delete(_SNAPSHOT).where(is_its, _between(_SNAPSHOT, None, last_key))))


async def stage(session: AsyncSession, *, run_id: UUID, record_ids: Sequence[str]) -> int:
    """Notes that a run has met these records; returns how many of them it had not met before."""
    total = 0
    # In the order of the key: of ids in no order SQLite takes a fifth longer.
    for some in _slices(sorted(record_ids)):
        given = bulk.texts_of(session, some)
        rows = select(literal(run_id, _STAGE.c.run_id.type), given.c.value)
        if bulk.is_postgresql(session):
            statement: Any = postgresql.insert(_STAGE).from_select(["run_id", "record_id"], rows).on_conflict_do_nothing()
        else:
            # Without a condition SQLite takes ON for that of a join.
            statement = sqlite.insert(_STAGE).from_select(["run_id", "record_id"], rows.where(literal(value=True))).on_conflict_do_nothing()
        total += bulk.changed_rows(await session.exec(statement))
    return total


async def staged_count(session: AsyncSession, *, run_id: UUID) -> int:
    """How many records a run has met, as the stage has it: fewer than were staged when PostgreSQL emptied it in a crash."""
    return (await session.exec(select(func.count()).select_from(Stage).where(col(Stage.run_id) == run_id))).one()


async def unstage(session: AsyncSession, *, run_id: UUID, limit: int = ROWS_PER_STATEMENT) -> int:
    """Forgets up to `limit` records that a run has met; returns how many. To be repeated, in units of work of their own, until it is 0."""
    await bulk.expect_keys(session)
    keys = select(_STAGE.c.record_id).where(_STAGE.c.run_id == run_id).order_by(_STAGE.c.record_id).limit(limit).subquery()
    last_key = (await session.exec(select(func.max(keys.c.record_id)))).one()
    if last_key is None:
        return 0
    return bulk.changed_rows(await session.exec(delete(_STAGE).where(_STAGE.c.run_id == run_id, _between(_STAGE, None, last_key))))


async def write(session: AsyncSession, *, place: ObservedPlace, tick: int, columns: Mapping[str, Sequence[Any]]) -> None:
    """Keeps what was seen of records, `record_id`, `hash` and `body`, in place of what was known of them."""
    await bulk.insert(
        session,
        _SNAPSHOT,
        constants={"instance_id": place.instance_id, "generation": place.generation, "tick": tick},
        columns=columns,
        overwrites=("hash", "tick", "body"),
    )


_SNAPSHOT: Table = inspect(Snapshot).local_table  # type: ignore[assignment]
_STAGE: Table = inspect(Stage).local_table  # type: ignore[assignment]
_STORED = (_SNAPSHOT.c.record_id, _SNAPSHOT.c.hash, _SNAPSHOT.c.tick, _SNAPSHOT.c.body)


def _of(place: ObservedPlace) -> ColumnElement[bool]:
    return and_(_SNAPSHOT.c.instance_id == place.instance_id, _SNAPSHOT.c.generation == place.generation)


def _differing_in_arrays(place: ObservedPlace, hashes: Mapping[str, bytes | None]) -> Any:
    given = bulk.arrays(_SNAPSHOT, {"record_id": list(hashes), "hash": list(hashes.values())})
    # One look-up for each: left to choose, PostgreSQL may compare each row of the snapshot with each id.
    row = select(_SNAPSHOT.c.hash, _SNAPSHOT.c.tick).where(_of(place), _SNAPSHOT.c.record_id == given.c.record_id).limit(1).lateral("row")
    differs = or_(row.c.tick.is_(None), row.c.hash.is_distinct_from(given.c.hash))
    return select(given.c.record_id, row.c.hash, row.c.tick).select_from(given.outerjoin(row, true())).where(differs)


def _differing_in_json(place: ObservedPlace, hashes: Mapping[str, bytes | None]) -> Any:
    texts = {record_id: hashed.hex().upper() if hashed is not None else None for record_id, hashed in hashes.items()}
    given = func.json_each(orjson.dumps(texts).decode()).table_valued("key", "value", name="given")
    is_its_row = and_(_of(place), _SNAPSHOT.c.record_id == given.c.key)
    text = case((_SNAPSHOT.c.hash.is_not(None), func.hex(_SNAPSHOT.c.hash)))
    differs = or_(_SNAPSHOT.c.tick.is_(None), text.is_distinct_from(given.c.value))
    return select(given.c.key, _SNAPSHOT.c.hash, _SNAPSHOT.c.tick).select_from(given.outerjoin(_SNAPSHOT, is_its_row)).where(differs)


async def _found(session: AsyncSession, statement: Any, record_ids: Sequence[str]) -> list[Any]:
    rows: list[Any] = []
    for start in range(0, len(record_ids), ROWS_PER_STATEMENT):
        some = record_ids[start : start + ROWS_PER_STATEMENT]
        rows += (await session.exec(bulk.found_by_key(session, statement, key=_SNAPSHOT.c.record_id, texts=some))).all()  # type: ignore[call-overload]
    return rows


def _range(place: ObservedPlace, *, after: str | None, limit: int) -> Any:
    key = _SNAPSHOT.c.record_id
    keys = select(key, _SNAPSHOT.c.hash, _SNAPSHOT.c.tick, _SNAPSHOT.c.body.is_not(None).label("has_body")).where(_of(place))
    if after is not None:
        keys = keys.where(key > after)
    return keys.order_by(key).limit(limit).subquery()


def _between(table: Table, after: str | None, last: str) -> ColumnElement[bool]:
    key = table.c.record_id
    return key <= last if after is None else and_(key > after, key <= last)


def _is_old(columns: Any, up_to_tick: int) -> ColumnElement[bool]:
    return and_(columns.hash.is_(None), columns.tick <= up_to_tick)


def _slices(record_ids: Sequence[str]) -> list[Sequence[str]]:
    return [record_ids[start : start + ROWS_PER_STATEMENT] for start in range(0, len(record_ids), ROWS_PER_STATEMENT)]
