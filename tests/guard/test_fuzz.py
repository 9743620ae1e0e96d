"""Random requests to the whole gateway, sound and damaged: each is answered as GraphQL over HTTP has it, and nothing is left behind."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import httpx
import pytest
from graphql import GraphQLError, parse, validate
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from gateway.config import Settings
from gateway.errors import GatewayError, InternalError, InvalidError
from gateway.runtime import Runtime, open_runtime
from gateway.storage.encryption import Cipher
from gateway.testing import FakeClock
from tests.guard.damage import damaged_body, damaged_text, damaged_value
from tests.guard.fuzz import RandomDocument
from tests.guard.held import held
from tests.guard.world import World, build
from tests.support.garbage import leave_all_else_aside
from tests.support.gateway_client import GatewayUnderTest
from tests.support.notes_connector import NotesApp, NotesConnector
from tests.support.printed_schema import PRINTED as SCHEMA

PATIENCE_SECONDS = 20.0
WARM_UP = 10
LIVES = 40
"""So many requests one world lasts: mutations archive and delete what is in it."""
MEMBERS = {"data", "errors", "extensions"}
TYPES = ("application/json", "application/graphql-response+json")

ABOUT_VARIABLES = ("Variable ", "OneOf Input Object ", "Value for member field ", "`variables` of the request must be ")


def _codes(kind: type[GatewayError]) -> Iterator[str]:
    yield from [kind.code] if hasattr(kind, "code") else []
    for each in kind.__subclasses__():
        yield from _codes(each)


CODES = set(_codes(GatewayError)) - {InternalError.code}


@pytest.fixture
async def runtime(runtime_url: str, clock: FakeClock, notes_app: NotesApp) -> AsyncIterator[Runtime]:
    """The gateway with the limits that it has by default, for customers who never run out of what they may spend."""
    settings = Settings(
        database_url=runtime_url, token_secret="t" * 32, encryption_keys=Cipher.generate_key_ring(), cost_bucket=1_000_000_000
    )
    async with open_runtime(settings, clock=clock, connectors=[NotesConnector(notes_app)]) as runtime:
        yield runtime


@dataclass(frozen=True)
class Sent:
    """A request, by its number, and the document in it where it is a sound request of one."""

    number: int
    what: str
    body: bytes
    document: str | None = None

    @classmethod
    def of(cls, world: World, number: int, *, root: str) -> "Sent":
        random = Random(number)
        asked = RandomDocument(world, number, root=root)
        request: dict[str, Any] = {"query": asked.text, "variables": asked.variables}
        what = random.choice(["sound", "sound", "text", "text", "variables", "body"])
        if what == "body":
            return cls(number, what, damaged_body(random, request))
        if what == "text":
            request["query"] = damaged_text(random, asked.text)
        if what == "variables":
            request["variables"] = damaged_value(random, asked.variables or {"v0": 1})
        return cls(number, what, json.dumps(request).encode(), request["query"])


@pytest.mark.parametrize("root", ["Query", "Mutation"])
async def test_every_request_is_answered_by_the_protocol_and_leaves_nothing_behind(gateway: GatewayUnderTest, root: str):
    leave_all_else_aside()
    await fuzz(gateway, root, range(30))


@pytest.mark.long
@pytest.mark.parametrize("root", ["Query", "Mutation"])
async def test_thousands_of_requests_are_answered_by_the_protocol_and_leave_nothing_behind(gateway: GatewayUnderTest, root: str):
    leave_all_else_aside()
    await fuzz(gateway, root, range(1_000, 2_000))


SCALARS = {"JSON": st.sampled_from(["open", ""]).map(nodes.String), "DateTime": st.just(nodes.String("2026-06-01T12:00:00Z"))}
MADE_BY_OTHERS = {"Query": queries, "Mutation": mutations}


@cache
def documents_of(root: str) -> st.SearchStrategy[str]:
    """The documents that hypothesis-graphql makes: it goes through the schema for seconds before the first one."""
    return MADE_BY_OTHERS[root](SCHEMA, custom_scalars=SCALARS)


@pytest.mark.long
@pytest.mark.parametrize("root", MADE_BY_OTHERS)
@given(data=st.data(), number=st.integers(0, 1_000_000), is_damaged=st.booleans())
async def test_documents_that_hypothesis_graphql_makes_of_the_schema_are_answered_by_the_protocol(
    gateway: GatewayUnderTest, world: World, root: str, data: st.DataObject, number: int, is_damaged: bool
):
    text = data.draw(documents_of(root))
    if is_damaged:
        text = damaged_text(Random(number), text)
    sent = Sent(number, "text" if is_damaged else "sound", json.dumps({"query": text}).encode(), text)

    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await _answer(gateway, world, sent)

    _is_executed(sent, response)


async def fuzz(gateway: GatewayUnderTest, root: str, numbers: range) -> None:
    """Sends the requests of these numbers, and holds of each what must hold of every answer."""
    became: Counter[tuple[str, bool]] = Counter()
    before: dict[str, int] = {}
    # Such as a task whose error nobody looked at.
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    for place, number in enumerate(numbers):
        if place % LIVES == 0:
            world = await build(gateway.runtime, f"-{number}")
        sent = Sent.of(world, number, root=root)
        async with asyncio.timeout(PATIENCE_SECONDS):
            response = await _answer(gateway, world, sent)
        became[sent.what, _is_executed(sent, response)] += 1
        if place == WARM_UP:
            before = await held(gateway.runtime)
    assert await held(gateway.runtime) == before
    assert reported == []
    # What is refused outright finds little.
    assert became["sound", True] > 9 * became["sound", False], became
    assert {is_executed for what, is_executed in became if what != "sound"} == {True, False}, became


async def _answer(gateway: GatewayUnderTest, world: World, sent: Sent) -> httpx.Response:
    caller = gateway.admin if sent.number % 3 == 0 else gateway.customer(world.own.external_id)
    headers = {"authorization": f"Bearer {caller.token}", "content-type": "application/json", "accept": TYPES[sent.number % 2]}
    return await gateway.http.post("/graphql", content=sent.body, headers=headers)


def _is_executed(sent: Sent, response: httpx.Response) -> bool:
    """Whether anything was, of an answer that is as the protocol has it and as the document deserves."""
    shown = (sent, response.status_code, response.text[:1_000])
    assert response.status_code in (200, 400, 403, 413), shown
    assert response.headers["content-type"] == f"{TYPES[sent.number % 2]}; charset=utf-8", shown
    answer = json.loads(response.content)
    if isinstance(answer, list):
        assert response.status_code == 200, shown
        assert answer, shown
        executed = [_is_sound(each, shown) for each in answer]
        return any(executed)
    is_executed = _is_sound(answer, shown)
    assert not is_executed or response.status_code == 200, shown
    # Half a surrogate pair is no text, wherever it stands.
    if sent.document is not None and not is_executed and b"\\ud800" not in sent.body:
        _check_refusal(sent.document, answer["errors"], shown)
    if sent.document is not None and is_executed:
        assert not _is_faulty(sent.document), shown
    return is_executed


def _is_sound(answer: Any, shown: object) -> bool:
    """Whether an answer is that of an operation that was executed; every answer is of the specification's form."""
    assert isinstance(answer, dict), shown
    assert answer.keys() <= MEMBERS, shown
    errors = answer.get("errors")
    assert errors or ("errors" not in answer and isinstance(answer["data"], dict)), shown
    for error in errors or ():
        assert error["extensions"]["code"] in CODES, shown
        assert isinstance(error["message"], str), shown
        assert error["message"], shown
        assert error.keys() <= {"message", "locations", "path", "extensions"}, shown
        assert all(type(each) in (str, int) for each in error.get("path", ())), shown
        assert all(each["line"] > 0 and each["column"] > 0 for each in error.get("locations", ())), shown
        assert ("path" in error) == ("data" in answer), shown
    return "data" in answer


def _check_refusal(document: str, errors: list[dict[str, Any]], shown: object) -> None:
    """A sound document is refused for its variables, or for asking too much, and for nothing else."""
    told = {error["message"] for error in errors if error["extensions"]["code"] == InvalidError.code}
    assert all(message.startswith(ABOUT_VARIABLES) for message in told) or _is_faulty(document), shown


def _is_faulty(document: str) -> bool:
    """Whether the library, which knows the printed schema and no limit of ours, would refuse the document."""
    try:
        return bool(validate(SCHEMA, parse(document), max_errors=1))
    except (GraphQLError, RecursionError):
        return True
