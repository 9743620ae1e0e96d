"""What an operation may cost, what its customer has left, and how long it may take: over HTTP, on sockets and as streams."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import strawberry
from starlette.applications import Starlette

from gateway.config import Settings
from gateway.errors import CostExceededError, RateLimitedError
from gateway.graphql import build_schema, make_context
from gateway.models import Principal
from gateway.models.principal import ANONYMOUS, SYSTEM
from gateway.runtime import Runtime
from gateway.testing import FakeClock
from gateway.web.allowance import Allowance
from gateway.web.assembly import assemble
from tests.web.serving import Context, socket

PAGE = "query ($first: Int!) { connectors(first: $first) { nodes { key } } }"
FOUR = "{ connectors(first: 3) { nodes { key } } }"
GRAPHQL = "application/graphql-response+json"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    changed = {"max_cost": 60, "cost_bucket": 100, "cost_restored_per_second": 10.0, "operation_timeout_seconds": 0.05}
    return settings.model_copy(update=changed)


@pytest.fixture
def app(runtime: Runtime) -> Starlette:
    return assemble(runtime, build_schema(), make_context=make_context)


async def posted(http: httpx.AsyncClient, query: str, token: str, *, accept: str = GRAPHQL, **body: Any) -> httpx.Response:
    return await http.post("/graphql", json={"query": query, **body}, headers={"authorization": token, "accept": accept})


async def test_what_may_cost_too_much_is_refused_and_told_how_much_that_is(http, bearer):
    fits = await posted(http, PAGE, bearer("acme"), variables={"first": 59})
    refused = await posted(http, PAGE, bearer("acme"), variables={"first": 60})
    as_json = await posted(http, PAGE, bearer("acme"), variables={"first": 60}, accept="application/json")

    assert (fits.status_code, "errors" in fits.json()) == (200, False)
    assert (refused.status_code, as_json.status_code) == (400, 200)
    assert refused.json() == as_json.json()
    assert refused.json() == {
        "errors": [
            {
                "message": "The operation may cost 61, more than 60. Ask for shorter pages, or nest fewer lists in lists.",
                "locations": [{"line": 1, "column": 1}],
                "extensions": {"code": "COST_EXCEEDED", "cost": {"requested": 61, "maximum": 60}},
            }
        ]
    }


async def test_who_asks_for_the_cost_is_told_what_it_might_have_been_what_it_was_and_what_is_left(http, bearer, runtime):
    asked = {"extensions": {"cost": True}}
    held = len(runtime.connectors)

    first = await posted(http, PAGE, bearer("acme"), variables={"first": 50}, **asked)
    again = await posted(http, "{ viewer { isAdmin } }", bearer("acme"), **asked)
    other = await posted(http, "{ viewer { isAdmin } }", bearer("other"), **asked)
    admin = await posted(http, "{ viewer { isAdmin } }", bearer(is_admin=True), **asked)
    by_get = await http.get("/graphql", params={"query": "{ __typename }", "extensions": '{"cost": true}'})

    assert first.json()["extensions"] == {"cost": {"requested": 51, "actual": 1 + held, "remaining": 100 - 1 - held}}
    assert again.json()["extensions"] == {"cost": {"requested": 1, "actual": 1, "remaining": 100 - 2 - held}}
    assert other.json()["extensions"]["cost"]["remaining"] == 99
    assert admin.json()["extensions"] == {"cost": {"requested": 1, "actual": 1, "remaining": None}}
    assert by_get.json()["extensions"] == {"cost": {"requested": 0, "actual": 0, "remaining": 100}}
    for value in (False, 1, "true", None):
        assert "extensions" not in (await posted(http, "{ __typename }", bearer("acme"), extensions={"cost": value})).json()


async def test_who_has_spent_the_bucket_waits_until_there_is_enough_again(http, bearer, clock):
    spend = 'mutation { syncRunCancel(input: {id: "x"}) { userErrors { code } } }'  # May cost 16.
    for _ in range(8):
        assert "data" in (await posted(http, spend, bearer("acme"))).json()
    # Each has cost 12: the ten of a mutation, its payload, and one error.
    refused = await posted(http, spend, bearer("acme"))
    as_json = await posted(http, spend, bearer("acme"), accept="application/json")

    assert (refused.status_code, refused.headers["retry-after"], as_json.status_code) == (429, "2", 200)
    assert refused.json() == {
        "errors": [
            {
                "message": "The operation costs 16, and you have spent what you may. Try again in 2 s.",
                "locations": [{"line": 1, "column": 1}],
                "extensions": {"code": "RATE_LIMITED", "retryAfterSeconds": 2},
            }
        ]
    }
    # Others have their own, what costs nothing goes on, and admins have no bound but that of one operation.
    assert "data" in (await posted(http, spend, bearer("other"))).json()
    assert "data" in (await posted(http, "{ __typename }", bearer("acme"))).json()
    for _ in range(12):
        assert "data" in (await posted(http, spend, bearer(is_admin=True))).json()
    clock.advance(2)
    assert "data" in (await posted(http, spend, bearer("acme"))).json()


async def test_what_does_not_run_at_all_costs_nothing(http, bearer):
    for _ in range(10):
        wrong = await posted(http, PAGE, bearer("acme"), variables={"first": "fifty"})
        unknown = await posted(http, "{ nothing }", bearer("acme"))

    assert [answer.json()["errors"][0]["extensions"]["code"] for answer in (wrong, unknown)] == ["INVALID", "INVALID"]
    left = await posted(http, "{ __typename }", bearer("acme"), extensions={"cost": True})
    assert left.json()["extensions"]["cost"]["remaining"] == 100


async def test_operations_of_a_list_and_of_a_socket_spend_alike(app, http, bearer):
    batch = await http.post("/graphql", json=[{"query": FOUR, "extensions": {"cost": True}}] * 2, headers={"authorization": bearer("acme")})
    async with socket(app, headers={"authorization": bearer("acme")}) as client:
        client.send({"type": "connection_init"})
        await client.receive()
        shown, _ = await client.ask(FOUR, extensions={"cost": True})
        (refused,) = await client.ask(PAGE, variables={"first": 100})

    before = [answer["extensions"]["cost"]["remaining"] for answer in batch.json()]
    assert [*before, shown["payload"]["extensions"]["cost"]["remaining"]] == [96, 92, 88]
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "COST_EXCEEDED")


async def test_a_subscription_costs_once_when_it_begins(app, http, bearer):
    query = 'subscription { recordsChanged(dataSourceInstance: {id: "x"}) { events { externalId } } }'
    async with socket(app, headers={"authorization": bearer("acme")}) as client:
        client.send({"type": "connection_init"})
        await client.receive()
        codes = [(await client.ask(query))[0]["payload"][0]["extensions"]["code"] for _ in range(18)]
    stream = await posted(http, query, bearer("acme"), accept="text/event-stream")

    # Six each: the batch, and five events.
    assert codes == ["INVALID"] * 16 + ["RATE_LIMITED"] * 2
    assert '"code":"RATE_LIMITED"' in stream.text


class Slow:
    """A schema in which nothing ends, and that tells what was begun and what was ended."""

    def __init__(self) -> None:
        self.steps: list[str] = []

        async def never() -> str:
            self.steps.append("begun")
            try:
                await asyncio.Event().wait()
            finally:
                self.steps.append("ended")
            return "unreachable"

        def at_once() -> str:
            return "here"

        fields = {name: strawberry.field(resolver) for name, resolver in (("never", never), ("other", never), ("hello", at_once))}
        query, mutation = (strawberry.type(type(name, (), dict(fields))) for name in ("Query", "Mutation"))
        self.app = lambda runtime: assemble(runtime, strawberry.Schema(query, mutation), make_context=Context)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
async def slow_http(slow: Slow, runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(slow.app(runtime)), base_url="http://gateway.test") as client:
        yield client


async def test_what_takes_too_long_is_ended_with_all_that_it_had_begun(slow, slow_http, bearer):
    before = asyncio.all_tasks()
    query = await posted(slow_http, "{ never other hello }", bearer("acme"), extensions={"cost": True})

    assert (query.status_code, query.json()) == (
        200,
        {
            "data": None,
            "errors": [
                {
                    "message": "The operation took longer than 0.05 s, and was ended. Ask for less at a time.",
                    "extensions": {"code": "TIMEOUT"},
                }
            ],
            "extensions": {"cost": {"requested": 0, "actual": 0, "remaining": 100}},
        },
    )
    assert slow.steps == ["begun", "begun", "ended", "ended"]
    assert asyncio.all_tasks() == before


async def test_a_mutation_that_is_ended_may_have_changed_something_and_says_so(slow, slow_http, bearer):
    ended = await posted(slow_http, "mutation { hello never }", bearer("acme"), extensions={"cost": True})

    (error,) = ended.json()["errors"]
    assert error["message"] == (
        "The operation took longer than 0.05 s, and was ended. "
        "What it was to change may have been changed all the same: look before you send it again."
    )
    assert ended.json()["data"] is None
    assert ended.json()["extensions"]["cost"] == {"requested": 20, "actual": 20, "remaining": 80}


async def test_time_runs_for_each_operation_of_a_list_on_sockets_and_in_streams(slow, slow_http, runtime, bearer):
    batch = await slow_http.post("/graphql", json=[{"query": "{ never }"}, {"query": "{ hello }"}])
    stream = await posted(slow_http, "{ never }", bearer("acme"), accept="text/event-stream")
    async with socket(slow.app(runtime)) as client:
        client.send({"type": "connection_init"})
        await client.receive()
        ended, complete = await client.ask("{ never }")

    assert [answer["data"] for answer in batch.json()] == [None, {"hello": "here"}]
    assert '"code":"TIMEOUT"' in stream.text
    assert (ended["payload"]["errors"][0]["extensions"], complete["type"]) == ({"code": "TIMEOUT"}, "complete")


def test_buckets_fill_again_as_time_passes_and_are_forgotten_when_they_are_full():
    clock = FakeClock()
    allowance = Allowance(clock, maximum=50, bucket=100, per_second=10)
    customers = [Principal(customer_id=UUID(int=number)) for number in range(3_000)]
    first = customers[0]

    allowance.take(first, 50)
    allowance.take(first, 50)
    with pytest.raises(RateLimitedError) as refused:
        allowance.take(first, 1)
    allowance.give_back(first, 30)

    assert (refused.value.retry_after_seconds, allowance.left(first), allowance.left(customers[1])) == (1, 30, 100)
    clock.advance(5)
    assert allowance.left(first) == 80
    clock.advance(1_000)
    assert allowance.left(first) == 100
    for customer in customers:
        allowance.take(customer, 10)
        clock.advance(1)
    assert len(allowance) <= 1_001


def test_admins_are_bound_by_what_one_operation_may_cost_and_who_has_no_token_shares_a_bucket():
    allowance = Allowance(FakeClock(), maximum=500, bucket=100, per_second=10)

    for _ in range(10):
        allowance.take(SYSTEM, 100)
    with pytest.raises(CostExceededError, match="may cost 101, more than 100"):
        allowance.take(SYSTEM, 101)  # More than a full bucket would never be there.
    allowance.take(ANONYMOUS, 100)
    with pytest.raises(RateLimitedError, match="Try again in 10 s"):
        allowance.take(Principal(), 100)
    assert (allowance.left(SYSTEM), allowance.left(ANONYMOUS)) == (None, 0)
