"""What is done for an app that does badly: retries are bounded, it is left alone for a while, and its wishes are heeded."""

import asyncio
from ipaddress import ip_network

import pytest

from gateway.connectors.executor import DeclarativeConnector, ExecutorLimits
from gateway.connectors.executor.hosts_health import MAX_HOSTS, HostsHealth
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.http import Http, WebAddress
from gateway.errors import UpstreamRateLimitError, UpstreamRejectedError, UpstreamUnavailableError
from gateway.models import Pointer
from gateway.testing import Answer, Drop, FakeClock, Hang
from tests.connectors.executor.notes import access_with, items, notes_file, read

ONCE = {"retry": {"max_attempts": 1}}
WRITES = {"operations": {"create": {"request": {"method": "POST", "path": "/notes", "json": "${fields}"}, "id": "${body.id}"}}}


async def ids(connector, access):
    return [record.external_id for record in (await read(connector, access)).items]


async def failing(connector, access, *, times):
    for _ in range(times):
        with pytest.raises(UpstreamUnavailableError):
            await read(connector, access)


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(status=503), Drop()], ids=["500", "503", "lost"])
async def test_an_app_that_fails_five_times_in_a_row_is_left_alone(app, connector, access, clock, answer):
    notes = connector(http=ONCE)
    app.answer_with(lambda request: answer)
    await failing(notes, access, times=5)
    clock.advance(3)

    with pytest.raises(UpstreamUnavailableError) as caught:
        await read(notes, access)

    assert caught.value.message == "Notes failed again and again and is left alone for a while. Try again in 27 seconds."
    assert caught.value.may_have_been_received is False
    assert (len(app.requests), clock.sleeps) == (5, [])


async def test_one_request_finds_out_that_it_is_back(app, connector, access, clock):
    notes = connector(http=ONCE)
    app.answer(*[Answer(status=500)] * 5, Answer(json=items(1)), Answer(json=items(2)))
    await failing(notes, access, times=5)
    clock.advance(30)

    assert [await ids(notes, access), await ids(notes, access)] == [["1"], ["2"]]


async def test_while_one_looks_the_others_are_told_so(app, connector, clock):
    notes = connector(http=ONCE, listing={"request": {"path": "/notes", "query": {"box": "${parameters.box}"}}})
    app.answer(*[Answer(status=500)] * 5, Answer(json=items(1), delay_seconds=0.05))
    await failing(notes, access_with(), times=5)
    clock.advance(30)

    reads = (read(notes, access_with(), pointer=Pointer("notes", {"box": number})) for number in range(3))
    outcomes = await asyncio.gather(*reads, return_exceptions=True)

    assert [isinstance(outcome, UpstreamUnavailableError) for outcome in outcomes] == [False, True, True]
    assert len(app.requests) == 6


async def test_a_look_that_is_given_up_leaves_the_next_one_to_look(app, connector, access, clock):
    notes = connector(http=ONCE)
    app.answer(*[Answer(status=500)] * 5, Hang(), Answer(json=items(1)))
    await failing(notes, access, times=5)
    clock.advance(30)
    looking = asyncio.create_task(read(notes, access))
    await app.wait_for_requests(6)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)

    assert await ids(notes, access) == ["1"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 425, 429])
async def test_what_the_app_says_of_a_request_is_no_failure_of_the_app(app, connector, access, status):
    notes = connector(http=ONCE)
    app.answer_with(lambda request: Answer(status=status))
    for _ in range(10):
        await asyncio.gather(read(notes, access), return_exceptions=True)

    assert len(app.requests) == 10


async def test_an_answer_that_the_connector_knows_is_no_failure_of_the_app(app, connector, access):
    notes = connector(http={**ONCE, "errors": [{"when": {"status": [500]}, "action": "rejected"}]})
    app.answer_with(lambda request: Answer(status=500))
    for _ in range(10):
        with pytest.raises(UpstreamRejectedError):
            await read(notes, access)

    assert len(app.requests) == 10


async def test_one_connection_learns_nothing_from_anothers_failures(app, connector):
    notes = connector(http=ONCE)
    app.answer(*[Answer(status=500)] * 5, Answer(json=items(1)))
    await failing(notes, access_with(connection_id="a"), times=5)

    assert await ids(notes, access_with(connection_id="b")) == ["1"]


async def test_other_apps_that_take_all_connections_are_no_failure_of_this_one(app, other_app):
    http = Http(allowed_networks=[ip_network("127.0.0.0/8")], max_connections=1)
    slow = DeclarativeConnector(ConnectorFile.model_validate(notes_file(other_app.url)), http)
    notes = DeclarativeConnector(
        ConnectorFile.model_validate(notes_file(app.url, http=ONCE)), http, limits=ExecutorLimits(timeout_seconds=0.3)
    )
    other_app.answer(Hang())
    app.answer(json=items(1))
    hanging = asyncio.create_task(read(slow, access_with()))
    await other_app.wait_for_requests(1)
    await failing(notes, access_with(), times=5)
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)

    assert await ids(notes, access_with()) == ["1"]
    await http.aclose()


async def test_a_host_is_left_alone_and_another_of_the_same_connection_is_not(app, other_app, connector, access):
    schema = {"type": "object", "properties": {"server": {"type": "string"}}}
    notes = connector(http={**ONCE, "base_url": "${connection.server}"}, connection={"schema": schema, "check": {"request": {"path": "/"}}})
    app.answer_with(lambda request: Answer(status=500))
    other_app.answer(json=items(1))
    await failing(notes, access_with(parameters={"server": app.url}), times=6)

    assert await ids(notes, access_with(parameters={"server": other_app.url})) == ["1"]
    assert len(app.requests) == 5


async def test_a_write_is_not_sent_to_an_app_that_is_left_alone(app, connector, access):
    notes = connector(http=ONCE, collection=WRITES)
    app.answer_with(lambda request: Answer(status=500))
    for _ in range(6):
        with pytest.raises(UpstreamUnavailableError) as caught:
            await notes.create(access, Pointer("notes"), {})

    assert caught.value.may_have_been_received is False
    assert "It is not known" not in caught.value.message
    assert len(app.requests) == 5


async def test_a_read_stops_repeating_itself_once_the_app_is_left_alone(app, connector, access):
    notes = connector(http={"retry": {"max_attempts": 10}})
    app.answer_with(lambda request: Answer(status=500))

    with pytest.raises(UpstreamUnavailableError, match=r"Notes failed \(500\)"):
        await read(notes, access)

    assert len(app.requests) == 5


async def test_retries_are_bounded_to_a_part_of_the_requests(app, connector, access):
    notes = connector(http={"retry": {"max_attempts": 2, "base_seconds": 0.001, "max_seconds": 0.001}})
    answers = iter([Answer(status=500), Answer(status=200, json=items(1))] * 100)
    app.answer_with(lambda request: next(answers))
    outcomes = [await asyncio.gather(read(notes, access), return_exceptions=True) for _ in range(55)]

    # Ten retries that there are always, and one for each ten requests until they are needed.
    assert len(app.requests) - 55 == 15
    assert sum(isinstance(outcome, UpstreamUnavailableError) for [outcome] in outcomes) == 20


async def test_an_app_that_answers_and_asks_for_a_pause_gets_it(app, connector, access, clock):
    app.answer(json=items(1), headers={"Backoff": "7"})
    app.answer(json=items(2))
    notes = connector()
    await read(notes, access)
    clock.advance(2)

    assert await ids(notes, access) == ["2"]
    assert clock.sleeps == [5]


@pytest.mark.parametrize("name", ["X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "RateLimit-Remaining"])
async def test_an_app_whose_requests_are_used_up_is_asked_again_when_they_start_anew(app, connector, access, clock, name):
    app.answer(json=items(1), headers={name: "0", "X-RateLimit-Reset": "12"})
    app.answer(json=items(2), headers={name: "1", "X-RateLimit-Reset": "12"})
    app.answer(json=items(3))
    notes = connector()

    assert [await ids(notes, access) for _ in range(3)] == [["1"], ["2"], ["3"]]
    assert clock.sleeps == [12]


async def test_a_pause_that_is_not_worth_waiting_for_is_told_at_once(app, connector, access, clock):
    app.answer(json=items(1), headers={"Backoff": "45"})
    notes = connector()
    await read(notes, access)

    with pytest.raises(UpstreamRateLimitError, match=r"Notes asks to slow down. Try again in 45 seconds.") as caught:
        await read(notes, access)

    assert (caught.value.retry_after_seconds, len(app.requests), clock.sleeps) == (45, 1, [])


async def test_a_pause_that_would_last_beyond_the_deadline_is_told_at_once(app, connector, access, clock):
    app.answer(json=items(1), headers={"Backoff": "15"})
    notes = connector(limits=ExecutorLimits(deadline_seconds=10))
    await read(notes, access)

    with pytest.raises(UpstreamRateLimitError):
        await read(notes, access)
    assert clock.sleeps == []


async def test_a_pause_of_an_hour_is_looked_into_after_a_minute(app, connector, access, clock):
    app.answer(json=items(1), headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3600"})
    app.answer(json=items(2))
    notes = connector()
    await read(notes, access)
    clock.advance(60)

    assert await ids(notes, access) == ["2"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-RateLimit-Remaining": "0"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"},
        {"X-RateLimit-Remaining": "none", "X-RateLimit-Reset": "12"},
        {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "12"},
        {"X-RateLimit-Reset": "12"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12", "X-RateLimit-Resource": "search"},
        {"Backoff": "0"},
        {"Backoff": "a while"},
        {"Backoff": "-5"},
        {"Retry-After": "12"},
    ],
    ids=str,
)
async def test_other_headers_ask_for_no_pause(app, connector, access, clock, headers):
    app.answer_with(lambda request: Answer(json=items(1), headers=headers))
    notes = connector()
    await read(notes, access)
    await read(notes, access)

    assert clock.sleeps == []


async def test_a_connector_whose_headers_mean_something_else_says_so(app, connector, access, clock):
    app.answer_with(lambda request: Answer(json=items(1), headers={"Backoff": "7"}))
    notes = connector(http={"pauses": "none"})
    await read(notes, access)
    await read(notes, access)

    assert clock.sleeps == []


async def test_one_connections_pause_is_not_anothers(app, connector, clock):
    app.answer_with(lambda request: Answer(json=items(1), headers={"Backoff": "7"}))
    notes = connector()
    await read(notes, access_with(connection_id="a"))
    await read(notes, access_with(connection_id="b"))

    assert clock.sleeps == []


def test_of_how_many_hosts_it_is_known_how_they_do_is_bounded():
    hosts = HostsHealth(clock=FakeClock())
    first = hosts.of("0", WebAddress.parse("http://app.test"))
    for number in range(MAX_HOSTS + 10):
        hosts.of(str(number), WebAddress.parse("http://app.test"))
        assert hosts.of("0", WebAddress.parse("http://app.test/other?path")) is first

    assert len(hosts) == MAX_HOSTS
