"""Changes that are told at once, with what is made of them for several listeners."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gateway.events.cursors import cursor_of
from gateway.events.log import RecordedEvent


@dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """Changes in their order. Whoever listens to the same gets the very same object: what one makes of it serves all."""

    log_id: UUID
    events: tuple[RecordedEvent, ...]
    start: int
    """The position after which it begins."""
    end: int
    """The position up to which nothing is missing; often later than that of its last event."""
    results: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    """What was made of it, such as an encoded answer, for the next one who asks for the same."""

    @property
    def cursor(self) -> str:
        """Where to go on after all of it."""
        return cursor_of(self.log_id, self.end)

    @property
    def weight(self) -> int:
        """How many bytes the bodies of its events take."""
        return sum(event.weight for event in self.events)

    def cursor_after(self, event: RecordedEvent) -> str:
        """Where to go on after one of its events."""
        return cursor_of(self.log_id, event.pos)

    def after(self, position: int) -> "Batch":
        """What of it comes after a position: itself, where that is all."""
        if not self.events or self.events[0].pos > position:
            return self
        events = tuple(event for event in self.events if event.pos > position)
        return Batch(log_id=self.log_id, events=events, start=position, end=self.end)
