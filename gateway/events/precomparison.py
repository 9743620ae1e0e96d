"""Precomparison: records are compared, and made into bytes, before the unit of work begins that writes them, in pieces that end soon.

What it takes to find out that nothing has changed holds nobody up. That it still holds, the unit of work sees at the instance's tick.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import UpstreamResponseError
from gateway.events import bodies, snapshots
from gateway.events.hashed_observations import HashedObservations
from gateway.events.snapshots import Compared, ObservedPlace
from gateway.models import SyncState
from gateway.storage import bulk

MOST_WRITTEN = 1_000
"""So many records are written in one unit of work at most: on SQLite all other writers wait for its end."""
LEAST_WRITTEN = 125
"""So many where even those take long: a unit of work costs as much as some hundred records, however few it writes."""
LONG_SECONDS = 0.2
SHORT_SECONDS = 0.1
MOST_BYTES = 4 * 1024 * 1024
"""Of their bodies; one that is larger is written alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Precompared:
    """What an app says of records, and how it compares with the snapshot of some moment."""

    hashed: HashedObservations
    tick: int | None = None
    """The instance's logical time at that moment; null where nothing was compared."""
    compared: Compared = field(default_factory=Compared)
    encoded: Mapping[str, bytes | None] = field(default_factory=dict, repr=False)
    """Bodies of some of the records that are to be written."""
    is_last: bool = True
    """Whether no piece of the same page comes after this one."""

    def body_of(self, record_id: str) -> bytes | None:
        """The record as it is kept, null when the app no longer has it. Raises UpstreamResponseError when it is no JSON."""
        if record_id in self.encoded:
            return self.encoded[record_id]
        record = self.hashed.records[record_id]
        return bodies.encode(record) if record is not None else None


@dataclass(slots=True)
class PieceSize:
    """How many records a unit of work is to write: fewer for as long as it takes long, as on a slow disk."""

    most: int = MOST_WRITTEN

    def took(self, seconds: float) -> None:
        """Learns how long a unit of work took, with the wait for those of others."""
        if seconds > LONG_SECONDS:
            self.most = max(self.most // 2, LEAST_WRITTEN)
        elif seconds < SHORT_SECONDS:
            self.most = min(self.most * 2, MOST_WRITTEN)


async def precompare(session: AsyncSession, *, place: ObservedPlace, hashed: HashedObservations) -> Precompared:
    """Compares with the snapshot of the session's moment; all of its statements see the same one. A session of an admin."""
    await bulk.expect_keys(session)
    tick = (await session.exec(select(SyncState.tick).where(SyncState.instance_id == place.instance_id))).one()
    return Precompared(hashed=hashed, tick=tick, compared=await snapshots.compared(session, place=place, hashes=hashed.hashes))


def pieces_of(precompared: Precompared, *, keeps_bodies: bool, piece_size: PieceSize) -> Iterator[Precompared]:
    """What is to be observed in one unit of work each, one after the other: all that is as it was, and few records to write.

    Each expects to find the snapshot as the one before has left it, and is as large as the piece size says by then.
    """
    if not precompared.compared.differing:
        yield precompared
        return
    differing = [record_id for record_id in precompared.hashed.records if record_id in precompared.compared.differing]
    start = number = 0
    while start < len(differing):
        some = differing[start : start + piece_size.most]
        count, encoded = _encoded(precompared, some) if keeps_bodies else (len(some), {})
        start += count
        yield _piece(precompared, some[:count], number=number, encoded=encoded, is_last=start == len(differing))
        number += 1


def _encoded(precompared: Precompared, record_ids: Sequence[str]) -> tuple[int, dict[str, bytes | None]]:
    """How many of these records are not too large together, at least one, and the bodies of those."""
    encoded, size = dict[str, bytes | None](), 0
    for count, record_id in enumerate(record_ids):
        try:
            body = precompared.body_of(record_id)
        except UpstreamResponseError:
            continue  # Whoever writes it finds out again, and tells.
        size += len(body or b"")
        if count > 0 and size > MOST_BYTES:
            return count, encoded
        encoded[record_id] = body
    return len(record_ids), encoded


def _piece(
    precompared: Precompared, record_ids: Sequence[str], *, number: int, encoded: Mapping[str, bytes | None], is_last: bool
) -> Precompared:
    """These records, which differ; and in the first piece all that do not."""
    hashed, compared = precompared.hashed, precompared.compared
    written = frozenset(record_ids)
    kept = [each for each in hashed.records if each in written or (number == 0 and each not in compared.differing)]
    return Precompared(
        hashed=HashedObservations(
            records={each: hashed.records[each] for each in kept},
            hashes={each: hashed.hashes[each] for each in kept if each in hashed.hashes},
            unfollowable_ids=hashed.unfollowable_ids if number == 0 else (),
        ),
        tick=precompared.tick + number if precompared.tick is not None else None,
        compared=Compared(
            differing={each: compared.differing[each] for each in record_ids},
            numbers=compared.numbers if number == 0 else [],
            differing_numbers={each: known for each in record_ids if (known := compared.differing_numbers.get(each)) is not None},
        ),
        encoded=encoded,
        is_last=is_last,
    )
