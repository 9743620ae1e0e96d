"""Places in the event log as text that a client keeps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.errors import InvalidError

_CURSOR = re.compile(r"([0-9a-f]{32})\.(0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a log: everything up to this position was read."""

    log_id: UUID
    pos: int


def cursor_of(log_id: UUID, pos: int) -> str:
    """The place as text."""
    return f"{log_id.hex}.{pos}"


def parse_cursor(text: str, *, field: Sequence[str] = ("after",)) -> Cursor:
    """The place that `cursor_of` made text of. Raises InvalidError when it is no such text."""
    match = _CURSOR.fullmatch(text)
    if match is None or int(match[2]) >= 2**63:
        raise InvalidError(
            "The cursor is damaged. Read the records again, and go on from the `eventsCursor` that comes with them.", field=field
        )
    return Cursor(log_id=UUID(hex=match[1]), pos=int(match[2]))
