"""The stage: which records of a snapshot a run has met, by their numbers. What a commit adds is one row, written once."""

import struct
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Table, delete, func, inspect
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.models import Stage
from gateway.storage import bulk

_NUMBERS_PER_CHUNK = 1 << 12
"""Of an instance whose records come and go, few numbers of a chunk may be left: then a smaller one wastes less."""
_ROWS_AT_ONCE = 100
_NUMBER_BYTES = 8
_STAGE: Table = inspect(Stage).local_table  # type: ignore[assignment]


class Met:
    """The records that a run has met, held in memory: a byte for each, so that millions take little.

    It only saves reading the stage again: whoever uses it compares it with what the database says, which alone counts.
    """

    def __init__(self) -> None:
        self.run_id: UUID | None = None
        self.count = 0
        self._chunks: dict[int, bytearray] = {}

    def __contains__(self, number: int) -> bool:
        chunk = self._chunks.get(number // _NUMBERS_PER_CHUNK)
        return chunk is not None and chunk[number % _NUMBERS_PER_CHUNK] == 1

    def add(self, numbers: Iterable[int]) -> list[int]:
        """Notes these records; returns those that were not met before."""
        chunks, added = self._chunks, []
        for number in numbers:
            key, place = divmod(number, _NUMBERS_PER_CHUNK)
            chunk = chunks.get(key)
            if chunk is None:
                chunk = chunks[key] = bytearray(_NUMBERS_PER_CHUNK)
            if not chunk[place]:
                chunk[place] = 1
                added.append(number)
        self.count += len(added)
        return added

    async def refresh(self, session: AsyncSession, run_id: UUID) -> None:
        """Makes it what the stage holds of the run; where it is that already, this costs one look."""
        if self.run_id == run_id and self.count == await staged_count(session, run_id=run_id):
            return
        self.run_id, self.count, self._chunks = run_id, 0, {}
        rows = select(Stage.count, Stage.numbers).where(Stage.run_id == run_id).order_by(col(Stage.count)).limit(_ROWS_AT_ONCE)
        slice_ = (await session.exec(rows)).all()
        while slice_:
            for _, numbers in slice_:
                self.add(_unpacked(numbers))
            last_key, _ = slice_[-1]
            slice_ = (await session.exec(rows.where(col(Stage.count) > last_key))).all()


async def stage(session: AsyncSession, *, run_id: UUID, numbers: Sequence[int], met: Met | None = None) -> int:
    """Notes that a run has met the records of these numbers; returns how many of them it had not met before.

    With `met` of the same worker's earlier commits the stage is not read again.
    """
    met = met if met is not None else Met()
    await met.refresh(session, run_id)
    added = met.add(numbers)
    if added:
        packed = struct.pack(f"<{len(added)}q", *added)
        await bulk.insert(session, _STAGE, constants={"run_id": run_id}, columns={"count": [met.count], "numbers": [packed]})
    return len(added)


async def staged_count(session: AsyncSession, *, run_id: UUID) -> int:
    """How many records a run has met."""
    return (await session.exec(select(func.coalesce(func.max(Stage.count), 0)).where(Stage.run_id == run_id))).one()


async def unstage(session: AsyncSession, *, run_id: UUID, limit: int = _ROWS_AT_ONCE) -> int:
    """Forgets what a run has met in up to `limit` commits; returns in how many. To be repeated, in units of work of their own, until it
    is 0. The last commits go first: whoever is stopped on the way leaves all that the run had met up to some commit, and the count of it.
    """
    await bulk.expect_keys(session)
    keys = select(_STAGE.c.count).where(_STAGE.c.run_id == run_id).order_by(_STAGE.c.count.desc()).limit(limit).subquery()
    first_key = (await session.exec(select(func.min(keys.c.count)))).one()
    if first_key is None:
        return 0
    return bulk.changed_rows(await session.exec(delete(_STAGE).where(_STAGE.c.run_id == run_id, _STAGE.c.count >= first_key)))


def _unpacked(numbers: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(numbers) // _NUMBER_BYTES}q", numbers)
