"""What apps said of their collections: kept for ten minutes, and never the reason of a refusal without asking again."""

from dataclasses import replace

import pytest

from gateway.connectors.described import KEPT_SECONDS, DescribedCollections
from gateway.errors import CombinedUserError, InvalidError, UnsupportedError, UpstreamUnavailableError
from gateway.models import Pointer
from gateway.services import connections, data_source_instances, places, records
from gateway.services.selectors import ConnectionSelector, FieldValues, PointerInput
from tests.services.instances import by
from tests.services.record_world import cards, create, listed, update
from tests.support import runtime as given
from tests.support.notes_cards import CARDS

COLOUR = {"colour": {"type": "string"}}


def asked(notes_app):
    return notes_app.requests.count("describe")


async def test_writes_and_filters_ask_for_the_spec_once_in_ten_minutes(world, notes_app, clock):
    await create(world, fields={"title": "a"})
    await update(world, "1", fields={"title": "b"})
    await listed(world, filter={"title": "b"})
    assert asked(notes_app) == 1

    clock.advance(KEPT_SECONDS - 1)
    await create(world, fields={"title": "c"})
    assert asked(notes_app) == 1
    clock.advance(1)
    await create(world, fields={"title": "d"})
    assert asked(notes_app) == 2


async def test_plain_lists_single_reads_and_deletions_ask_for_no_spec(world, notes_app):
    place = await cards(world)
    await listed(world)
    await records.record(world.runtime, world.acme, place=place, external_id="1")

    assert notes_app.requests == ["check", "records", "record"]


async def test_a_field_that_was_added_meanwhile_is_taken_at_once(world, notes_app):
    await create(world, fields={"title": "a"})
    notes_app.custom_fields = COLOUR

    assert (await create(world, fields={"title": "b", "colour": "red"})).fields["colour"] == "red"
    assert await listed(world, filter={"colour": "red"}) == ["7"]
    assert asked(notes_app) == 2


async def test_a_mistake_is_told_after_the_app_was_asked_again_and_only_once(world, notes_app):
    await create(world, fields={"title": "a"})
    place = await cards(world)

    for action in (
        lambda: create(world, fields={"title": "b", "colour": "red"}),
        lambda: listed(world, filter={"colour": "red"}),
        lambda: records.match(world.runtime, world.acme, place=place, by=FieldValues(fields={"colour": "red"})),
    ):
        before = asked(notes_app)
        with pytest.raises((InvalidError, UnsupportedError, CombinedUserError)):
            await action()
        assert asked(notes_app) == before + 1


async def test_an_app_that_cannot_describe_the_collection_refuses_nothing_by_itself(world, notes_app):
    notes_app.failures["describe"] = UpstreamUnavailableError("Notes is away.", may_have_been_received=False)

    with pytest.raises(UpstreamUnavailableError, match="Notes is away"):
        await create(world, fields={"title": "a"})
    assert "create" not in notes_app.requests


async def test_setup_reads_the_spec_anew_for_everybody(world, notes_app):
    await given.definition(world.runtime, "things", udm=None, pointer=PointerInput(path="/data/cards"))
    instance = await given.instance(world.runtime, world.acme, world.connection, "things")
    notes_app.custom_fields = COLOUR
    before = asked(notes_app)

    await data_source_instances.setup(world.runtime, world.acme, by=by(instance))
    await create(world, fields={"title": "a", "colour": "red"})

    assert asked(notes_app) == before + 1


async def test_what_a_client_reads_of_a_spec_is_live(world, notes_app):
    for custom in ({}, COLOUR):
        notes_app.custom_fields = custom
        spec = await places.spec(world.runtime, world.acme, connection=world.connection, pointer=Pointer("cards"))
        assert spec.has_custom_fields is bool(custom)
    assert asked(notes_app) == 2


async def test_another_connection_or_a_changed_one_has_its_own_spec(world, notes_app):
    await create(world, fields={"title": "a"})
    second = await given.connection(world.runtime, world.acme, name="Second")
    await create(world, await given.place(world.runtime, second, Pointer("cards")), fields={"title": "b"})
    assert asked(notes_app) == 2

    changed = await connections.update(world.runtime, world.acme, by=ConnectionSelector(id=second.id), name="Renamed")
    await create(world, await given.place(world.runtime, changed, Pointer("cards")), fields={"title": "c"})
    assert asked(notes_app) == 3


async def test_parameters_of_a_collection_have_their_own_spec(world, notes_app):
    for box in (1, 2, 1):
        await create(world, await given.place(world.runtime, world.connection, Pointer("cards", {"box": box})), fields={"title": "a"})

    assert asked(notes_app) == 2


def wide(columns):
    """Cards with so many columns more."""
    return replace(CARDS, fields_schema={"properties": {f"column{number:05}": {"type": "string"} for number in range(columns)}})


def test_of_too_many_specs_the_least_wanted_are_forgotten():
    kept = DescribedCollections(maximum_bytes=1_000_000)
    for number in range(100):
        kept.keep(number, CARDS, now=0.0)
        kept.find(0, now=0.0)

    assert (kept.find(0, now=1.0), kept.find(1, now=1.0), kept.find(99, now=1.0)) == (CARDS, None, CARDS)


def test_large_specs_take_the_room_of_many_small_ones():
    kept = DescribedCollections(maximum_bytes=1_000_000)
    for number in range(20):
        kept.keep(number, CARDS, now=0.0)
    kept.keep("wide", wide(2_000), now=1.0)
    kept.keep("wider", wide(20_000), now=1.0)

    assert kept.find("wider", now=1.0) is None
    assert kept.find("wide", now=1.0) is not None
    assert kept.find(0, now=1.0) is None


def test_a_spec_that_is_no_json_is_kept_like_any_other():
    kept = DescribedCollections()
    odd = replace(CARDS, fields_schema={"properties": {"points": {"maximum": 2**70}}})
    kept.keep("odd", odd, now=0.0)

    assert kept.find("odd", now=1.0) is odd


def test_a_newer_spec_takes_the_place_of_an_older_one():
    kept = DescribedCollections()
    newer = replace(CARDS, name="Newer")
    kept.keep("cards", CARDS, now=0.0)
    kept.keep("cards", newer, now=KEPT_SECONDS - 1)

    assert kept.find("cards", now=KEPT_SECONDS) is newer
    assert kept.find("cards", now=2 * KEPT_SECONDS) is None
