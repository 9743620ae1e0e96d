"""Hints of webhooks, which may come late, twice and out of order: what is believed of them. Pure."""

from datetime import datetime

from gateway.events import bodies
from gateway.events.snapshots import StoredRecord
from gateway.models import ChangeHint, ChangeType


def add(hints: dict[str, ChangeHint], hint: ChangeHint, *, finds: bool) -> None:
    """Puts a hint in the place of an earlier one of the same record, at the end: events keep the order of what they are made of."""
    earlier = hints.pop(hint.external_id, None)
    if earlier is not None and finds:
        # They may have come in another order than they were sent.
        hint = ChangeHint(type=hint.type, external_id=hint.external_id)
    elif earlier is not None and not _may_be_taken(hint, updated_at(earlier)):
        hint = earlier
    hints[hint.external_id] = hint


def is_taken(hint: ChangeHint, known: datetime | None, *, finds: bool) -> bool:
    """Whether the record is taken as the hint tells it, where the one that is known was changed at that time, null for none.

    An app that finds records by id is asked unless the hint is newer. One that does not is believed unless the hint is older.
    """
    return _is_newer(hint, known) if finds else _may_be_taken(hint, known)


def updated_at(hint: ChangeHint) -> datetime | None:
    """When the record was changed, as the hint tells it."""
    return hint.record.updated_at if hint.record is not None and hint.type is not ChangeType.DELETED else None


def time_of(record_id: str, stored: StoredRecord) -> datetime | None:
    """When a record was changed, as far as that is kept."""
    return bodies.decode(stored.body, record_id).updated_at if stored.body is not None else None


def _is_newer(hint: ChangeHint, known: datetime | None) -> bool:
    told = updated_at(hint)
    return told is not None and known is not None and told > known


def _may_be_taken(hint: ChangeHint, known: datetime | None) -> bool:
    if hint.type is not ChangeType.DELETED and hint.record is None:
        return False
    told = updated_at(hint)
    return told is None or known is None or told >= known
