"""Subscriptions over sockets: every event is answered once for all who ask alike, and nothing is kept of it."""

import asyncio
import gc
import json
import weakref
from contextlib import AsyncExitStack, aclosing
from functools import partial

import pytest
from graphql import Executor
from strawberry.http import GraphQLRequestData

from gateway.graphql.masking import MaskErrors
from gateway.graphql.operations import Operations
from gateway.graphql.schema import build_schema
from gateway.models.principal import ANONYMOUS
from gateway.web.assembly import assemble
from gateway.web.streaming import Subscriptions
from tests.support.documents import documents_of
from tests.support.garbage import leave_all_else_aside
from tests.web.serving import Context, open_socket
from tests.web.streams import CHANGES, STREAMS, fresh_log


@pytest.fixture
def log():
    return fresh_log()


@pytest.fixture
def app(runtime, log):
    return assemble(runtime, STREAMS, make_context=Context)


def subscriptions_of(runtime, **bounds):
    return Subscriptions(Operations(STREAMS), documents=documents_of(STREAMS), make_context=partial(Context, runtime), **bounds)


def ask(client, query, *, id="1", **payload):
    client.send({"type": "subscribe", "id": id, "payload": {"query": query, **payload}})


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


def numbered(number, *, id="1"):
    return {"id": id, "type": "next", "payload": {"data": {"changes": {"number": number}}}}


async def test_an_event_is_answered_once_for_all_who_ask_alike(app, log):
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(open_socket(app)) for _ in range(50)]
        for number, client in enumerate(clients):
            ask(client, CHANGES, id=f'socket "{number}"')
        await until(lambda: log.sources == 50)
        await log.append(3)

        for number, client in enumerate(clients):
            assert [await client.receive() for _ in range(3)] == [numbered(event, id=f'socket "{number}"') for event in (1, 2, 3)]

    assert log.answers == {1: 1, 2: 1, 3: 1}
    assert log.sources == 0


async def test_the_frame_of_an_event_is_encoded_once_for_a_thousand_who_ask_alike(runtime, log):
    subscriptions = subscriptions_of(runtime)
    asked = GraphQLRequestData(CHANGES, None, None, None)
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(aclosing(subscriptions.subscription(asked, ANONYMOUS).frames())) for _ in range(1_000)]
        waiting = [asyncio.ensure_future(anext(frames)) for frames in streams]
        await until(lambda: log.sources == 1_000)
        await log.append()
        frames = await asyncio.gather(*waiting)

    assert json.loads(frames[0].text) == {"data": {"changes": {"number": 1}}}
    assert all(frame is frames[0] for frame in frames)
    assert log.answers == {1: 1}


async def test_where_a_subscriber_resumes_makes_no_difference_to_the_answers(app, log):
    await log.append(3)
    async with open_socket(app) as client:
        for after in ("0", "1", "2"):
            ask(client, CHANGES, id=after, variables={"after": after, "unused": after})
        received = [await client.receive() for _ in range(6)]

    told = {after: [each["payload"]["data"]["changes"]["number"] for each in received if each["id"] == after] for after in ("0", "1", "2")}
    assert told == {"0": [1, 2, 3], "1": [2, 3], "2": [3]}
    assert log.answers == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize(
    "query",
    [
        "subscription($after: String, $factor: Int!) { changes(after: $after) { number times(factor: $factor) } }",
        "subscription($after: String, $factor: Int!) { ...a } fragment a on Subscription { ... { changes(after: $after) { ...b } } }"
        " fragment b on Changes { ... on Changes { number times(factor: $factor) } }",
    ],
)
async def test_variables_below_the_subscribed_field_make_a_difference(app, log, query):
    await log.append()
    async with open_socket(app) as client:
        for factor in (2, 3, 3):
            ask(client, query, id=f"{factor}{log.sources}", variables={"after": "0", "factor": factor})
            answer = await client.receive()
            assert answer["payload"]["data"]["changes"] == {"number": 1, "times": factor}

    assert log.answers == {1: 2}


async def test_a_variable_of_a_directive_on_the_subscribed_field_makes_a_difference(app, log):
    query = "subscription($with: Boolean!) { changes { number ...c @include(if: $with) } } fragment c on Changes { cursor }"
    await log.append()
    async with open_socket(app) as client:
        ask(client, query, id="with", variables={"with": True})
        assert (await client.receive())["payload"]["data"]["changes"] == {"number": 1, "cursor": "1"}
        ask(client, query, id="without", variables={"with": False})
        assert (await client.receive())["payload"]["data"]["changes"] == {"number": 1}


async def test_principals_and_documents_share_no_answers(app, log, bearer):
    await log.append()
    told = []
    for customer, query in (
        ("acme", "subscription { changes { number who } }"),
        ("acme", "subscription { changes { number who } }"),
        ("globex", "subscription { changes { number who } }"),
        ("acme", "subscription { changes { who number } }"),
        ("acme", "subscription A { changes { number who } } subscription B { changes { number } }"),
        ("acme", "subscription A { changes { number who } } subscription B { changes { who } }"),
    ):
        async with open_socket(app, payload={"authorization": bearer(customer)}) as client:
            ask(client, query, **({"operationName": "A"} if "subscription A" in query else {}))
            told.append((await client.receive())["payload"]["data"]["changes"]["who"])

    assert log.answers == {1: 5}
    assert told[0] == told[1] == told[3] == told[4] == told[5] != told[2]


@pytest.mark.parametrize("wrong", [{"after": 5}, {"after": "0", "who": 5}])
async def test_variables_of_another_that_do_not_fit_spoil_no_answers(runtime, log, wrong):
    await log.append()
    subscriptions = subscriptions_of(runtime)
    document = "subscription($after: String!, $who: String!) { changes(after: $after, who: $who) { number } }"
    refused = subscriptions.subscription(GraphQLRequestData(document, wrong, None, None), ANONYMOUS)
    (told,) = [frame async for frame in refused.frames()]
    served = subscriptions.subscription(GraphQLRequestData(document, {"after": "0", "who": "me"}, None, None), ANONYMOUS)
    async with aclosing(served.frames()) as frames:
        frame = await anext(frames)

    assert told.is_refusal
    assert json.loads(frame.text) == {"data": {"changes": {"number": 1}}}


async def test_so_many_bytes_of_answers_wait_for_the_next_who_asks_alike_and_no_more(runtime, log):
    await log.append(20, size=10_000)
    subscriptions = subscriptions_of(runtime, kept_bytes=55_000)

    async def listen():
        asked = GraphQLRequestData("subscription { changes { number text } }", None, None, None)
        async with aclosing(subscriptions.subscription(asked, ANONYMOUS).frames()) as frames:
            return [await anext(frames) for _ in range(20)]

    first = await listen()
    kept = [batch.number for batch in log.batches if batch.results]
    second = await listen()

    assert kept == [17, 18, 19, 20]
    assert second == first
    assert sum(bool(batch.results) for batch in log.batches) == 4


async def test_nothing_of_what_was_asked_waits_with_an_answer(runtime, log):
    class Variables(dict[str, str]):
        """A dict that can be watched."""

    leave_all_else_aside()
    await log.append()
    subscriptions, variables = subscriptions_of(runtime), Variables(text="x" * 1_000_000)
    watched = weakref.ref(variables)
    asked = GraphQLRequestData(
        "subscription($text: String!) { changes { echo(text: $text) @skip(if: true) number } }", variables, None, None
    )

    async with aclosing(subscriptions.subscription(asked, ANONYMOUS).frames()) as frames:
        await anext(frames)
    del asked, variables, frames
    gc.collect()

    assert [len(batch.results) for batch in log.batches] == [1]
    assert watched() is None


@pytest.mark.parametrize("fields", ["number read", "cursor read"], ids=["waited for", "at once"])
async def test_an_answer_that_the_database_could_not_give_is_asked_for_again(app, log, fields):
    log.outages = 2
    async with open_socket(app) as client:
        ask(client, f"subscription {{ changes {{ {fields} }} }}")
        await log.append(2)
        answers = [(await client.receive())["payload"] for _ in range(2)]

    assert [answer["data"]["changes"]["read"] for answer in answers] == ["it is there"] * 2
    assert [list(answer) for answer in answers] == [["data"]] * 2


async def test_each_answer_has_a_context_of_its_own(app, log):
    async with open_socket(app) as client:
        ask(client, "subscription { changes { number uses again: uses } }")
        await log.append(3)
        answers = [(await client.receive())["payload"]["data"]["changes"] for _ in range(3)]

    assert [(answer["uses"], answer["again"]) for answer in answers] == [(1, 2)] * 3
    assert len(set(map(id, log.contexts))) == 3


async def test_who_leaves_while_an_answer_is_made_takes_it_from_nobody(app, log):
    log.held = asyncio.Event()
    await log.append()
    async with open_socket(app) as first, open_socket(app) as second:
        ask(first, CHANGES)
        await until(lambda: log.answers[1] == 1)
        ask(second, CHANGES)
        await until(lambda: log.sources == 2)
        first.send({"type": "complete", "id": "1"})
        await until(lambda: log.sources == 1)
        log.held.set()

        assert await second.receive() == numbered(1)
    assert log.answers == {1: 1}


async def test_an_event_without_a_place_for_answers_is_answered_for_each(app):
    async with open_socket(app) as client:
        answers = await client.ask("subscription { numbers(to: 2) }")

    assert [answer["type"] for answer in answers] == ["next", "next", "complete"]
    assert [answer["payload"]["data"]["numbers"] for answer in answers[:2]] == [1, 2]


async def test_nothing_is_kept_of_an_event(app, log):
    """graphql-core remembers selections for each event of a stream for as long as its executor lives."""
    leave_all_else_aside()
    sizes = []
    async with open_socket(app) as client:
        ask(client, CHANGES)
        for _ in range(3):
            await log.append(50)
            for _ in range(50):
                await client.receive()
            log.batches[:] = [None] * len(log.batches)
            log.contexts.clear()
            log.answers.clear()
            gc.collect()
            executors = [each for each in gc.get_objects() if isinstance(each, Executor)]
            sizes.append((len(executors), sum(len(each._relevant_sub_fields) for each in executors)))

    assert sizes[0][0] <= 2
    assert len(set(sizes)) == 1


@pytest.mark.parametrize("frames", [0, 2])
async def test_an_error_of_the_source_ends_the_operation_and_not_the_socket(app, frames):
    async with open_socket(app) as client:
        answers = await client.ask("subscription($n: Int!) { expires(afterFrames: $n) }", variables={"n": frames})

        assert [answer["type"] for answer in answers] == ["next"] * frames + ["error"]
        assert answers[-1] == {
            "id": "1",
            "type": "error",
            "payload": [{"message": "The cursor is too old.", "extensions": {"code": "CURSOR_EXPIRED"}}],
        }
        assert (await client.ask("{ hello }"))[0]["payload"] == {"data": {"hello": "Hello, world!"}}


async def test_a_defect_of_a_source_leaves_as_a_reference(app):
    async with open_socket(app) as client:
        (answer,) = await client.ask("subscription { defect }")

    assert answer["type"] == "error"
    assert answer["payload"][0]["extensions"]["code"] == "INTERNAL"
    assert "secret" not in str(answer)


async def test_a_field_that_fails_is_told_with_the_rest_of_the_event_and_the_stream_goes_on(app, log):
    await log.append(2)
    async with open_socket(app) as client:
        ask(client, "subscription { changes { number fails } }")
        answers = [await client.receive() for _ in range(2)]
        ask(client, "subscription { changes { breaks } }", id="2")
        broken = await client.receive()

    assert [answer["payload"]["data"] for answer in answers] == [{"changes": {"number": number, "fails": None}} for number in (1, 2)]
    assert answers[0]["payload"]["errors"][0]["path"] == ["changes", "fails"]
    assert answers[0]["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert broken["payload"]["data"] is None
    assert "secret" not in str(answers) + str(broken)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("subscription { changes { nothing } }", None),
        ("subscription { changes { number } numbers(to: 1) }", None),
        ("subscription { changes", None),
        ("subscription($to: Int!) { numbers(to: $to) }", None),
        ("subscription($to: Int!) { numbers(to: $to) }", {"to": "five"}),
        ("subscription($f: Int!) { changes { times(factor: $f) } }", {"f": 2**40}),
        ("subscription { " + "a: " * 3000 + "numbers(to: 1) }", None),
        ("subscription A { numbers(to: 1) }", {"operationName": "B"}),
    ],
)
async def test_a_subscription_that_cannot_be_executed_is_that_operations_error(app, query, variables):
    asked = variables if variables and "operationName" in variables else {"variables": variables}
    async with open_socket(app) as client:
        (answer,) = [message for message in await client.ask(query, **asked) if message["type"] != "complete"]

        assert answer["type"] == "error"
        assert {error["extensions"]["code"] for error in answer["payload"]} == {"INVALID"}
        assert (await client.ask("{ hello }"))[0]["payload"] == {"data": {"hello": "Hello, world!"}}


async def test_documents_that_go_on_and_on_do_no_harm(app, log):
    await log.append()
    chain = "".join(f" fragment f{number} on Changes {{ ...f{number + 1} }}" for number in range(300))
    wide = "".join(f" fragment f{number} on Changes {{ ...f{number + 1} ...f{number + 1} }}" for number in range(20))
    last = " fragment f{} on Changes {{ number }}"
    async with open_socket(app) as client:
        for fragments, count in ((chain, 300), (wide, 20)):
            ask(client, "subscription { changes { ...f0 } }" + fragments + last.format(count), id=str(count))
            answer = await client.receive()
            assert answer["type"] in ("next", "error")
        assert (await client.ask("{ hello }"))[0]["payload"] == {"data": {"hello": "Hello, world!"}}


async def test_variables_nested_without_end_do_no_harm(app, log):
    await log.append()
    nested = "[" * 900 + "]" * 900
    async with open_socket(app) as client:
        payload = '{"query": "subscription($f: Int!) { changes { times(factor: $f) } }", "variables": {"f": %s}}'
        client.send_raw(text='{"type": "subscribe", "id": "1", "payload": ' + payload % nested + "}")
        assert (await client.receive())["type"] == "error"
        assert (await client.ask("{ hello }"))[0]["payload"] == {"data": {"hello": "Hello, world!"}}


async def test_a_completed_subscription_closes_its_source(app, log):
    async with open_socket(app) as client:
        ask(client, CHANGES)
        await until(lambda: log.sources == 1)
        client.send({"type": "complete", "id": "1"})

        await until(lambda: log.sources == 0)
        ask(client, CHANGES)
        await log.append()
        assert await client.receive() == numbered(1)


def test_streams_apply_all_that_the_schema_extends_execution_with():
    """They read, validate and mask by themselves: whoever adds an extension adds what it does there, too."""
    assert set(build_schema().extensions) == {MaskErrors}
