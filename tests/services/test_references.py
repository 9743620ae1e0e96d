"""References from a record's own fields to records of other collections, as the schema of its collection tells of them."""

import pytest

from gateway.errors import InvalidError, UpstreamResponseError, UserError
from gateway.models import Pointer, Record
from gateway.services import records, references
from tests.services.record_world import cards, notes
from tests.support import runtime as given

KNOWN = "personId, watcherIds, scrap.id"


def card(**fields):
    return Record(external_id="1", fields=fields)


async def follow(world, record, field, *, pointer=None):
    place = await given.place(world.runtime, world.connection, pointer or Pointer("cards"))
    return await follow_from(world, place, record, field)


async def follow_from(world, place, record, field):
    target = await references.target_of(world.runtime, world.acme, place=place, field=field)
    return references.native_reference(world.runtime, place=place, record=record, field=field, target=target)


async def test_a_reference_leads_to_a_record_of_the_other_collection(world, notes_app):
    found = await follow(world, card(personId=101), "personId")

    assert (found.external_id, found.place.pointer, found.place.connection.id) == ("101", Pointer("people"), world.connection.id)
    record = await records.record(world.runtime, world.acme, place=found.place, external_id=found.external_id)
    assert record.fields["name"] == "Ada"


async def test_a_hundred_references_ask_for_the_schema_once(world, notes_app):
    for number in range(100):
        await follow(world, card(personId=number), "personId")

    assert notes_app.requests == ["check", "describe"]


@pytest.mark.parametrize(
    "fields", [{}, {"personId": None}, {"personId": ""}, {"watcherIds": []}, {"scrap": None}, {"scrap": "torn"}], ids=str
)
async def test_a_field_that_is_empty_leads_nowhere(world, fields):
    for field in ("personId", "watcherIds", "scrap.id"):
        assert await follow(world, card(**fields), field, pointer=Pointer("cards", {"box": 3})) is None


async def test_a_relation_to_one_record_in_a_list_is_followed_and_one_to_several_is_not(world):
    assert (await follow(world, card(watcherIds=[102]), "watcherIds")).external_id == "102"
    for value, kind in (([101, 102], "2 ids"), ({"id": 7}, "no id"), (True, "no id"), (1.5, "no id")):
        with pytest.raises(InvalidError) as caught:
            await follow(world, card(watcherIds=value), "watcherIds")
        assert caught.value.message == f"Field 'watcherIds' holds {kind}, and a reference is to one record."


async def test_parameters_that_the_other_collection_needs_are_those_of_the_records_own(world):
    found = await follow(world, card(scrap={"id": "s1"}), "scrap.id", pointer=Pointer("cards", {"box": 3}))

    assert (found.external_id, found.place.pointer) == ("s1", Pointer("scraps", {"box": 3}))
    with pytest.raises(UpstreamResponseError, match=r"The schema of field 'scrap.id' refers to a collection that there is not: .*box"):
        await follow(world, card(scrap={"id": "s1"}), "scrap.id")


async def test_parameters_that_the_schema_gives_are_taken_first(world, notes_app):
    for parameters, box in (({"box": 9}, 9), ({}, 3), (None, 3)):
        notes_app.custom_fields = {"extra": {"type": "string", "x-reference": {"collection": "scraps", "parameters": parameters}}}
        place = await given.place(
            world.runtime, await given.connection(world.runtime, world.acme, name=str(parameters)), Pointer("cards", {"box": 3})
        )
        found = await follow_from(world, place, card(extra="s"), "extra")
        assert found.place.pointer == Pointer("scraps", {"box": box})


@pytest.mark.parametrize("field", ["title", "colour", "", "personId.name", "scrap", "\ud800", "x" * 10_000])
async def test_a_field_that_refers_to_nothing_is_refused_with_those_that_do(world, field):
    with pytest.raises(UserError) as caught:
        await follow(world, card(title="101"), field)

    told = f"Field {field[:100]!r} of collection 'cards' refers to no collection. These do: {KNOWN}."
    assert (type(caught.value), caught.value.message, caught.value.field) == (InvalidError, told, ["field"])


async def test_a_collection_without_references_says_so(world):
    with pytest.raises(InvalidError, match=r"Field 'text' of collection 'notes' refers to no collection. None of its fields does."):
        await follow_from(world, await notes(world), card(text="x"), "text")


@pytest.mark.parametrize(
    "target", [{"collection": "nowhere"}, {"collection": "archive"}, {"collection": "scraps", "parameters": {"box": "x"}}], ids=str
)
async def test_a_reference_to_a_collection_that_there_is_not_is_the_apps_fault(world, notes_app, target):
    notes_app.custom_fields = {"extra": {"type": "string", "x-reference": target}}

    with pytest.raises(UpstreamResponseError, match="The schema of field 'extra' refers to a collection that there is not"):
        await follow(world, card(extra="1"), "extra")


@pytest.mark.parametrize("broken", [5, "people", {"collection": 5}, {"udm": "users"}, {"collection": "people", "parameters": [1]}], ids=str)
async def test_a_broken_reference_in_a_schema_is_none(world, notes_app, broken):
    notes_app.custom_fields = {"extra": {"type": "string", "x-reference": broken}, "odd": True, "list": {"items": [1]}}

    if isinstance(broken, dict) and "parameters" in broken:
        assert (await follow(world, card(extra="1"), "extra")).place.pointer == Pointer("people")
        return
    with pytest.raises(InvalidError, match=f"These do: {KNOWN}."):
        await follow(world, card(extra="1"), "extra")


async def test_a_reference_is_a_place_like_any_other(world):
    found = await follow(world, card(personId=101), "personId")

    assert found.place.identity != (await cards(world)).identity
    assert found.place.udm is None
