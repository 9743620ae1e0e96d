"""What happened to records: what was seen of them, against what was known."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.models import ChangeType


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the snapshot says of a record."""

    hash: bytes | None
    """Null when it was deleted."""
    tick: int
    """When it was last found changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is to be written down of one record."""

    record_id: str
    type: ChangeType | None
    """What to tell; null for the deletion of a record that was never known, which is only remembered."""
    hash: bytes | None
    """Null when the app no longer has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What happened to the records that were seen, in the order in which they were seen."""

    differences: tuple[Difference, ...]
    stale_ids: tuple[str, ...]
    """Records that look different from what is known, but may have changed after the app was asked."""


def compare(seen: Mapping[str, bytes | None], known: Mapping[str, Known | None], *, since_tick: int, forgotten_tick: int = 0) -> Comparison:
    """What `seen` changes of `known`: hashes by record id, null for what the app no longer has; it was asked at `since_tick`.

    `known` holds what was known of the records that look different, null where nothing was; those that it leaves out did not change.
    What is not known may have been deleted at `forgotten_tick` or before.
    """
    differences: list[Difference] = []
    stale_ids: list[str] = []
    for record_id in [each for each in seen if each in known] if known else []:
        before, found = known[record_id], seen[record_id]
        changed_at = before.tick if before is not None else forgotten_tick if found is not None else 0
        if changed_at > since_tick:
            stale_ids.append(record_id)
        else:
            differences.append(Difference(record_id=record_id, type=_type_of(before, found), hash=found))
    return Comparison(differences=tuple(differences), stale_ids=tuple(stale_ids))


def _type_of(before: Known | None, found: bytes | None) -> ChangeType | None:
    was_there = before is not None and before.hash is not None
    if found is None:
        return ChangeType.DELETED if was_there else None
    return ChangeType.UPDATED if was_there else ChangeType.CREATED
