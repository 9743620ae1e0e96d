"""What really happened in an app, and whether a stream of events tells the same."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

State = Any
"""A record's content as the test compares it; null for one that is not there."""


@dataclass
class Ledger:
    """By record, every state that it had, in order; written by whoever changes the app, before the app is asked."""

    states: dict[str, list[State]] = field(default_factory=dict)

    @classmethod
    def starting_with(cls, content: Mapping[str, State]) -> "Ledger":
        """The ledger of an app with this content."""
        return cls({record: [state] for record, state in content.items()})

    def note(self, record: str, state: State) -> None:
        """The record's next state."""
        self.states.setdefault(record, [None]).append(state)

    def content(self) -> dict[str, State]:
        """What the app holds now."""
        return {record: states[-1] for record, states in self.states.items() if states[-1] is not None}


def replayed(content: Mapping[str, State], events: list[tuple[str, str, State]]) -> dict[str, State]:
    """The content after the events, each `(type, record, state)`; each must be possible where it stands."""
    now = dict(content)
    for kind, record, state in events:
        if kind == "CREATED":
            assert record not in now, f"{record} was created twice"
            now[record] = state
        elif kind == "UPDATED":
            assert now.get(record) not in (None, state), f"{record} was updated to what it was, or while it was not there"
            now[record] = state
        else:
            assert kind == "DELETED"
            assert record in now, f"{record} was deleted while it was not there"
            del now[record]
    return now


def require_order(ledger: Ledger, events: list[tuple[str, str, State]]) -> None:
    """Each record's events tell states that it had, in the order in which it had them, each at most as often as it had it."""
    places: Counter[str] = Counter()
    for _, record, state in events:
        states = ledger.states[record]
        found = next((place for place in range(places[record] + 1, len(states)) if states[place] == state), None)
        assert found is not None, f"{record} became {state!r} out of order; it was {states!r}"
        places[record] = found
