"""Hints of webhooks, which may come late, twice and out of order: what is believed of them. Pure."""

from dataclasses import dataclass
from datetime import datetime

from gateway.events import bodies
from gateway.events.snapshots import StoredRecord
from gateway.models import ChangeHint, ChangeType


@dataclass(frozen=True, slots=True)
class ReceivedHint:
    """A hint, and when it came in."""

    hint: ChangeHint
    tick: int
    """The instance's logical time before that."""


def add(hints: dict[str, ReceivedHint], hint: ChangeHint, *, tick: int, finds: bool) -> None:
    """Puts a hint in the place of an earlier one of the same record, at the end: events keep the order of what they are made of."""
    earlier = hints.pop(hint.external_id, None)
    if earlier is not None:
        # They may have come in another order than they were sent.
        is_deleted = earlier.hint.type is ChangeType.DELETED
        is_doubtful = finds or not _is_whole(earlier.hint) or _brings_back(hint, is_deleted=is_deleted)
        hint = thin(hint) if is_doubtful else hint if _is_not_older(hint, updated_at(earlier.hint)) else earlier.hint
        tick = min(tick, earlier.tick)
    hints[hint.external_id] = ReceivedHint(hint, tick)


def thin(hint: ChangeHint) -> ChangeHint:
    """The hint without what it says of the record, which only the app can tell."""
    return ChangeHint(type=hint.type, external_id=hint.external_id)


def is_taken(received: ReceivedHint, known: StoredRecord | None, *, finds: bool) -> bool:
    """Whether the record is taken as the hint tells it, where the snapshot holds that of it, null for nothing.

    A record that says itself that it is newer is. Otherwise an app that finds records by id is asked; one that does not is
    believed, unless the hint is older, or may be: what was found since it came in counts for more, and so does a deletion.
    """
    hint, told = received.hint, updated_at(received.hint)
    known_at = bodies.decode(known.body, hint.external_id).updated_at if known is not None and known.body is not None else None
    if told is not None and known_at is not None and told > known_at:
        return True
    if finds or (known is not None and (known.tick > received.tick or _brings_back(hint, is_deleted=known.hash is None))):
        return False
    return _is_whole(hint) and _is_not_older(hint, known_at)


def updated_at(hint: ChangeHint) -> datetime | None:
    """When the record was changed, as the hint tells it."""
    return hint.record.updated_at if hint.record is not None and hint.type is not ChangeType.DELETED else None


def _brings_back(hint: ChangeHint, *, is_deleted: bool) -> bool:
    """Whether it tells of a record that was deleted: it was made anew, or the hint is late."""
    return is_deleted and hint.type is not ChangeType.DELETED


def _is_whole(hint: ChangeHint) -> bool:
    return hint.type is ChangeType.DELETED or hint.record is not None


def _is_not_older(hint: ChangeHint, known: datetime | None) -> bool:
    told = updated_at(hint)
    return told is None or known is None or told >= known
