"""When work is done next."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import UpstreamRateLimitError, UpstreamUnavailableError
from gateway.sync import schedule

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOWN = UpstreamUnavailableError("The app is down.", may_have_been_received=False)


def test_intervals_vary_by_a_tenth():
    times = [schedule.next_time(NOW, interval_seconds=300, chance=chance) for chance in (0, 0.5, 1)]

    assert times == [NOW + timedelta(seconds=seconds) for seconds in (270, 300, 330)]


@pytest.mark.parametrize(("failures", "longest"), [(0, 10), (1, 20), (4, 160), (7, 900), (5_000, 900)])
def test_pauses_double_up_to_fifteen_minutes_with_full_jitter(failures: int, longest: float):
    assert schedule.pause_seconds(DOWN, failures=failures, chance=1) == longest
    assert schedule.pause_seconds(DOWN, failures=failures, chance=0.5) == longest / 2
    assert schedule.pause_seconds(DOWN, failures=failures, chance=0) == 1


@pytest.mark.parametrize(("told", "pause"), [(3, 10), (120, 120), (1e300, 86_400), (float("nan"), 10), (-5, 10)])
def test_an_app_is_not_asked_again_before_it_wants_to_be(told: float, pause: float):
    error = UpstreamRateLimitError("Slow down.", retry_after_seconds=told)
    under_maintenance = UpstreamUnavailableError("Back soon.", may_have_been_received=True, retry_after_seconds=told)

    assert schedule.pause_seconds(error, failures=0, chance=1) == pause
    assert schedule.pause_seconds(under_maintenance, failures=0, chance=1) == pause


def test_chances_lie_between_nothing_and_one():
    assert all(0 <= schedule.chance() < 1 for _ in range(100))


def test_the_earliest_is_taken_of_the_times_there_are():
    assert schedule.earliest(None, NOW + timedelta(1), NOW) == NOW
    assert schedule.earliest(None) is None
