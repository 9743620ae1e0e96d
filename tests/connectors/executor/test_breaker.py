import pytest

from gateway.connectors.executor.breaker import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, OPENS_AFTER_FAILURES, Breaker


def open_breaker(*, now=0.0):
    breaker = Breaker()
    for _ in range(OPENS_AFTER_FAILURES):
        breaker.failed(now)
    return breaker


def test_five_failures_in_a_row_leave_the_app_alone_for_thirty_seconds():
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(100.0)
    assert (breaker.is_open, breaker.refusal(100.0)) == (False, None)

    breaker.failed(100.0)

    assert (breaker.is_open, breaker.refusal(100.0), breaker.refusal(129.0), breaker.refusal(130.0)) == (True, 30.0, 1.0, None)


def test_an_answer_ends_the_row():
    breaker = Breaker()
    for _ in range(20):
        breaker.failed(0.0)
        breaker.succeeded()

    assert breaker.refusal(0.0) is None


def test_one_request_looks_whether_the_app_is_back_while_the_others_wait():
    breaker = open_breaker()

    assert breaker.refusal(30.0) is None
    breaker.enter("look")
    assert breaker.refusal(30.0) == 1.0

    breaker.leave("look")
    breaker.succeeded()
    assert (breaker.is_open, breaker.refusal(30.0)) == (False, None)


def test_a_request_from_before_the_pause_that_ends_during_a_look_lets_nobody_else_look():
    breaker = Breaker()
    breaker.enter("before")
    for _ in range(OPENS_AFTER_FAILURES):
        breaker.failed(0.0)
    breaker.enter("look")

    breaker.leave("before")

    assert breaker.refusal(30.0) == 1.0
    breaker.leave("look")
    assert breaker.refusal(30.0) is None


def test_a_look_that_ended_without_an_answer_leaves_the_next_one_to_look():
    breaker = open_breaker()
    breaker.enter("look")
    breaker.leave("look")

    assert breaker.refusal(30.0) is None


def test_each_look_that_fails_doubles_the_pause_up_to_five_minutes():
    breaker, now, pauses = open_breaker(), 0.0, []
    for _ in range(8):
        pause = breaker.refusal(now)
        pauses.append(pause)
        now += pause
        breaker.enter("look")
        breaker.leave("look")
        breaker.failed(now)

    assert pauses == [FIRST_PAUSE_SECONDS, 60.0, 120.0, 240.0, *[LONGEST_PAUSE_SECONDS] * 4]


def test_requests_that_were_under_way_make_the_pause_no_longer():
    breaker = open_breaker()
    for _ in range(3):
        breaker.failed(10.0)

    assert breaker.refusal(30.0) is None


@pytest.mark.parametrize("times", [1, 3])
def test_after_an_answer_it_takes_five_failures_again(times):
    breaker = open_breaker()
    for _ in range(times):
        breaker.failed(1000.0 * times)
    breaker.succeeded()

    for _ in range(4):
        breaker.failed(10_000.0)
    assert breaker.refusal(10_000.0) is None
    breaker.failed(10_000.0)
    assert breaker.refusal(10_000.0) == FIRST_PAUSE_SECONDS
