"""What nobody waits for leaves a share of the app to those who wait."""

import asyncio

import pytest

from gateway.connectors.executor.budget import Budget
from gateway.connectors.executor.hosts_health import HostHealth
from gateway.connectors.executor.rate_limit import reserved_pause
from gateway.connectors.format.requests import Http, RateLimit
from gateway.errors import UpstreamRateLimitError
from gateway.models import Pointer
from gateway.testing import Answer, FakeClock, Hang
from tests.connectors.executor.notes import access_with, items, read

BOXES = {"request": {"path": "/notes", "query": {"box": "${parameters.box}"}}}
BACKGROUND = access_with(is_background=True)
LOW = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "20", "X-RateLimit-Reset": "600"}


def box(number):
    return Pointer("notes", {"box": number})


async def started(connector, access, *numbers):
    """Reads of boxes under way, as far as they come by themselves."""
    tasks = [asyncio.create_task(read(connector, access, pointer=box(number))) for number in numbers]
    for _ in range(30):
        await asyncio.sleep(0)
    return tasks


async def ended(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        ({"concurrency": 4}, 2),
        ({"concurrency": 5}, 2),
        ({"concurrency": 1}, 1),
        ({"concurrency": 4, "background": {"concurrency": 1}}, 1),
        ({"concurrency": 4, "background": {"concurrency": 60}}, 4),
    ],
)
async def test_the_background_has_at_most_its_share_of_the_turns(app, connector, share, expected):
    app.answer_with(lambda request: Hang())
    notes = connector(http=share, listing=BOXES)
    tasks = await started(notes, BACKGROUND, *range(6))
    await app.wait_for_requests(expected)
    await asyncio.sleep(0.05)

    assert len(app.requests) == expected
    await ended(*tasks)


async def test_who_is_waited_for_is_served_while_the_background_is_busy(app, connector):
    app.answer(Hang(), Hang(), Answer(json=items(7)))
    notes = connector(http={"concurrency": 3, "background": {"concurrency": 2}}, listing=BOXES)
    tasks = await started(notes, BACKGROUND, 1, 2, 3)
    await app.wait_for_requests(2)

    page = await read(notes, access_with(), pointer=box(4))

    assert [record.external_id for record in page.items] == ["7"]
    await ended(*tasks)


async def test_who_is_waited_for_does_not_wait_for_the_same_read_of_the_background(app, connector):
    app.answer(Hang(), Answer(json=items(7)))
    notes = connector(listing=BOXES)
    tasks = await started(notes, BACKGROUND, 1)
    await app.wait_for_requests(1)

    page = await read(notes, access_with(), pointer=box(1))

    assert [record.external_id for record in page.items] == ["7"]
    await ended(*tasks)


@pytest.mark.parametrize("is_background", [False, True])
async def test_the_background_joins_no_read_that_began_before_it_was_told_to_look(app, connector, is_background):
    app.answer(Answer(json=items("before"), delay_seconds=0.2))
    app.answer(json=items("after"))
    notes = connector(listing=BOXES)
    tasks = await started(notes, access_with(is_background=is_background), 1)
    await app.wait_for_requests(1)

    page = await read(notes, BACKGROUND, pointer=box(1))

    assert [record.external_id for record in page.items] == ["after"]
    assert [record.external_id for record in (await tasks[0]).items] == ["before"]


async def test_nobody_takes_the_place_of_a_read_that_others_may_join(app, connector):
    app.answer_with(lambda request: Answer(json=items(7), delay_seconds=0.2))
    notes = connector(listing=BOXES)
    tasks = await started(notes, access_with(), 1)
    await app.wait_for_requests(1)
    tasks += await started(notes, BACKGROUND, 1)
    await app.wait_for_requests(2)
    tasks += await started(notes, access_with(), 1)
    await asyncio.gather(*tasks)

    assert len(app.requests) == 2


async def test_of_what_the_app_allows_the_last_fifth_is_left_alone(app, connector):
    app.answer_with(lambda request: Answer(json=items(1), headers=LOW))
    notes = connector()
    await read(notes, access_with())

    with pytest.raises(UpstreamRateLimitError) as caught:
        await read(notes, BACKGROUND)
    await read(notes, access_with())

    assert caught.value.retry_after_seconds == 600
    assert len(app.requests) == 2


async def test_the_reserve_ends_when_the_app_has_more_again(app, connector):
    app.answer(json=items(1), headers=LOW)
    app.answer(json=items(1))
    app.answer(json=items(1), headers={**LOW, "X-RateLimit-Remaining": "90"})
    app.answer(json=items(1))
    notes = connector()
    for _ in range(2):
        await read(notes, access_with())
    with pytest.raises(UpstreamRateLimitError):
        await read(notes, BACKGROUND)
    await read(notes, access_with())

    await read(notes, BACKGROUND)

    assert len(app.requests) == 4


@pytest.mark.parametrize(
    ("headers", "reserve", "expected"),
    [
        (LOW, 0.2, 600),
        (LOW, 0.19, 0),
        ({**LOW, "X-RateLimit-Remaining": "0"}, 0, 600),
        ({"RateLimit-Limit": "10", "RateLimit-Remaining": "1", "RateLimit-Reset": "5"}, 0.2, 5),
        ({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "5"}, 0.2, None),
        ({"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "1"}, 0.2, None),
        ({**LOW, "X-RateLimit-Resource": "search"}, 0.2, None),
        ({**LOW, "X-RateLimit-Limit": "many"}, 0.2, None),
        ({}, 0.2, None),
    ],
)
def test_the_reserve_is_seen_by_what_the_app_says(headers, reserve, expected):
    lower = {name.lower(): value for name, value in headers.items()}

    assert reserved_pause(lower, reserve=reserve, now=FakeClock().now()) == expected


async def test_a_limit_that_the_connector_names_is_kept(app, connector, clock):
    app.answer_with(lambda request: Answer(json=items(1)))
    notes = connector(http={"rate_limit": {"requests": 2, "seconds": 10}}, listing=BOXES)
    before = clock.monotonic()

    for number in range(4):
        await read(notes, access_with(), pointer=box(number))

    assert clock.monotonic() - before == pytest.approx(10)


async def test_each_connection_has_a_limit_of_its_own(app, connector, clock):
    app.answer_with(lambda request: Answer(json=items(1)))
    notes = connector(http={"rate_limit": {"requests": 1, "seconds": 10}})

    for name in ("a", "b", "c"):
        await read(notes, access_with(connection_id=name))

    assert clock.sleeps == []


def test_the_background_waits_until_more_than_the_reserve_is_there():
    budget = Budget(RateLimit(requests=10, seconds=10), reserve=0.5, now=0)
    for _ in range(5):
        assert budget.pause(0, is_background=True) == 0
        budget.spend(0)

    assert (budget.pause(0, is_background=True), budget.pause(0, is_background=False)) == (1, 0)
    assert budget.pause(1, is_background=True) == 0


def test_a_limit_of_one_request_lets_the_background_through():
    budget = Budget(RateLimit(requests=1, seconds=1), reserve=0.9, now=0)

    assert budget.pause(0, is_background=True) == 0
    budget.spend(0)
    assert (budget.pause(0, is_background=True), budget.pause(5, is_background=True)) == (1, 0)


def test_what_was_not_used_is_never_more_than_the_limit():
    budget = Budget(RateLimit(requests=2, seconds=1), reserve=0, now=0)
    for _ in range(2):
        budget.spend(1_000)

    assert budget.pause(1_000, is_background=False) == 0.5


def test_without_a_word_of_the_connector_nothing_is_counted():
    health = HostHealth(clock=FakeClock(), http=Http.model_validate({"base_url": "https://app.test"}))
    for _ in range(1_000):
        health.spend()

    assert (health.pause, health.background_pause) == (0, 0)
