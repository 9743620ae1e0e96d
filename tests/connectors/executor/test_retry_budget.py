from gateway.connectors.executor.retry_budget import MOST, RESERVE, RetryBudget


def spent(budget, *, now, most=1000):
    """How many retries there are."""
    return next(count for count in range(most) if not budget.spend(now))


def test_few_requests_may_be_repeated_ten_times():
    assert spent(RetryBudget(now=0.0), now=0.0) == RESERVE


def test_each_ten_requests_earn_one_retry():
    budget = RetryBudget(now=0.0)
    spent(budget, now=0.0)
    for _ in range(35):
        budget.earn()

    assert spent(budget, now=0.0) == 3


def test_requests_of_long_ago_earn_no_more_than_fifty():
    budget = RetryBudget(now=0.0)
    for _ in range(10_000):
        budget.earn()

    assert spent(budget, now=0.0) == MOST


def test_the_reserve_comes_back_with_time_and_no_more_than_it():
    budget = RetryBudget(now=0.0)
    spent(budget, now=0.0)

    assert spent(budget, now=13.0) == 2
    assert spent(budget, now=1_000_000.0) == RESERVE
