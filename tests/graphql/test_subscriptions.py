"""Listening through the schema: what each subscription yields, and what it refuses. How it travels is the web's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlmodel import select
from strawberry.types import ExecutionResult

from gateway.events.observations import ObservedPlace
from gateway.graphql import make_context
from gateway.graphql.ids import global_id
from gateway.models import DataSourceInstance, Pointer, Principal
from gateway.models.base import new_id
from gateway.models.principal import ANONYMOUS
from gateway.services.selectors import PointerInput
from gateway.testing import FakeClock
from tests.graphql.world import SCHEMA, World
from tests.support import following
from tests.support.notes_connector import NotesApp
from tests.support.runtime import connection, customer, definition, instance

RECORDS = """subscription ($id: ID!, $types: [ChangeType!], $after: String) {
  recordsChanged(dataSourceInstance: { id: $id }, types: $types, after: $after) {
    cursor events { cursor type externalId record { fields } dataSourceInstance { id } } } }"""
CONNECTED = """subscription ($id: ID!, $after: String) { connectionRecordsChanged(connection: { id: $id }, after: $after) {
  cursor events { externalId dataSourceInstance { instanceKey } } } }"""
INSTANCE = "subscription ($id: ID!) { dataSourceInstanceChanged(by: { id: $id }) { path subscriptions { type } } }"
RUN = "subscription ($id: ID!) { syncRunProgressed(id: $id) { id status conclusion } }"
PATIENCE_SECONDS = 20.0


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still: nothing expires while somebody listens."""
    return FakeClock(sleep_waits=True)


@pytest.fixture
async def cards(world: World) -> DataSourceInstance:
    """An instance that points at the cards of the app."""
    await definition(world.runtime, udm="tasks", pointer=PointerInput(path="/data/cards"))
    return await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))


@pytest.fixture
async def place(world: World, cards: DataSourceInstance) -> ObservedPlace:
    """The same, in sync."""
    return await following.in_sync(world.runtime, cards, Pointer("cards"))


class Listening:
    """A stream, read frame by frame."""

    def __init__(self, stream: AsyncIterator[ExecutionResult]) -> None:
        self._stream = stream

    async def frame(self) -> Any:
        """What the only field of the next frame holds."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            result = await anext(self._stream)
        assert result.errors is None, result.errors
        (value,) = result.data.values()
        return value

    async def has_ended(self) -> bool:
        """Whether no frame follows."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await anext(self._stream, None) is None


@asynccontextmanager
async def listening(world: World, document: str, **variables: Any) -> AsyncIterator[Listening]:
    stream = await SCHEMA.subscribe(document, variable_values=variables, context_value=make_context(world.runtime, world.acme))
    try:
        yield Listening(stream)
    finally:
        await stream.aclose()


async def refusal(world: World, document: str, principal: Principal | None = None, **variables: Any) -> tuple[str, str]:
    """The code and message of what comes instead of a first frame."""
    context = make_context(world.runtime, principal or world.acme)
    stream = await SCHEMA.subscribe(document, variable_values=variables, context_value=context)
    async with asyncio.timeout(PATIENCE_SECONDS):
        result = await anext(aiter(stream)) if hasattr(stream, "__aiter__") else stream
    (error,) = result.errors
    return error.extensions["code"], error.message


async def test_the_first_frame_says_that_the_instance_is_in_sync_and_changes_follow_as_they_are_recorded(
    world: World, cards: DataSourceInstance, place: ObservedPlace, notes_app: NotesApp
):
    notes_app.requests.clear()
    async with listening(world, RECORDS, id=global_id(cards)) as listener:
        first = await listener.frame()
        assert first["events"] == []
        await following.observe(world.runtime, place, {"1": {"title": "First"}})
        second = await listener.frame()
        await following.observe(world.runtime, place, {"1": None})
        third = await listener.frame()

    own = {"externalId": "1", "dataSourceInstance": {"id": global_id(cards)}}
    (created,), (deleted,) = second["events"], third["events"]
    assert created == {"cursor": created["cursor"], "type": "CREATED", "record": {"fields": {"title": "First"}}, **own}
    assert deleted == {"cursor": deleted["cursor"], "type": "DELETED", "record": None, **own}
    assert notes_app.requests == []


async def test_while_somebody_listens_the_instance_is_followed(world: World, cards: DataSourceInstance, place: ObservedPlace):
    async with listening(world, RECORDS, id=global_id(cards), types=["CREATED"]) as listener:
        await listener.frame()
        rows = await following.subscriptions_of(world.runtime, cards)
        assert {change: (row.status, row.expires_at is not None) for change, row in rows.items()} == {"CREATED": ("SUBSCRIBED", True)}


@pytest.mark.parametrize("spelling", ["batch", "event", "end", "history"])
async def test_whoever_comes_back_gets_all_since_once_and_in_order(
    spelling: str, world: World, cards: DataSourceInstance, place: ObservedPlace
):
    async with listening(world, RECORDS, id=global_id(cards)) as listener:
        await listener.frame()
        await following.observe(world.runtime, place, {"0": {"title": "Heard"}})
        batch = await listener.frame()
    document = "query ($id: ID!) { dataSourceInstance(by: { id: $id }) { eventsCursor events { pageInfo { endCursor } } } }"
    found = (await world.ask(document, id=global_id(cards)))["dataSourceInstance"]
    after = {
        "batch": batch["cursor"],
        "event": batch["events"][0]["cursor"],
        "end": found["eventsCursor"],
        "history": found["events"]["pageInfo"]["endCursor"],
    }[spelling]
    for number in range(1, 4):
        await following.observe(world.runtime, place, {str(number): {"title": "Missed"}})

    heard: list[str] = []
    async with listening(world, RECORDS, id=global_id(cards), after=after) as listener:
        while len(heard) < 3:
            heard += [event["externalId"] for event in (await listener.frame())["events"]]
        await following.observe(world.runtime, place, {"4": {"title": "Live"}})
        heard += [event["externalId"] for event in (await listener.frame())["events"]]

    assert heard == ["1", "2", "3", "4"]


async def test_only_changes_of_the_types_that_are_named_come(world: World, cards: DataSourceInstance, place: ObservedPlace):
    async with listening(world, RECORDS, id=global_id(cards), types=["DELETED"]) as listener:
        assert (await listener.frame())["events"] == []
        await following.observe(world.runtime, place, {"1": {"title": "First"}, "2": {"title": "Second"}})
        await following.observe(world.runtime, place, {"2": None})
        events = (await listener.frame())["events"]

    assert [(event["type"], event["externalId"]) for event in events] == [("DELETED", "2")]


async def test_a_connection_tells_of_all_its_instances(world: World, cards: DataSourceInstance, place: ObservedPlace):
    home = (await world.ask("{ connections { nodes { id } } }"))["connections"]["nodes"][0]["id"]
    document = (
        """mutation ($input: DataSourceInstanceCreateInput!) { dataSourceInstanceCreate(input: $input) { dataSourceInstance { id } } }"""
    )
    given = {"connection": {"id": home}, "dataSource": {"key": "jottings"}, "instanceKey": "second"}
    await world.ask(document, input=given)
    second = await _instance(world, "second")
    other = await following.in_sync(world.runtime, second, Pointer("cards"))

    heard = []
    async with listening(world, CONNECTED, id=home) as listener:
        await listener.frame()
        await following.observe(world.runtime, place, {"1": {"title": "First"}})
        heard += (await listener.frame())["events"]
        await following.observe(world.runtime, other, {"1": {"title": "First"}})
        heard += (await listener.frame())["events"]

    assert [event["dataSourceInstance"]["instanceKey"] for event in heard] == [None, "second"]


async def _instance(world: World, key: str) -> DataSourceInstance:
    async with world.runtime.database.read(world.acme) as session:
        return (await session.exec(select(DataSourceInstance).where(DataSourceInstance.instance_key == key))).one()


async def test_an_instance_is_told_now_and_whenever_it_has_changed(world: World, cards: DataSourceInstance):
    async with listening(world, INSTANCE, id=global_id(cards)) as listener:
        assert await listener.frame() == {"path": "/data/cards", "subscriptions": []}
        update = """mutation ($id: ID!) { dataSourceInstanceUpdate(input: { by: { id: $id }, pointer: { path: "/data/cards?box=7" } }) {
          userErrors { code } } }"""
        await world.ask(update, id=global_id(cards))
        assert (await listener.frame())["path"] == "/data/cards?box=7"


async def test_a_run_is_told_until_it_has_ended(world: World, cards: DataSourceInstance):
    by = {"id": global_id(cards)}
    subscribe = "mutation ($by: DataSourceInstanceSelector!) { dataSourceInstanceSubscribe(input: { by: $by }) { userErrors { code } } }"
    await world.ask(subscribe, by=by)
    sync = "mutation ($by: DataSourceInstanceSelector!) { dataSourceInstanceSync(input: { by: $by, kind: FULL_SYNC }) { syncRun { id } } }"
    run = (await world.ask(sync, by=by))["dataSourceInstanceSync"]["syncRun"]["id"]

    async with listening(world, RUN, id=run) as listener:
        assert await listener.frame() == {"id": run, "status": "QUEUED", "conclusion": None}
        await world.ask("mutation ($id: ID!) { syncRunCancel(input: { id: $id }) { userErrors { code } } }", id=run)
        assert await listener.frame() == {"id": run, "status": "COMPLETED", "conclusion": "CANCELLED"}
        assert await listener.has_ended()


@pytest.mark.parametrize("document", [RECORDS, CONNECTED, INSTANCE, RUN])
async def test_nobody_listens_without_a_token(document: str, world: World, cards: DataSourceInstance):
    code, message = await refusal(world, document, ANONYMOUS, id=global_id(cards))

    assert (code, message) == ("NOT_AUTHENTICATED", "A token is needed. Send it as `Authorization: Bearer <token>`.")


async def test_what_is_anothers_cannot_be_listened_to(world: World, cards: DataSourceInstance, place: ObservedPlace):
    globex = await customer(world.runtime, "globex")
    absent = global_id(DataSourceInstance(id=new_id()))
    for document in (RECORDS, INSTANCE):
        assert await refusal(world, document, globex, id=global_id(cards)) == await refusal(world, document, globex, id=absent)
        assert (await refusal(world, document, globex, id=absent))[0] == "NOT_FOUND"
    assert await following.subscriptions_of(world.runtime, cards) == {}


async def test_wrong_arguments_are_refused_before_anybody_counts_as_listening(
    world: World, cards: DataSourceInstance, place: ObservedPlace
):
    for variables, code in (
        ({"types": []}, "INVALID"),
        ({"after": "nonsense"}, "INVALID"),
        ({"after": f"{'0' * 32}.0"}, "CURSOR_EXPIRED"),
    ):
        assert (await refusal(world, RECORDS, id=global_id(cards), **variables))[0] == code
    assert (await refusal(world, RUN, id=global_id(cards)))[0] == "INVALID"
    assert await following.subscriptions_of(world.runtime, cards) == {}
