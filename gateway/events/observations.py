"""Observations: what was seen of records becomes the snapshot, and the events that tell the difference, in the caller's unit of work."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, inspect, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import GenerationChangedError, UpstreamResponseError
from gateway.events import snapshots
from gateway.events.compare import Comparison, compare
from gateway.events.hashed_observations import Observation, hashed_observations, is_followable
from gateway.events.precomparison import PieceSize, Precompared, pieces_of, precompare
from gateway.events.snapshots import Compared, MissingPage, ObservedPlace, forgettable, missing, purge_deleted
from gateway.events.stages import Met, stage, staged_count, unstage
from gateway.models import ChangeType, Event, EventMethod, SyncState
from gateway.storage import bulk

__all__ = [
    "Met",
    "MissingPage",
    "Observation",
    "Observed",
    "ObservedPlace",
    "PieceSize",
    "Precompared",
    "forgettable",
    "hashed_observations",
    "is_followable",
    "missing",
    "observe",
    "observe_precompared",
    "pieces_of",
    "precompare",
    "purge_deleted",
    "stage",
    "staged_count",
    "tick_of",
    "unstage",
]

_LOG_LOCK = 0x6576656E74  # Any number will do; this one spells "event".
_EVENTS: Table = inspect(Event).local_table  # type: ignore[assignment]
_LOOKED_UP_AT_ONCE = 500
_WRITTEN_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What observations came to."""

    event_count: int
    """How many events were recorded."""
    changed_count: int
    """How many records of the snapshot were written, silently or not."""
    numbers: tuple[int, ...] = ()
    """The records that were seen, all but those that cannot be kept, by their numbers in the snapshot; for `stage`, in no order."""
    stale_ids: tuple[str, ...] = ()
    """Records that look different but may have changed after the app was asked: nothing was done, and they must be read again,
    as what was seen may still be the newer."""
    unfollowable_ids: tuple[str, ...] = ()
    """Records that cannot be kept for their ids (`is_followable`): nothing was done."""
    unrecordable_ids: tuple[str, ...] = ()
    """Records that are there, but are no JSON: nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """What is written of records that changed, by columns."""

    record_ids: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """For those that are new to the snapshot; it leaves the others as they are."""
    types: list[ChangeType | None] = field(default_factory=list)
    hashes: list[bytes | None] = field(default_factory=list)
    bodies: list[bytes | None] = field(default_factory=list)
    previous: list[bytes | None] = field(default_factory=list)
    unrecordable_ids: list[str] = field(default_factory=list)
    """Those of which nothing can be written."""


async def tick_of(session: AsyncSession, instance_id: UUID) -> int:
    """The instance's logical time. Read it before the app is asked, and give it to `observe` with what the app said."""
    return (await session.exec(select(SyncState.tick).where(SyncState.instance_id == instance_id))).one()


async def observe(
    session: AsyncSession,
    *,
    place: ObservedPlace,
    observations: Sequence[Observation],
    since_tick: int,
    method: EventMethod | Mapping[ChangeType, EventMethod],
    now: datetime,
    volatile_fields: Collection[str] = (),
    keeps_bodies: bool = True,
    is_silent: bool = False,
) -> Observed:
    """Compares what the app says with the snapshot, keeps it, and records an event for each difference; `is_silent` records none.

    Of two observations of a record the later one counts. Events keep the order of the observations. A session of an admin, and
    one unit of work that ends soon after: others wait for this instance, and on the log. Ring the bell after the commit. Raises
    GenerationChangedError when the place's generation is not the instance's present one.
    """
    return await observe_precompared(
        session,
        place=place,
        precompared=Precompared(hashed=await hashed_observations(observations, volatile_fields)),
        since_tick=since_tick,
        method=method,
        now=now,
        keeps_bodies=keeps_bodies,
        is_silent=is_silent,
    )


async def observe_precompared(
    session: AsyncSession,
    *,
    place: ObservedPlace,
    precompared: Precompared,
    since_tick: int,
    method: EventMethod | Mapping[ChangeType, EventMethod],
    now: datetime,
    keeps_bodies: bool = True,
    is_silent: bool = False,
) -> Observed:
    """The same of what was compared before the unit of work began, as far as nobody has observed the instance since."""
    hashed = precompared.hashed
    await bulk.expect_keys(session)
    state = await _advance(session, place)
    known = (
        precompared.compared if precompared.tick == state.tick - 1 else await snapshots.compared(session, place=place, hashes=hashed.hashes)
    )
    comparison = compare(hashed.hashes, known.differing, since_tick=since_tick, forgotten_tick=state.forgotten_tick)

    rows = await _rows(session, place=place, comparison=comparison, precompared=precompared, keeps_bodies=keeps_bodies, is_silent=is_silent)
    new_count = await _write(session, place=place, state=state, rows=rows, known=known)
    event_count = 0 if is_silent else await _append(session, place=place, rows=rows, last_seq=state.last_seq, method=method, now=now)
    if new_count or event_count:
        await _count(session, place, last_number=state.last_number + new_count, last_seq=state.last_seq + event_count)
    new = range(state.last_number + 1, state.last_number + new_count + 1)
    unread = [each for each in hashed.records if each not in hashed.hashes] if len(hashed.hashes) < len(hashed.records) else []
    return Observed(
        event_count=event_count,
        changed_count=len(rows.record_ids),
        numbers=(
            *known.numbers,
            *known.differing_numbers.values(),
            *new,
            *await snapshots.numbers_of(session, place=place, record_ids=unread),
        ),
        stale_ids=comparison.stale_ids,
        unfollowable_ids=hashed.unfollowable_ids,
        unrecordable_ids=(*unread, *rows.unrecordable_ids),
    )


async def _advance(session: AsyncSession, place: ObservedPlace) -> Any:
    """The counters of the instance, at its next tick.

    From here on nobody else observes the instance until the unit of work ends.
    """
    statement = (
        update(SyncState)
        .where(col(SyncState.instance_id) == place.instance_id, col(SyncState.generation) == place.generation)
        .values(tick=SyncState.tick + 1)
        .returning(col(SyncState.tick), col(SyncState.forgotten_tick), col(SyncState.last_seq), col(SyncState.last_number))
    )
    row = (await session.exec(statement.execution_options(synchronize_session=False))).first()
    if row is None:
        raise GenerationChangedError(
            f"Generation {place.generation} of instance {place.instance_id} is not the present one. Start again from its present pointer."
        )
    return row


async def _rows(
    session: AsyncSession,
    *,
    place: ObservedPlace,
    comparison: Comparison,
    precompared: Precompared,
    keeps_bodies: bool,
    is_silent: bool,
) -> _Rows:
    """What there is to keep and to tell of the differences."""
    tells_previous = keeps_bodies and not is_silent
    rows = _Rows()
    differences = comparison.differences
    for start in range(0, len(differences), _LOOKED_UP_AT_ONCE):
        some = differences[start : start + _LOOKED_UP_AT_ONCE]
        known_ids = [each.record_id for each in some if each.type not in (None, ChangeType.CREATED)] if tells_previous else []
        before = await snapshots.stored(session, place=place, record_ids=known_ids)
        for each in some:
            try:
                body = precompared.body_of(each.record_id) if keeps_bodies else None
            except UpstreamResponseError:
                # What is none of its hash, such as its name, may be no JSON either.
                rows.unrecordable_ids.append(each.record_id)
                continue
            rows.record_ids.append(each.record_id)
            rows.types.append(each.type)
            rows.hashes.append(each.hash)
            rows.bodies.append(body)
            rows.previous.append(before[each.record_id].body if each.record_id in before else None)
    return rows


async def _write(session: AsyncSession, *, place: ObservedPlace, state: Any, rows: _Rows, known: Compared) -> int:
    """Keeps the differences in the snapshot; returns how many records are new to it, to which the next numbers are given."""
    number = state.last_number
    for record_id in rows.record_ids:
        number += known.differing[record_id] is None
        rows.numbers.append(number)
    # In the order of the key: a page of the table is then written to once, and not again and again.
    order = sorted(range(len(rows.record_ids)), key=rows.record_ids.__getitem__)
    columns: dict[str, list[Any]] = {"record_id": rows.record_ids, "number": rows.numbers, "hash": rows.hashes, "body": rows.bodies}
    ordered = {name: [values[index] for index in order] for name, values in columns.items()}
    for start, end in _chunks(ordered["body"]):
        some = {name: values[start:end] for name, values in ordered.items()}
        await snapshots.write(session, place=place, tick=state.tick, columns=some)
    return int(number - state.last_number)


async def _append(
    session: AsyncSession,
    *,
    place: ObservedPlace,
    rows: _Rows,
    last_seq: int,
    method: EventMethod | Mapping[ChangeType, EventMethod],
    now: datetime,
) -> int:
    """Records what there is to tell at the end of the log, which nobody else writes to from here on until the unit of work ends."""
    told = [(number, change) for number, change in enumerate(rows.types) if change is not None]
    if not told:
        return 0
    methods = {change: method if isinstance(method, EventMethod) else method[change] for _, change in told}
    columns: dict[str, Sequence[Any]] = {
        "seq": list(range(last_seq + 1, last_seq + len(told) + 1)),
        "type": [change.value for _, change in told],
        "method": [methods[change].value for _, change in told],
        "record_id": [rows.record_ids[number] for number, _ in told],
        "body": [rows.bodies[number] for number, _ in told],
        "previous": [rows.previous[number] for number, _ in told],
    }
    constants = {**_owner(place), "recorded_at": now}
    for start, end in _chunks(columns["body"], columns["previous"]):
        some = {name: values[start:end] for name, values in columns.items()}
        await bulk.insert(session, _EVENTS, constants=constants, columns=some, lock=_LOG_LOCK)
    return len(told)


async def _count(session: AsyncSession, place: ObservedPlace, **counters: int) -> None:
    statement = update(SyncState).where(col(SyncState.instance_id) == place.instance_id).values(**counters)
    await session.exec(statement.execution_options(synchronize_session=False))


def _owner(place: ObservedPlace) -> dict[str, UUID | int]:
    return {"instance_id": place.instance_id, "connection_id": place.connection_id, "generation": place.generation}


def _chunks(*columns: Sequence[bytes | None]) -> list[tuple[int, int]]:
    """Ranges of rows that one statement writes: not too many, and of not too many bytes."""
    ranges = []
    start = size = 0
    for number, values in enumerate(zip(*columns, strict=True)):
        weight = sum(len(value) for value in values if value is not None)
        if number > start and (size + weight > _WRITTEN_BYTES or number - start == bulk.ROWS_PER_STATEMENT):
            ranges.append((start, number))
            start, size = number, 0
        size += weight
    if columns and start < len(columns[0]):
        ranges.append((start, len(columns[0])))
    return ranges
