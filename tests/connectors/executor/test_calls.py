import asyncio
import gc

import pytest

from gateway.connectors.executor import ExecutorLimits
from gateway.errors import UpstreamRateLimitError, UpstreamRejectedError, UpstreamResponseError, UpstreamUnavailableError
from gateway.models import Pointer
from gateway.testing import Answer, Drop, Hang
from tests.connectors.executor.notes import access_with, items, read

WRITE = {"request": {"method": "POST", "path": "/notes", "json": {}}}
BOXES = {"request": {"path": "/notes", "query": {"box": "${parameters.box}"}}}
SEARCH = {"request": {"method": "POST", "path": "/notes", "json": {}, "read": True}}


def box(number):
    """Notes of their own: who reads them shares no request with those who read others."""
    return Pointer("notes", {"box": number})


async def ids(connector, access):
    return [record.external_id for record in (await read(connector, access)).items]


async def test_a_failed_read_is_repeated_after_a_random_part_of_a_growing_time(app, connector, access, clock):
    for status in (500, 503, 408):
        app.answer(status=status)
    app.answer(json=items(1))

    assert await ids(connector(http={"retry": {"max_attempts": 4, "base_seconds": 1, "max_seconds": 3}}), access) == ["1"]

    assert len(app.requests) == 4
    assert [0 <= slept <= most for slept, most in zip(clock.sleeps, (1, 2, 3), strict=True)] == [True] * 3


async def test_attempts_are_bounded(app, connector, access, clock):
    app.answer_with(lambda request: Answer(status=500))

    with pytest.raises(UpstreamUnavailableError, match=r"Notes failed \(500\)"):
        await read(connector(http={"retry": {"max_attempts": 3}}), access)

    assert (len(app.requests), len(clock.sleeps)) == (3, 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_a_refusal_is_not_repeated(app, connector, access, status):
    app.answer(status=status)

    with pytest.raises(Exception, match=rf"\({status}\)"):
        await read(connector(), access)

    assert len(app.requests) == 1


async def test_a_lost_connection_is_tried_again_for_a_read(app, connector, access):
    app.answer(Drop(), Drop(resets=True), Answer(json=items(1)))

    assert await ids(connector(), access) == ["1"]


async def test_a_post_that_only_reads_is_repeated(app, connector, access):
    app.answer(Drop(), Answer(status=503), Answer(status=429), Answer(json=items(1)))

    assert await ids(connector(listing=SEARCH), access) == ["1"]


@pytest.mark.parametrize("answer", [Drop(), Answer(status=500), Answer(status=503, headers={"Retry-After": "0"}), Answer(status=429)])
async def test_a_write_that_the_app_may_have_received_is_never_repeated(app, connector, access, answer):
    app.answer(answer, Answer(json=items(1)))

    with pytest.raises((UpstreamUnavailableError, UpstreamRateLimitError)):
        await read(connector(listing=WRITE), access)

    assert len(app.requests) == 1


async def test_a_write_that_was_never_sent_is_tried_again(app, connector, access, clock):
    async with asyncio.timeout(10):
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()

        with pytest.raises(UpstreamUnavailableError) as caught:
            await read(connector(listing=WRITE, server=f"http://127.0.0.1:{port}"), access)

    assert caught.value.may_have_been_received is False
    assert len(clock.sleeps) == 3


async def test_a_wait_that_the_app_asks_for_is_kept(app, connector, access, clock):
    app.answer(status=429, headers={"Retry-After": "7"})
    app.answer(status=503, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:19 GMT"})
    app.answer(json=items(1))

    assert await ids(connector(http={"retry": {"base_seconds": 0.5}}), access) == ["1"]

    assert 7 <= clock.sleeps[0] <= 7.5
    assert 11 <= clock.sleeps[1] <= 12.5


async def test_a_rule_says_where_the_wait_stands_or_how_long_it_is(app, connector, access, clock):
    rules = [
        {"when": {"status": [403], "header_present": "X-Reset"}, "action": "rate_limited", "wait": {"header": "X-Reset"}},
        {"when": {"status": [403]}, "action": "rate_limited", "wait": {"header": "X-Reset", "seconds": 3}},
    ]
    app.answer(status=403, headers={"X-Reset": "1767225605000"})
    app.answer(status=403)
    app.answer(json=items(1))

    assert await ids(connector(http={"errors": rules, "retry": {"base_seconds": 0.5}}), access) == ["1"]

    assert 5 <= clock.sleeps[0] <= 5.5
    assert 3 <= clock.sleeps[1] <= 3.5


async def test_a_longer_wait_than_is_worth_it_is_told_at_once(app, connector, access, clock):
    app.answer(status=429, headers={"Retry-After": "21"})

    with pytest.raises(UpstreamRateLimitError, match="Try again in 21 seconds") as caught:
        await read(connector(), access)

    assert (caught.value.retry_after_seconds, clock.sleeps) == (21, [])


@pytest.mark.parametrize("header", ["Retry-After", "X-RateLimit-Reset-After", "X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset"])
async def test_an_answer_about_limits_says_when_they_start_anew(app, connector, access, clock, header):
    app.answer(status=429, headers={header: "12"})
    app.answer(json=items(1))

    assert await ids(connector(http={"retry": {"base_seconds": 0.5}}), access) == ["1"]
    assert 12 <= clock.sleeps[0] <= 12.5


async def test_when_limits_start_anew_says_nothing_of_a_failure(app, connector, access, clock):
    app.answer(status=502, headers={"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": "3000"})
    app.answer(json=items(1))

    assert await ids(connector(http={"retry": {"base_seconds": 0.5}}), access) == ["1"]
    assert clock.sleeps[0] <= 0.5


async def test_a_wait_of_years_is_told_as_an_hour(app, connector, access):
    app.answer(status=429, headers={"Retry-After": "99999999"})

    with pytest.raises(UpstreamRateLimitError) as caught:
        await read(connector(), access)
    assert caught.value.retry_after_seconds == 3600


async def test_an_app_under_maintenance_says_when_to_come_back(app, connector, access):
    app.answer(status=503, headers={"Retry-After": "600"})

    with pytest.raises(UpstreamUnavailableError) as caught:
        await read(connector(), access)
    assert caught.value.retry_after_seconds == 600
    assert len(app.requests) == 1


async def test_no_attempt_begins_that_cannot_end_before_the_deadline(app, connector, access, clock):
    app.answer_with(lambda request: Answer(status=503, headers={"Retry-After": "10"}))

    with pytest.raises(UpstreamUnavailableError, match="503"):
        await read(connector(limits=ExecutorLimits(deadline_seconds=25), http={"retry": {"max_attempts": 10}}), access)

    assert len(app.requests) == 3
    assert clock.monotonic() < 25


async def test_an_app_that_does_not_answer_ends_at_the_deadline(app, connector, access):
    app.answer(Hang())

    with pytest.raises(UpstreamUnavailableError, match="within") as caught:
        await read(connector(limits=ExecutorLimits(deadline_seconds=0.2), http={"retry": {"max_attempts": 1}}), access)
    assert caught.value.may_have_been_received is True


async def test_waiting_for_ones_turn_counts_towards_the_deadline(app, connector, access, clock):
    app.answer(Hang())
    one_at_a_time = connector(http={"concurrency": 1}, listing=BOXES, limits=ExecutorLimits(deadline_seconds=30))
    first = asyncio.create_task(read(one_at_a_time, access, pointer=box(1)))
    await app.wait_for_requests(1)
    second = asyncio.create_task(read(one_at_a_time, access, pointer=box(2)))
    await asyncio.sleep(0)

    clock.advance(30)
    first.cancel()

    with pytest.raises(UpstreamUnavailableError, match="Notes did not answer within 30 seconds") as caught:
        await second
    assert caught.value.may_have_been_received is False
    assert len(app.requests) == 1


async def test_waiting_for_ones_turn_ends_at_the_deadline(app, connector, access):
    app.answer_with(lambda request: Hang())
    one_at_a_time = connector(http={"concurrency": 1}, listing=BOXES, limits=ExecutorLimits(deadline_seconds=0.3))

    reads = (read(one_at_a_time, access, pointer=box(number)) for number in range(3))
    outcomes = await asyncio.gather(*reads, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [UpstreamUnavailableError] * 3


async def test_requests_of_one_connection_wait_for_each_other_and_not_for_those_of_another(app, connector):
    two_at_once = connector(http={"concurrency": 2}, listing=BOXES)
    app.answer(*[Hang()] * 3)
    tasks = [asyncio.create_task(read(two_at_once, access_with(connection_id="a"), pointer=box(number))) for number in range(4)]
    await app.wait_for_requests(2)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(app.requests) == 2

    other = asyncio.create_task(read(two_at_once, access_with(connection_id="b"), pointer=box(0)))
    await app.wait_for_requests(3)

    for task in [*tasks, other]:
        task.cancel()
    await asyncio.gather(*tasks, other, return_exceptions=True)
    assert len(app.requests) == 3


async def test_tasks_that_are_cancelled_give_back_their_turn(app, connector, access):
    app.answer_with(lambda request: Answer(json=items(1)))
    one_at_a_time = connector(http={"concurrency": 1}, listing=BOXES)
    app.answer(Hang())
    running = asyncio.create_task(read(one_at_a_time, access, pointer=box(0)))
    await app.wait_for_requests(1)
    waiting = [asyncio.create_task(read(one_at_a_time, access, pointer=box(number))) for number in range(1, 6)]
    await asyncio.sleep(0)

    for task in (waiting[0], waiting[3], running):
        task.cancel()
    outcomes = await asyncio.gather(running, *waiting, return_exceptions=True)

    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True, True, False, False, True, False]
    assert len(app.requests) == 4
    assert await ids(one_at_a_time, access) == ["1"]


async def test_nothing_is_kept_of_a_connection_once_nobody_asks(app, connector):
    app.answer_with(lambda request: Answer(json=items()))
    kept = connector()
    before = semaphores()
    for number in range(10):
        await read(kept, access_with(connection_id=str(number)))

    assert semaphores() == before


async def test_the_operators_limit_of_time_counts_where_the_file_allows_more(app, connector, access):
    app.answer(Hang())
    limits = ExecutorLimits(timeout_seconds=0.1, deadline_seconds=30)

    with pytest.raises(UpstreamUnavailableError, match=r"did not answer within 0.1 seconds"):
        await read(connector(limits=limits, http={"timeout_seconds": 600, "retry": {"max_attempts": 1}}), access)


async def test_redirects_of_reads_are_followed_within_the_app(app, connector, access):
    app.answer(status=302, headers={"Location": "/v2/notes?a=1"})
    app.answer(status=308, headers={"Location": f"{app.url}/v3/notes"})
    app.answer(json=items(1))

    assert await ids(connector(), access) == ["1"]
    assert [request.target for request in app.requests] == ["/notes", "/v2/notes?a=1", "/v3/notes"]
    assert len({request.headers["authorization"] for request in app.requests}) == 1


async def test_the_next_page_is_relative_to_where_the_redirects_ended(app, connector, access):
    app.answer(status=302, headers={"Location": "/deep/er/notes"})
    app.answer(json={**items(1), "next": "page2"})
    app.answer(json=items(2))
    paged = connector(listing={"pagination": {"type": "next_url", "next": "${body.next}"}})

    await read(paged, access, token=(await read(paged, access)).next_token)

    assert app.requests[2].target == "/deep/er/page2"


async def test_redirects_in_a_circle_are_stopped(app, connector, access):
    app.answer_with(lambda request: Answer(status=301, headers={"Location": "/notes"}))

    with pytest.raises(UpstreamResponseError, match="redirects more than 5 times"):
        await read(connector(), access)
    assert len(app.requests) == 6


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_write_is_not_followed(app, connector, access, status):
    app.answer(status=status, headers={"Location": "/elsewhere"})

    with pytest.raises(UpstreamResponseError, match="redirects a POST request"):
        await read(connector(listing=WRITE), access)
    assert len(app.requests) == 1


async def test_a_redirect_keeps_the_body_of_a_post_that_reads_or_is_refused(app, connector, access):
    app.answer(status=307, headers={"Location": "/moved"})
    app.answer(json=items(1))
    assert await ids(connector(listing=SEARCH), access) == ["1"]
    assert [(request.method, request.path, request.body) for request in app.requests] == [
        ("POST", "/notes", b"{}"),
        ("POST", "/moved", b"{}"),
    ]

    app.answer(status=302, headers={"Location": "/moved"})
    with pytest.raises(UpstreamResponseError, match="redirects a POST request"):
        await read(connector(listing=SEARCH), access)


async def test_a_redirect_without_an_address_is_an_answer_that_nobody_expects(app, connector, access):
    app.answer(status=302)

    with pytest.raises(UpstreamResponseError, match=r"does not expect \(302\)"):
        await read(connector(), access)


async def test_an_address_inside_the_network_stays_blocked(app, connector, access):
    with pytest.raises(UpstreamRejectedError, match="GATEWAY_ALLOWED_NETWORKS"):
        await read(connector(server="http://10.1.2.3"), access)


def semaphores():
    gc.collect()
    return sum(isinstance(thing, asyncio.Semaphore) for thing in gc.get_objects())
