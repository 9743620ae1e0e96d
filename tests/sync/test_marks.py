"""Marks: how far the changes of a collection were read."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.models import CursorOrder, CursorSync, CursorType
from gateway.sync import marks
from gateway.sync.marks import Range

START = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TIMES = CursorSync()
COUNTS = CursorSync(type=CursorType.COUNT)


def test_a_mark_moves_to_the_highest_value_that_was_seen():
    assert marks.promoted(START - 3 * HOUR, START - HOUR, run_start=START) == START - HOUR
    assert marks.promoted(4, 9, run_start=START) == 9


def test_a_mark_never_passes_the_start_of_its_run():
    assert marks.promoted(None, START + 5 * HOUR, run_start=START) == START


def test_a_mark_never_goes_back():
    assert marks.promoted(START - HOUR, START - 2 * HOUR, run_start=START) == START - HOUR
    assert marks.promoted(9, 4, run_start=START) == 9
    assert marks.promoted(9, None, run_start=START) == 9


def test_a_mark_passes_empty_ranges_but_keeps_an_hour_from_the_start():
    assert marks.promoted_over(START - 9 * HOUR, Range(end=START - 5 * HOUR), run_start=START) == START - 5 * HOUR
    assert marks.promoted_over(START - 9 * HOUR, Range(end=START), run_start=START) == START - HOUR
    assert marks.promoted_over(START - HOUR, Range(end=None), run_start=START) == START - HOUR
    assert marks.promoted_over(5, Range(start=5, end=9), run_start=START) == 5


@pytest.mark.parametrize(
    ("cursor", "mark", "start"),
    [
        (CursorSync(), START, START),
        (CursorSync(lookback=60), START, START - timedelta(minutes=1)),
        (CursorSync(is_inclusive=False, granularity=1), START, START - timedelta(seconds=1)),
        (CursorSync(is_inclusive=False), START, START - timedelta(microseconds=1)),
        (CursorSync(is_inclusive=False, granularity=1, lookback=9), START, START - timedelta(seconds=10)),
        (CursorSync(type=CursorType.COUNT, is_inclusive=False), 7, 6),
        (CursorSync(type=CursorType.COUNT, lookback=3), 2**63 + 1, 2**63 - 2),
        (CursorSync(), None, None),
        (CursorSync(lookback=1), datetime.min.replace(tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_pull_begins_behind_the_mark(cursor: CursorSync, mark: datetime | int | None, start: datetime | int | None):
    assert marks.start_after(mark, cursor) == start


def test_the_first_pull_begins_a_day_before_the_baseline_and_of_counts_at_the_beginning():
    assert marks.of_baseline(START, TIMES) == START - timedelta(days=1)
    assert marks.of_baseline(START, COUNTS) is None


@pytest.mark.parametrize("value", [START, 7, 2**70, 1.5, None])
def test_marks_survive_json(value: datetime | float | None):
    cursor = TIMES if isinstance(value, datetime) else COUNTS

    assert marks.decode(marks.encode(value), cursor) == value


def test_values_that_cannot_be_compared_move_no_mark():
    values = [float("nan"), float("inf"), 10**400, -(10**400), True, datetime(2026, 1, 1), START, None]

    assert marks.highest(values, COUNTS) is None
    assert marks.highest(values, TIMES) == START
    assert marks.decode(5, TIMES) is None
    assert marks.decode("2026-01-01T00:00:00", TIMES) is None
    assert marks.decode("2026-01-01T00:00:00Z", COUNTS) is None


def test_windows_follow_each_other_and_the_last_has_no_end():
    cursor = CursorSync(window=3600)
    first, rest = marks.next_range(Range(start=START - 2.5 * HOUR), cursor, run_start=START)
    assert (first, rest) == (Range(start=START - 2.5 * HOUR, end=START - 1.5 * HOUR), Range(start=START - 1.5 * HOUR))

    assert marks.next_range(Range(start=START - 0.5 * HOUR), cursor, run_start=START) == (Range(start=START - 0.5 * HOUR), None)


def test_after_an_empty_window_of_counts_all_that_remains_is_asked_for():
    cursor = CursorSync(type=CursorType.COUNT, window=10)

    assert marks.next_range(Range(start=5), cursor, run_start=START) == (Range(start=5, end=15), Range(start=15))
    assert marks.next_range(Range(start=15), cursor, run_start=START, was_empty=True) == (Range(start=15), None)


def test_a_range_that_was_cut_off_is_halved_until_its_values_cannot_be_told_apart():
    cursor = CursorSync(granularity=1, maximum_records=100, order=CursorOrder.UNSORTED)
    whole = Range(start=START, end=START + 2 * HOUR)

    assert marks.split(whole, None, cursor) == (Range(start=START, end=START + HOUR), Range(start=START + HOUR, end=START + 2 * HOUR))
    assert marks.split(Range(start=START), START + HOUR, cursor) == (Range(start=START, end=START + HOUR), Range(start=START + HOUR))
    assert marks.split(Range(start=START, end=START + timedelta(seconds=1)), None, cursor) is None
    assert marks.split(Range(start=START), START, cursor) is None
    assert marks.split(Range(start=10, end=13), None, COUNTS) == (Range(start=10, end=11), Range(start=11, end=13))
