"""What is written through the gateway is recorded at once, by whom it concerns, and only once."""

from typing import Any

import pytest

from gateway.errors import UpstreamResponseError, UpstreamUnavailableError
from gateway.events import bodies
from gateway.events.log import RecordedEvent
from gateway.events.observations import ObservedPlace
from gateway.models import ChangeType, CursorSync, DataSourceInstance, Pointer, SyncSupport, TaskKind
from gateway.models.principal import SYSTEM
from gateway.services import data_source_instances, data_sources
from gateway.services.selectors import DataSourceSelector, PointerInput
from tests.services.conftest import World
from tests.services.instances import by, update
from tests.services.record_world import cards, create, delete, listed
from tests.services.record_world import update as change
from tests.support import following
from tests.support.notes_connector import NotesApp

CARDS = Pointer("cards")


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


@pytest.fixture
async def place(world: World, instance: DataSourceInstance, notes_app: NotesApp) -> ObservedPlace:
    """The instance points at the cards and is in sync with those that are there."""
    notes_app.sync_support = SyncSupport(cursor=CursorSync(), volatile_fields=("number",))
    await update(world, instance, pointer=PointerInput(path="/data/cards"))
    place = await following.in_sync(world.runtime, await _reread(world, instance), CARDS)
    known = dict(notes_app.tables["cards"].fields)
    await following.observe(world.runtime, place, known, is_silent=True, volatile_fields=("number",))
    await following.forget_requests(world.runtime)
    return place


async def _reread(world: World, instance: DataSourceInstance) -> DataSourceInstance:
    found = await data_source_instances.by_selector(world.runtime, world.acme, by=by(instance))
    assert found is not None
    return found


def told(events: list[RecordedEvent]) -> list[tuple[str, str, str]]:
    return [(event.type.value, event.record_id, event.method.value) for event in events]


async def test_each_write_is_an_event_with_the_record_as_the_app_has_it(world: World, instance: DataSourceInstance, place: ObservedPlace):
    rung = world.runtime.events.bell.count
    card = await create(world, fields={"title": "New"})
    await change(world, card.external_id, fields={"title": "Newer"})
    await delete(world, card.external_id)

    events = await following.recorded(world.runtime, instance)
    assert told(events) == [(change.value, card.external_id, "PULL") for change in ChangeType]
    titles = [(_title(event.previous), _title(event.body)) for event in events]
    assert titles == [(None, "New"), ("New", "Newer"), ("Newer", None)]
    assert world.runtime.events.bell.count > rung


def _title(body: bytes | None) -> Any:
    return bodies.fields_of(body)["title"] if body is not None else None


async def test_what_the_next_pull_sees_of_it_is_nothing_new(
    world: World, instance: DataSourceInstance, place: ObservedPlace, notes_app: NotesApp
):
    card = await create(world, fields={"title": "New"})
    await following.observe(
        world.runtime, place, {card.external_id: notes_app.tables["cards"].fields[card.external_id]}, volatile_fields=("number",)
    )

    assert told(await following.recorded(world.runtime, instance)) == [("CREATED", card.external_id, "PULL")]


async def test_a_write_that_changes_nothing_is_no_event(
    world: World, instance: DataSourceInstance, place: ObservedPlace, notes_app: NotesApp
):
    (first, *_) = await listed(world)
    await change(world, first, fields={"title": notes_app.tables["cards"].fields[first]["title"]})

    assert await following.recorded(world.runtime, instance) == []


async def test_who_is_not_in_sync_with_that_collection_hears_nothing(world: World, instance: DataSourceInstance, place: ObservedPlace):
    for values in ({"generation": 2}, {"generation": 1, "lapsed_at": world.runtime.clock.now()}):
        await following.change_state(world.runtime, instance, **values)
        await create(world, fields={"title": "New"})
    await following.change_state(world.runtime, instance, lapsed_at=None)
    await create(world, await _elsewhere(world), fields={"title": "New"})
    await data_source_instances.archive(world.runtime, world.acme, by=by(instance))
    await create(world, fields={"title": "New"})

    assert await following.recorded(world.runtime, instance) == []


async def _elsewhere(world: World) -> Any:
    place = await cards(world)
    return type(place)(connection=place.connection, integration=place.integration, pointer=Pointer("cards", {"box": 7}))


async def test_bodies_are_kept_only_where_they_are_wanted(world: World, instance: DataSourceInstance, place: ObservedPlace):
    await data_sources.update(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings"), event_bodies=False)
    card = await create(world, fields={"title": "New"})

    (event,) = await following.recorded(world.runtime, instance)
    assert (event.record_id, event.body, event.previous) == (card.external_id, None, None)


async def test_what_was_seen_after_the_write_began_is_not_overwritten_and_looked_at_again(
    world: World, instance: DataSourceInstance, place: ObservedPlace, notes_app: NotesApp
):
    (first, *_) = await listed(world)

    async def meanwhile() -> None:
        notes_app.meanwhile = None
        await following.observe(world.runtime, place, {first: {"title": "Seen meanwhile"}})

    notes_app.meanwhile = meanwhile
    await change(world, first, fields={"title": "Mine"})

    assert [_title(event.body) for event in await following.recorded(world.runtime, instance)] == ["Seen meanwhile"]
    assert await following.is_asked_for(world.runtime, instance, TaskKind.PULL)


async def test_where_it_is_not_known_what_the_app_did_the_next_pull_begins_at_once(
    world: World, instance: DataSourceInstance, place: ObservedPlace, notes_app: NotesApp
):
    for failure, is_looked_at in (
        (UpstreamUnavailableError("Gone.", may_have_been_received=False), False),
        (UpstreamUnavailableError("Gone.", may_have_been_received=True), True),
        (UpstreamResponseError("Nonsense."), True),
    ):
        await following.forget_requests(world.runtime)
        notes_app.failures["create"] = failure
        with pytest.raises(type(failure)):
            await create(world, fields={"title": "New"})
        assert await following.is_asked_for(world.runtime, instance, TaskKind.PULL) is is_looked_at

    assert await following.recorded(world.runtime, instance) == []


async def test_a_record_that_cannot_be_told_does_not_spoil_the_write(
    world: World, instance: DataSourceInstance, place: ObservedPlace, notes_app: NotesApp
):
    async def meanwhile() -> None:
        notes_app.meanwhile = None
        await following.change_state(world.runtime, instance, generation=2)

    notes_app.meanwhile = meanwhile
    card = await create(world, fields={"title": "New"})

    assert card.fields["title"] == "New"
    assert await following.recorded(world.runtime, instance) == []
