"""Times as texts: which of them stand as they are told."""

import re
from itertools import combinations, product

import pytest

from gateway.expressions import times

_AS_TOLD = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
YEARS = (0, 1, 1900, 2000, 2023, 2024, 9999)


def test_of_every_day_that_a_text_can_name_it_is_known_whether_the_calendar_has_it():
    days = [f"{year:04}-{month:02}-{day:02}T23:59:59Z" for year in YEARS for month in range(14) for day in range(33)]

    assert [text for text in days if times.is_as_told(text)] == [text for text in days if times.to_text(times.parse(text)) == text]


def test_what_is_taken_as_it_is_is_told_so_whatever_stands_in_any_two_of_its_places():
    whole = "2026-11-20T09:30:00Z"
    texts = [
        whole[:one] + first + whole[one + 1 : other] + second + whole[other + 1 :]
        for one, other in combinations(range(20), 2)
        for first, second in product("029Z+-:.W \0٠", repeat=2)
    ]

    taken = [text for text in texts if times.is_as_told(text)]

    assert len(taken) == 680
    assert [text for text in taken if not _AS_TOLD.fullmatch(text) or times.to_text(times.parse(text)) != text] == []


@pytest.mark.parametrize("clock", ["24:00:00", "23:60:00", "23:59:60", "9:30:00", "09:30", "09:30:00.0", "09-30-00", "０9:30:00"])
@pytest.mark.parametrize("day", ["2026-11-21", "2026-11-30"])
def test_what_is_no_hour_of_a_clock_is_not_taken_as_it_is(day, clock):
    assert not times.is_as_told(f"{day}T{clock}Z")


@pytest.mark.parametrize(
    "text", ["", "2026-11-21", "2026-11-21T09:30:00", "2026-11-21t09:30:00z", "2026-11-21T09:30:00Z\n", " 2026-11-21T09:30:00Z"]
)
def test_a_time_in_another_form_is_not_taken_as_it_is(text):
    assert not times.is_as_told(text)


def test_some_thousands_of_the_texts_that_are_taken_as_they_are_are_known_and_never_another():
    hours = [f"{year:04}-11-21T{hour:02}:30:00Z" for year in range(1000, 1300) for hour in range(26)]
    sizes = set()

    for text in (*hours, "2026-11-21T09:30:00Z\0", "2026-11-21t09:30:00z", "x" * 10_000):
        taken = times.is_as_told(text)
        assert not taken or text in times.AS_TOLD
        sizes.add(len(times.AS_TOLD))

    assert max(sizes) == 4096
    assert [text for text in times.AS_TOLD if not _AS_TOLD.fullmatch(text) or times.to_text(times.parse(text)) != text] == []
