"""The snapshot: what was last seen of each record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, String, Table, Text, and_, bindparam, case, cast, delete, func, inspect, or_, true, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.events.compare import Known
from gateway.events.stages import Met
from gateway.models import Snapshot, SyncState
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
class Compared:
    """What the snapshot says of records that were seen."""

    differing: dict[str, Known | None] = field(default_factory=dict)
    """What it says of those that are not as they were seen; null of those that it does not know."""
    numbers: list[int] = field(default_factory=list)
    """Those of all that are as they were seen, in no order."""
    differing_numbers: dict[str, int] = field(default_factory=dict)
    """Those of the others that it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPage:
    """One range of a snapshot's keys, compared with a stage."""

    record_ids: tuple[str, ...]
    """Records of the range that the run did not meet, in the order of their ids."""
    live_count: int
    """How many records of the range were there, met or not."""
    last_key: str | None
    """Where the next range begins; null when this was the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgettablePage:
    """What one range of a snapshot's keys holds that is to be forgotten."""

    record_ids: tuple[str, ...]
    """Records that were deleted long ago, or whose bodies are not to be kept, in the order of their ids."""
    last_key: str | None
    """Where the next range begins; null when this was the last."""


async def compared(session: AsyncSession, *, place: ObservedPlace, hashes: Mapping[str, bytes | None]) -> Compared:
    """What the snapshot says of records of these hashes, null for one that is gone.

    Of records that are as given only their numbers leave the database, all as one text, which is what makes it cheap.
    """
    differing, numbers, differing_numbers = dict[str, Known | None](), list[int](), dict[str, int]()
    # In the order of the key: in no order SQLite takes half as long again.
    make = _compared_in_arrays if bulk.is_postgresql(session) else _compared_in_json
    for some in _slices(sorted(hashes)):
        statement = make(place, some, hashes)
        found, rows = (await session.exec(statement)).one()
        numbers += _numbers(found)
        for record_id, hashed, tick, number in orjson.loads(rows or "[]"):
            differing[record_id] = Known(hash=bytes.fromhex(hashed) if hashed else None, tick=tick) if tick is not None else None
            if number is not None:
                differing_numbers[record_id] = number
    if differing_numbers:
        # The database gives them with the others, which costs less there than to tell them apart.
        others = frozenset(differing_numbers.values())
        numbers = [number for number in numbers if number not in others]
    return Compared(differing=differing, numbers=numbers, differing_numbers=differing_numbers)


async def numbers_of(session: AsyncSession, *, place: ObservedPlace, record_ids: Sequence[str]) -> list[int]:
    """The numbers of these records; those that the snapshot does not know have none."""
    return [number for _, number in await _found(session, select(_SNAPSHOT.c.record_id, _SNAPSHOT.c.number).where(_of(place)), record_ids)]


async def stored(session: AsyncSession, *, place: ObservedPlace, record_ids: Sequence[str]) -> dict[str, StoredRecord]:
    """These records as they were last seen, with their bodies; those that the snapshot does not know are left out."""
    rows = await _found(session, select(*_STORED).where(_of(place)), record_ids)
    return {record_id: StoredRecord(hash=hashed, tick=tick, body=body) for record_id, hashed, tick, body in rows}


async def missing(
    session: AsyncSession,
    *,
    place: ObservedPlace,
    run_id: UUID,
    after: str | None,
    up_to_tick: int,
    met: Met | None = None,
    limit: int = ROWS_PER_STATEMENT,
) -> MissingPage:
    """The records of the next `limit` keys after `after` that the run did not meet, found changed at `up_to_tick` or before.

    Nothing outside the range is looked at, so that it costs the same however large the snapshot is. With the same `met` for all ranges
    the stage is read once.
    """
    await bulk.expect_keys(session)
    met = met if met is not None else Met()
    await met.refresh(session, run_id)
    keys = _range(place, after=after, limit=limit)
    is_live = and_(keys.c.hash.is_not(None), keys.c.tick <= up_to_tick)
    range_ = select(func.max(keys.c.record_id), func.count(), _joined(keys.c.number).filter(is_live)).select_from(keys)
    last_key, key_count, found = (await session.exec(range_)).one()
    live = _numbers(found)
    unmet = [number for number in live if number not in met]
    record_ids = await _ids_of(session, place, unmet, between=(after, last_key)) if unmet else ()
    return MissingPage(record_ids=record_ids, live_count=len(live), last_key=last_key if key_count == limit else None)


async def forgettable(
    session: AsyncSession,
    *,
    place: ObservedPlace,
    after: str | None,
    up_to_tick: int,
    keeps_bodies: bool = True,
    limit: int = ROWS_PER_STATEMENT,
) -> ForgettablePage:
    """What is to be forgotten among the next `limit` keys after `after`: records whose deletion was seen at `up_to_tick` or before.

    Older sights, which could bring them back, are stale once they are forgotten. Unless bodies are to be kept, those of all others too.
    """
    await bulk.expect_keys(session)
    keys = _range(place, after=after, limit=limit)
    is_over = _is_old(keys.c, up_to_tick) if keeps_bodies else or_(_is_old(keys.c, up_to_tick), keys.c.has_body)
    counts = select(func.max(keys.c.record_id), func.count(), func.count().filter(is_over)).select_from(keys)
    last_key, key_count, over_count = (await session.exec(counts)).one()
    found = (await session.exec(select(keys.c.record_id).where(is_over).order_by(keys.c.record_id))).all() if over_count else ()
    return ForgettablePage(record_ids=tuple(found), last_key=last_key if key_count == limit else None)


async def purge_deleted(
    session: AsyncSession, *, place: ObservedPlace, record_ids: Sequence[str], up_to_tick: int, keeps_bodies: bool = True
) -> None:
    """Forgets those of these records whose deletion was seen at `up_to_tick` or before, and unless bodies are kept, those of the others.

    What was found to be forgettable stays so, whatever is observed meanwhile. A session of an admin.
    """
    await bulk.expect_keys(session)
    # Whoever observes holds the same row: two who write the same records in different orders would wait for each other. What was
    # compared before does not hold any more.
    state = update(SyncState).where(col(SyncState.instance_id) == place.instance_id)
    forgotten_tick = case((col(SyncState.forgotten_tick) < up_to_tick, up_to_tick), else_=col(SyncState.forgotten_tick))
    await session.exec(state.values(forgotten_tick=forgotten_tick, tick=SyncState.tick + 1))
    given = and_(_of(place), bulk.is_one_of(session, _SNAPSHOT.c.record_id, record_ids))
    await session.exec(delete(_SNAPSHOT).where(given, _is_old(_SNAPSHOT.c, up_to_tick)))
    if not keeps_bodies:
        await session.exec(update(_SNAPSHOT).where(given, _SNAPSHOT.c.body.is_not(None)).values(body=None))


async def forget(session: AsyncSession, *, instance_id: UUID, generation: int, limit: int = ROWS_PER_STATEMENT) -> int:
    """Deletes up to `limit` rows of a generation that is over; returns how many. To be repeated until it is 0."""
    await bulk.expect_keys(session)
    is_its = and_(_SNAPSHOT.c.instance_id == instance_id, _SNAPSHOT.c.generation == generation)
    keys = select(_SNAPSHOT.c.record_id).where(is_its).order_by(_SNAPSHOT.c.record_id).limit(limit).subquery()
    last_key = (await session.exec(select(func.max(keys.c.record_id)))).one()
    if last_key is None:
        return 0
    return bulk.changed_rows(await session.exec(delete(_SNAPSHOT).where(is_its, _between(_SNAPSHOT, None, last_key))))


async def write(session: AsyncSession, *, place: ObservedPlace, tick: int, columns: Mapping[str, Sequence[Any]]) -> None:
    """Keeps what was seen of records, `record_id`, `hash` and `body`, in place of what was known of them.

    Those that are not known get their `number`; the others keep theirs.
    """
    await bulk.insert(
        session,
        _SNAPSHOT,
        constants={"instance_id": place.instance_id, "generation": place.generation, "tick": tick},
        columns=columns,
        overwrites=("hash", "tick", "body"),
    )


_SNAPSHOT: Table = inspect(Snapshot).local_table  # type: ignore[assignment]
_STORED = (_SNAPSHOT.c.record_id, _SNAPSHOT.c.hash, _SNAPSHOT.c.tick, _SNAPSHOT.c.body)


def _of(place: ObservedPlace) -> ColumnElement[bool]:
    return and_(_SNAPSHOT.c.instance_id == place.instance_id, _SNAPSHOT.c.generation == place.generation)


def _compared_in_arrays(place: ObservedPlace, record_ids: Sequence[str], hashes: Mapping[str, bytes | None]) -> Any:
    given = bulk.arrays(_SNAPSHOT, {"record_id": record_ids, "hash": [hashes[record_id] for record_id in record_ids]})
    # One look-up for each: left to choose, PostgreSQL may compare each row of the snapshot with each id.
    columns = (_SNAPSHOT.c.hash, _SNAPSHOT.c.tick, _SNAPSHOT.c.number)
    row = select(*columns).where(_of(place), _SNAPSHOT.c.record_id == given.c.record_id).limit(1).lateral("row")
    differs = or_(row.c.tick.is_(None), row.c.hash.is_distinct_from(given.c.hash))
    told = func.json_build_array(given.c.record_id, func.encode(row.c.hash, "hex"), row.c.tick, row.c.number)
    rows = cast(func.json_agg(told).filter(differs), Text)
    return select(_joined(row.c.number), rows).select_from(given.outerjoin(row, true()))


def _compared_in_json(place: ObservedPlace, record_ids: Sequence[str], hashes: Mapping[str, bytes | None]) -> Any:
    # Of a null hash the text is empty.
    texts = {record_id: (hashes[record_id] or b"").hex().upper() for record_id in record_ids}
    given = orjson.dumps(texts).decode()
    return _comparison_in_json().params(given=given, instance_id=place.instance_id, generation=place.generation)


@cache
def _comparison_in_json() -> Any:
    """Made once: that costs as much as to look up hundreds of records."""
    given = func.json_each(bindparam("given")).table_valued("key", "value", name="given")
    place = and_(_SNAPSHOT.c.instance_id == bindparam("instance_id"), _SNAPSHOT.c.generation == bindparam("generation"))
    text = func.hex(_SNAPSHOT.c.hash)
    differs = or_(_SNAPSHOT.c.tick.is_(None), text != given.c.value)
    rows = func.json_group_array(func.json_array(given.c.key, text, _SNAPSHOT.c.tick, _SNAPSHOT.c.number)).filter(differs)
    joined = given.outerjoin(_SNAPSHOT, and_(place, _SNAPSHOT.c.record_id == given.c.key))
    return select(_joined(_SNAPSHOT.c.number), rows).select_from(joined)


def _joined(numbers: ColumnElement[int]) -> Any:
    """Numbers as one text, which `_numbers` reads: as rows they would cost as much as what they are looked up for."""
    return func.aggregate_strings(cast(numbers, String), ",")


def _numbers(joined: str | None) -> list[int]:
    numbers: list[int] = orjson.loads(f"[{joined or ''}]")
    return numbers


async def _ids_of(session: AsyncSession, place: ObservedPlace, numbers: list[int], *, between: tuple[str | None, str]) -> tuple[str, ...]:
    key = _SNAPSHOT.c.record_id
    rows = await session.exec(select(key, _SNAPSHOT.c.number).where(_of(place), _between(_SNAPSHOT, *between)).order_by(key))
    wanted = frozenset(numbers)
    return tuple(record_id for record_id, number in rows if number in wanted)


async def _found(session: AsyncSession, statement: Any, record_ids: Sequence[str]) -> list[Any]:
    rows: list[Any] = []
    for start in range(0, len(record_ids), ROWS_PER_STATEMENT):
        some = record_ids[start : start + ROWS_PER_STATEMENT]
        rows += (await session.exec(bulk.found_by_key(session, statement, key=_SNAPSHOT.c.record_id, texts=some))).all()  # type: ignore[call-overload]
    return rows


def _range(place: ObservedPlace, *, after: str | None, limit: int) -> Any:
    key, has_body = _SNAPSHOT.c.record_id, _SNAPSHOT.c.body.is_not(None).label("has_body")
    columns: list[Any] = [key, _SNAPSHOT.c.hash, _SNAPSHOT.c.tick, _SNAPSHOT.c.number, has_body]
    keys: Any = select(*columns).where(_of(place))
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
