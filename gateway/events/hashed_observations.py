"""Hashed observations: what an app says of records, made ready to be compared; no unit of work waits for it."""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.errors import UpstreamResponseError
from gateway.events import bodies
from gateway.models import Record

AT_ONCE = 500
"""After so many records clients are answered and leases renewed."""
_MAXIMUM_ID_CHARACTERS = 1_000
_MAXIMUM_ID_BYTES = 2_400  # An index of PostgreSQL holds no keys of more than 2,704 bytes, all columns together.
_NOT_IN_AN_ID = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Observation(NamedTuple):
    """What the app says of one record. A tuple of two, as a sync makes very many; name its parts all the same."""

    external_id: str
    record: Record | None
    """Null when the app no longer has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedObservations:
    """What the app says of records, each of them once, in the order in which they were observed last."""

    records: Mapping[str, Record | None]
    hashes: Mapping[str, bytes | None]
    """Of those that can be recorded; null for what the app no longer has."""
    unfollowable_ids: tuple[str, ...] = ()
    """Those that cannot be kept for their ids, which are not among the records."""


def is_followable(external_id: str) -> bool:
    """Whether changes of a record of that id can be told: it is short enough, and of signs that ids have."""
    if not 0 < len(external_id) <= _MAXIMUM_ID_CHARACTERS:
        return False
    if external_id.isascii():
        return external_id.isprintable()
    return not _NOT_IN_AN_ID.search(external_id) and len(external_id.encode()) <= _MAXIMUM_ID_BYTES


async def hashed_observations(observations: Sequence[Observation], volatile_fields: Collection[str] = ()) -> HashedObservations:
    """What observations come to: of two of a record the later one counts."""
    records: dict[str, Record | None] = {}
    unfollowable_ids: list[str] = []
    for external_id, record in observations:
        if not is_followable(external_id):
            unfollowable_ids.append(external_id)
            continue
        # Taken out first, so that a record that is met twice stands where it was met last.
        records.pop(external_id, None)
        records[external_id] = record
    hashes = await _hashes(records, frozenset(volatile_fields))
    return HashedObservations(records=records, hashes=hashes, unfollowable_ids=tuple(unfollowable_ids))


async def _hashes(records: Mapping[str, Record | None], volatile_fields: frozenset[str]) -> dict[str, bytes | None]:
    hashes: dict[str, bytes | None] = {}
    for number, (record_id, record) in enumerate(records.items(), start=1):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        try:
            hashes[record_id] = bodies.hash_of(record, volatile_fields) if record is not None else None
        except UpstreamResponseError:
            # One record that cannot be recorded keeps no others back.
            continue
    return hashes
