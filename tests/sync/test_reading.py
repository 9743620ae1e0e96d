"""Readings by cursor values alone, page by page, while the app changes between any two of them: nothing that changed stays unseen."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.models import Change, ChangePage, CursorOrder, CursorSync, CursorType, CursorValue, Record
from gateway.sync import marks, reading
from gateway.sync.marks import Range
from tests.sync.test_histories import CURSORS

START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcdefgh")),
        st.tuples(st.just("put"), st.sampled_from("abcdefgh")),
        st.tuples(st.just("remove"), st.sampled_from("abcdefgh")),
        st.tuples(st.just("page"), st.none()),
        st.tuples(st.just("page"), st.none()),
        st.tuples(st.just("begin anew"), st.none()),
        st.tuples(st.just("forget pages"), st.none()),
    ),
    max_size=40,
)


@dataclass
class App:
    """Records by id, each with the number of its last change; what is removed leaves no trace."""

    cursor: CursorSync
    count: int = 0
    records: dict[str, int] = field(default_factory=dict)

    def value(self, count: int) -> CursorValue:
        """What the app tells of a change: its number, or its time, an hour for each."""
        return count if self.cursor.type is CursorType.COUNT else START + timedelta(hours=count)

    def page(self, asked: Range, position: int) -> ChangePage:
        """Three records by position, at the moment they are asked for."""
        told = sorted((self.value(count), record_id) for record_id, count in self.records.items())
        chosen = [each for each in told if not self.cursor.is_filtered or self._is_within(each[0], asked)]
        if self.cursor.order is not CursorOrder.ASCENDING:
            chosen.sort(key=(lambda each: each[1]) if self.cursor.order is CursorOrder.UNSORTED else (lambda each: each[0]))
            chosen = chosen if self.cursor.order is CursorOrder.UNSORTED else chosen[::-1]
        chosen = chosen[: self.cursor.maximum_records]
        changes = tuple(
            Change(external_id=record_id, cursor=value, record=Record(external_id=record_id, fields={})) for value, record_id in chosen
        )
        end = position + 3
        return ChangePage(changes=changes[position:end], next_token=end if end < len(chosen) else None)

    def _is_within(self, value: Any, asked: Range) -> bool:
        after = asked.start is None or value > asked.start or (value == asked.start and self.cursor.is_inclusive)
        return after and (asked.end is None or value <= asked.end)


@dataclass
class Puller:
    """Reads the app as pulls do, and knows the last change of each record that it was told of."""

    app: App
    known: dict[str, CursorValue | None] = field(default_factory=dict)
    mark: CursorValue | None = None
    state: reading.CursorReading | None = None

    def read_page(self) -> bool:
        """Whether the page that comes next is the last of the pull."""
        cursor = self.app.cursor
        state = self.state or reading.begin(self.mark, cursor, run_start=START + timedelta(hours=self.app.count))
        page = self.app.page(state.current, state.token or 0)
        new = {change.external_id: change.cursor for change in page.changes if self.known.get(change.external_id) != change.cursor}
        self.known |= new
        state, is_last = reading.after(state, page, cursor, event_count=len(new))
        if is_last and state.is_incomplete:
            # Then everything is listed.
            self.known |= {record_id: self.app.value(count) for record_id, count in self.app.records.items()}
        state = reading.from_json(state.as_json(), cursor)
        self.state, self.mark = None if is_last else state, state.mark
        return is_last

    @property
    def is_between_pages(self) -> bool:
        """Whether it goes on with a page of the range that it is at."""
        return self.state is not None and self.state.token is not None

    def restart(self) -> None:
        """From the first page again, as page tokens no longer fit."""
        if self.state is not None and self.is_between_pages:
            self.state = reading.restarted(self.state, self.app.cursor)


def played(app: App, puller: Puller, steps: list[tuple[str, Any]]) -> Iterator[None]:
    """Each step in turn."""
    for name, record_id in steps:
        if name in ("put", "remove"):
            app.count += 1
        if name == "put":
            app.records[record_id] = app.count
        elif name == "remove" and not puller.is_between_pages:
            # Between two pages it would move a record onto the one that was read: only a full sync finds that one.
            app.records.pop(record_id, None)
        elif name == "page":
            puller.read_page()
        elif name == "begin anew":
            puller.state = None
        else:
            puller.restart()
        yield


@pytest.mark.parametrize("name", CURSORS)
@given(steps=STEPS)
def test_what_changes_while_it_is_read_is_seen_in_the_end(name: str, steps: list[tuple[str, Any]]):
    app = App(CURSORS[name])
    puller = Puller(app)

    for _ in played(app, puller, steps):
        assert puller.mark is None or marks.usable(puller.mark, app.cursor) == puller.mark

    for _ in range(3):
        for _ in range(500):
            if puller.read_page():
                break
        else:
            raise AssertionError("The pull does not end.")
    assert {record_id: puller.known.get(record_id) for record_id in app.records} == {
        record_id: app.value(count) for record_id, count in app.records.items()
    }
