"""Reads of the same thing: one request for all who ask at once, and for all that one operation asks."""

import asyncio
import gc
import traceback

import pytest

from gateway.connectors.executor import ExecutorLimits
from gateway.connectors.executor.read_keys import ReadKeys
from gateway.connectors.executor.reads import MAX_CONNECTIONS, Reads
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.operation import MAX_REMEMBERED_BYTES, Era, Operation
from gateway.errors import UpstreamCallsExceededError, UpstreamRejectedError, UpstreamUnavailableError
from gateway.models import Pointer
from gateway.testing import Answer, Drop, FakeClock, Hang
from tests.connectors.executor.notes import access_with, items, notes_file, read

BOXES = {"request": {"path": "/notes", "query": {"box": "${parameters.box}"}}}
WRITES = {
    "operations": {
        "list": {"request": {"path": "/notes"}, "records": "${body.items}"},
        "get": {"request": {"path": "/notes/${id}"}, "record": "${body}"},
        "create": {"request": {"method": "POST", "path": "/notes", "json": "${fields}"}, "id": "${body.id}"},
    }
}
NOTES = Pointer("notes")


def writable(connector):
    return connector(collection=WRITES)


def remembering(**parts):
    return access_with(operation=Operation(remembers=True), **parts)


async def ids(connector, access, **parts):
    return [record.external_id for record in (await read(connector, access, **parts)).items]


class Gate:
    """An app that holds its answers back until the test opens it."""

    def __init__(self, app, answer=None):
        self.opened = asyncio.Event()
        self.answer = answer if answer is not None else Answer(json=items(1))
        app.answer_with(lambda request: self)

    async def write(self, reader, writer, *, method):
        await self.opened.wait()
        return await self.answer.write(reader, writer, method=method)


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


async def pauses(clock, count):
    """Returns once that many pauses have begun."""
    while len(clock.sleeps) < count:  # noqa: ASYNC110 - the clock tells nobody.
        await asyncio.sleep(0)


async def test_fifty_identical_reads_at_once_cost_one_request(app, connector):
    app.answer(json=items(1, 2))
    notes = connector()

    outcomes = await asyncio.gather(*(ids(notes, access_with()) for _ in range(50)))

    assert outcomes == [["1", "2"]] * 50
    assert len(app.requests) == 1


async def test_a_read_that_starts_after_another_ended_asks_again(app, connector, access):
    app.answer(json=items(1))
    app.answer(json=items(2))
    notes = connector()

    assert [await ids(notes, access), await ids(notes, access)] == [["1"], ["2"]]


@pytest.mark.parametrize(
    "other",
    [
        {"connection_id": "c2"},
        {"credentials": {"token": "token-4712-another"}},
        {"parameters": {"region": "eu"}},
        {"integration_parameters": {"plan": "b"}},
        {"auth_method": "other"},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_who_asks_as_somebody_else_shares_nothing(app, connector, other):
    app.answer_with(lambda request: Answer(json=items(1), delay_seconds=0.05))
    notes = connector(auth={name: {"type": "http", "scheme": "bearer", "token": "${credentials.token}"} for name in ("token", "other")})

    await asyncio.gather(read(notes, access_with()), read(notes, access_with(**other)))

    assert len(app.requests) == 2


async def test_other_values_make_another_request(app, connector, access):
    app.answer_with(lambda request: Answer(json=items(request.query["box"])))
    notes = connector(listing=BOXES)

    outcomes = await asyncio.gather(*(ids(notes, access, pointer=Pointer("notes", {"box": str(number)})) for number in (1, 2, 1)))

    assert outcomes == [["1"], ["2"], ["1"]]
    assert len(app.requests) == 2


async def test_values_that_only_the_rules_for_answers_read_tell_reads_apart(app, connector, access):
    app.answer_with(lambda request: Answer(status=400))
    rule = {"when": {"status": [400]}, "action": "rejected", "message": "No box ${parameters.box}"}
    notes = connector(http={"errors": [rule]})

    reads = (read(notes, access, pointer=Pointer("notes", {"box": number})) for number in (1, 2))
    errors = await asyncio.gather(*reads, return_exceptions=True)

    assert [error.message for error in errors] == [f"Notes refused the request (400): No box {number}." for number in (1, 2)]


async def test_a_write_is_never_shared(app, connector):
    app.answer_with(lambda request: Answer(json={"id": 1}, delay_seconds=0.05))
    notes = writable(connector)

    await asyncio.gather(*(notes.create(access_with(), NOTES, {}) for _ in range(3)))

    assert len(app.requests) == 3


async def test_one_that_is_cancelled_leaves_the_others_their_answer(app, connector):
    gate = Gate(app)
    notes = connector()
    tasks = [asyncio.create_task(ids(notes, access_with())) for _ in range(4)]
    await app.wait_for_requests(1)

    for task in tasks[:2]:
        task.cancel()
    await turns()
    gate.opened.set()

    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[:2]] == [asyncio.CancelledError] * 2
    assert outcomes[2:] == [["1"]] * 2
    assert len(app.requests) == 1


async def test_the_last_one_to_be_cancelled_ends_the_request(app, connector):
    app.answer(Hang())
    notes = connector()
    tasks = [asyncio.create_task(ids(notes, access_with())) for _ in range(3)]
    await app.wait_for_requests(1)

    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    await asyncio.wait_for(app.wait_until_idle(), 10)
    app.answer(json=items(2))
    assert await ids(notes, access_with()) == ["2"]


async def test_who_comes_while_a_request_is_being_given_up_makes_a_new_one(app, connector):
    app.answer(Hang(), Answer(json=items(2)))
    notes = connector()
    first = asyncio.create_task(ids(notes, access_with()))
    await app.wait_for_requests(1)

    first.cancel()
    await asyncio.sleep(0)

    assert await ids(notes, access_with()) == ["2"]
    assert first.cancelled() or first.done()


async def test_a_failure_is_shared_and_each_gets_an_error_of_its_own(app, connector):
    app.answer_with(lambda request: Answer(status=503, json={}))
    notes = connector(http={"retry": {"max_attempts": 2}})

    errors = await asyncio.gather(*(read(notes, access_with()) for _ in range(30)), return_exceptions=True)

    assert len(app.requests) == 2
    assert {type(error) for error in errors} == {UpstreamUnavailableError}
    assert {(error.message, error.may_have_been_received) for error in errors} == {("Notes failed (503). Try again later.", True)}
    assert len({id(error) for error in errors}) == 30
    assert len({len(traceback.extract_tb(error.__traceback__)) for error in errors}) == 1


async def test_an_error_keeps_what_it_says_beside_its_message(app, connector):
    app.answer(status=429, headers={"Retry-After": "100"})
    app.answer(status=404)
    notes = connector()

    limited = await asyncio.gather(*(read(notes, access_with()) for _ in range(2)), return_exceptions=True)
    missing = await asyncio.gather(*(read(notes, access_with()) for _ in range(2)), return_exceptions=True)

    assert [error.retry_after_seconds for error in limited] == [100, 100]
    assert [(error.status, error.fields) for error in missing] == [(404, {})] * 2


async def test_who_joins_late_has_time_of_their_own(app, connector):
    gate = Gate(app)
    notes = connector(limits=ExecutorLimits(deadline_seconds=0.6))
    first = asyncio.create_task(ids(notes, access_with()))
    await app.wait_for_requests(1)
    await asyncio.sleep(0.4)
    second = asyncio.create_task(ids(notes, access_with()))

    with pytest.raises(UpstreamUnavailableError, match=r"within 0\.6 seconds") as caught:
        await first
    gate.opened.set()

    assert caught.value.may_have_been_received is True
    assert await second == ["1"]
    assert len(app.requests) == 1


async def test_attempts_go_on_as_long_as_the_last_one_who_waits_has_time(app, connector):
    clock = FakeClock(sleep_waits=True)
    notes = connector(limits=ExecutorLimits(deadline_seconds=25), http={"retry": {"max_attempts": 10, "max_seconds": 30}}, clock=clock)
    app.answer(status=503, headers={"Retry-After": "20"})
    app.answer(status=503, headers={"Retry-After": "10"})
    app.answer(json=items(1))
    first = asyncio.create_task(ids(notes, access_with()))
    await app.wait_for_requests(1)
    await pauses(clock, 1)

    clock.advance(15)
    second = asyncio.create_task(ids(notes, access_with()))
    await turns()
    clock.advance(6)
    async with asyncio.timeout(10):
        await app.wait_for_requests(2)
    await pauses(clock, 2)
    clock.advance(11)

    assert await asyncio.gather(first, second) == [["1"], ["1"]]
    assert len(app.requests) == 3


async def test_a_read_after_a_write_gets_no_answer_that_was_asked_before_the_write_ended(app, connector):
    notes = writable(connector)
    old = Gate(app, Answer(json=items(1)))
    before = asyncio.create_task(ids(notes, access_with()))
    await app.wait_for_requests(1)
    app.answer(json={"id": 2})
    app.answer(json=items(1, 2))

    await notes.create(access_with(), NOTES, {})
    after = await ids(notes, access_with())
    old.opened.set()

    assert (await before, after) == (["1"], ["1", "2"])


async def test_a_read_that_begins_during_a_write_is_not_shared_after_it(app, connector):
    notes = writable(connector)
    write = Gate(app, Answer(json={"id": 2}))
    writing = asyncio.create_task(notes.create(access_with(), NOTES, {}))
    await app.wait_for_requests(1)
    during = Gate(app, Answer(json=items(1)))
    reading = asyncio.create_task(ids(notes, access_with()))
    await app.wait_for_requests(2)

    write.opened.set()
    await writing
    app.answer(json=items(1, 2))

    assert await ids(notes, access_with()) == ["1", "2"]
    during.opened.set()
    assert await reading == ["1"]


@pytest.mark.parametrize("ending", ["cancelled", "refused", "lost"])
async def test_a_write_whose_outcome_is_bad_or_unknown_ends_sharing_too(app, connector, ending):
    notes = writable(connector)
    old = Gate(app)
    before = asyncio.create_task(ids(notes, access_with()))
    await app.wait_for_requests(1)
    app.answer({"cancelled": Hang(), "refused": Answer(status=400), "lost": Drop()}[ending])
    write = asyncio.create_task(notes.create(access_with(), NOTES, {}))
    await app.wait_for_requests(2)
    if ending == "cancelled":
        write.cancel()
    await asyncio.gather(write, return_exceptions=True)
    app.answer(json=items(2))

    assert await ids(notes, access_with()) == ["2"]
    old.opened.set()
    assert await before == ["1"]


async def test_a_write_of_one_connection_leaves_the_reads_of_others_together(app, connector):
    notes = writable(connector)
    gate = Gate(app)
    first = asyncio.create_task(ids(notes, access_with(connection_id="a")))
    await app.wait_for_requests(1)
    app.answer(json={"id": 2})
    await notes.create(access_with(connection_id="b"), NOTES, {})

    second = asyncio.create_task(ids(notes, access_with(connection_id="a")))
    await turns()
    gate.opened.set()

    assert await asyncio.gather(first, second) == [["1"], ["1"]]
    assert len(app.requests) == 2


async def test_one_operation_reads_an_identical_request_once(app, connector):
    app.answer(json=items(1))
    app.answer(json=items(2))
    notes, access = connector(), remembering()

    assert [await ids(notes, access) for _ in range(3)] == [["1"]] * 3
    assert (len(app.requests), access.operation.calls) == (1, 1)
    assert await ids(notes, remembering()) == ["2"]


async def test_who_asks_after_somebody_was_shown_how_far_changes_are_known_joins_no_read_from_before(app, connector):
    app.answer(Answer(json=items("before"), delay_seconds=0.2))
    app.answer_with(lambda request: Answer(json=items("after")))
    notes, era = connector(), Era()
    first = asyncio.create_task(ids(notes, access_with(operation=Operation(era=era))))
    await app.wait_for_requests(1)

    era.end()
    after = await asyncio.gather(*(ids(notes, access_with(operation=Operation(era=era))) for _ in range(5)))

    assert (await first, after) == (["before"], [["after"]] * 5)
    assert len(app.requests) == 2


async def test_an_operation_that_joined_remembers_too(app, connector):
    app.answer(json=items(1), delay_seconds=0.05)
    notes, access = connector(), remembering()
    await asyncio.gather(ids(notes, access_with()), ids(notes, access))

    assert await ids(notes, access) == ["1"]
    assert (len(app.requests), access.operation.calls) == (1, 0)


async def test_an_operation_remembers_what_the_app_refuses_and_no_passing_failure(app, connector):
    app.answer(status=404)
    notes, access = connector(http={"retry": {"max_attempts": 1}}), remembering()
    for _ in range(2):
        with pytest.raises(UpstreamRejectedError):
            await read(notes, access)
    assert len(app.requests) == 1

    other = remembering()
    app.answer(status=503)
    app.answer(json=items(1))
    with pytest.raises(UpstreamUnavailableError):
        await read(notes, other)
    assert await ids(notes, other) == ["1"]


async def test_an_operation_reads_anew_after_its_own_write(app, connector):
    notes, access = writable(connector), remembering()
    app.answer(json=items(1))
    app.answer(json={"id": 2})
    app.answer(json=items(1, 2))

    assert await ids(notes, access) == ["1"]
    await notes.create(access, NOTES, {})
    assert await ids(notes, access) == ["1", "2"]


async def test_an_operation_reads_anew_after_its_write_through_another_connection(app, connector):
    notes, operation = writable(connector), Operation(remembers=True)
    app.answer(json=items(1))
    app.answer(json={"id": 2})
    app.answer(json=items(1, 2))

    assert await ids(notes, access_with(operation=operation)) == ["1"]
    await notes.create(access_with(operation=operation, connection_id="c2"), NOTES, {})
    assert await ids(notes, access_with(operation=operation)) == ["1", "2"]


async def test_an_operation_reads_anew_after_a_write_of_its_connection_by_another(app, connector):
    notes, access = writable(connector), remembering()
    app.answer(json=items(1))
    app.answer(json={"id": 2})
    app.answer(json=items(1, 2))

    assert await ids(notes, access) == ["1"]
    await notes.create(access_with(), NOTES, {})
    assert await ids(notes, access) == ["1", "2"]


async def test_what_was_asked_before_a_write_is_not_remembered_after_it(app, connector):
    notes, access = writable(connector), remembering()
    gate = Gate(app)
    before = asyncio.create_task(ids(notes, access))
    await app.wait_for_requests(1)
    app.answer(json={"id": 2})
    await notes.create(access_with(), NOTES, {})
    gate.opened.set()
    await before
    app.answer(json=items(1, 2))

    assert await ids(notes, access) == ["1", "2"]


async def test_an_operation_counts_the_requests_that_it_starts(app, connector):
    app.answer_with(lambda request: Answer(json=items(1)))
    app.answer(status=503)
    notes, operation = connector(listing=BOXES), Operation(maximum_calls=2, remembers=True)
    access = access_with(operation=operation)

    for number in (1, 2, 1, 2):
        await read(notes, access, pointer=Pointer("notes", {"box": number}))
    with pytest.raises(UpstreamCallsExceededError, match="more than 2 requests"):
        await read(notes, access, pointer=Pointer("notes", {"box": 3}))

    assert (operation.calls, len(app.requests)) == (2, 3)


async def test_a_write_counts_and_is_not_sent_when_it_would_be_one_too_many(app, connector):
    notes, operation = writable(connector), Operation(maximum_calls=0)

    with pytest.raises(UpstreamCallsExceededError):
        await notes.create(access_with(operation=operation), NOTES, {})

    assert app.requests == []


async def test_who_joins_pays_nothing(app, connector):
    app.answer(json=items(1), delay_seconds=0.05)
    notes, broke = connector(), Operation(maximum_calls=0)

    outcomes = await asyncio.gather(ids(notes, access_with()), ids(notes, access_with(operation=broke)))

    assert outcomes == [["1"], ["1"]]


async def test_an_operation_remembers_within_bounds(app, connector):
    text = "x" * (MAX_REMEMBERED_BYTES // 8)
    app.answer_with(lambda request: Answer(json={"items": [{"id": 1, "text": text}]}))
    notes, access = connector(listing=BOXES), remembering()

    for number in (1, 2, 3, 4, 5, 5, 1):
        await read(notes, access, pointer=Pointer("notes", {"box": number}))

    assert len(app.requests) == 6


async def test_of_more_connections_than_are_counted_nothing_is_remembered_over_a_write():
    reads, asking, asked = Reads(clock=FakeClock()), remembering(), []

    async def work(progress):
        asked.append(progress)
        return UpstreamRejectedError("No.")

    async def ask():
        await reads.outcome(b"key", asking, deadline=60, work=work, waits=lambda progress: None)

    await ask()
    await ask()
    assert len(asked) == 1

    reads.wrote(access_with(connection_id=asking.connection_id))
    for number in range(MAX_CONNECTIONS):
        reads.wrote(access_with(connection_id=f"other-{number}"))
    await ask()

    assert len(asked) == 2


async def test_nothing_of_a_read_is_kept_after_it(app, connector):
    app.answer_with(lambda request: Answer(status=404))
    notes = connector()
    await asyncio.gather(*(read(notes, access_with()) for _ in range(5)), return_exceptions=True)
    await turns()

    gc.collect()
    assert [thing for thing in gc.get_objects() if type(thing).__name__ == "Flight"] == []


def test_a_key_tells_nothing_and_is_another_in_each_process():
    file = ConnectorFile.model_validate(notes_file("http://127.0.0.1"))
    keys, others = ReadKeys(), ReadKeys()

    key = keys.of_reader(file, access_with())

    assert len(key) == 32
    assert key == keys.of_reader(file, access_with())
    assert key != others.of_reader(file, access_with())
