"""Records one by one: by id, by several ids in the fewest requests, and by equal fields."""

from dataclasses import replace

import pytest

from gateway.errors import (
    GatewayError,
    InvalidError,
    NotFoundError,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.models import Pointer
from gateway.services import connections, records
from gateway.services.selectors import ConnectionSelector, FieldValues
from gateway.udm import FieldRule
from tests.services.record_world import cards, notes, people, told
from tests.support import runtime as given
from tests.support.runtime import refused

IMPOSSIBLE = ["", "a\r\nX: y", "\0", "\ud800", "x" * 1001]


async def read(world, place, external_id):
    return await records.record(world.runtime, world.acme, place=place, external_id=external_id)


async def by_ids(world, place, *external_ids):
    return await records.by_ids(world.runtime, world.acme, place=place, external_ids=external_ids)


async def match(world, place, *, udm=None, **by):
    return await records.match(world.runtime, world.acme, place=place, by=FieldValues(**by), udm=udm)


async def test_a_record_is_read_by_its_id_and_absent_ones_are_null(world, notes_app):
    found = await read(world, await cards(world), "2")

    assert (found.external_id, found.fields["title"], found.version) == ("2", "card 2", "1")
    assert await read(world, await cards(world), "99") is None
    assert notes_app.requests[1:] == ["record", "record"]


@pytest.mark.parametrize("external_id", IMPOSSIBLE, ids=["empty", "lines", "nul", "surrogate", "long"])
async def test_an_id_that_no_app_can_have_is_absent_and_the_app_is_not_asked(world, notes_app, external_id):
    assert await read(world, await cards(world), external_id) is None
    assert notes_app.requests == ["check"]


async def test_records_that_are_found_one_by_one_cost_one_request_for_each_id(world, notes_app):
    found = await by_ids(world, await cards(world), "3", "1", "3", "nobody", "1", "")

    assert list(found) == ["3", "1", "nobody", ""]
    assert [record and record.external_id for record in found.values()] == ["3", "1", None, None]
    assert notes_app.ids == [("3",), ("1",), ("nobody",)]


async def test_records_that_are_found_together_cost_the_fewest_requests(world, notes_app):
    found = await by_ids(world, await people(world), "101", "102", "103", "104", "101", "nobody", "106", "107")

    assert [record and record.fields["name"] for record in found.values()] == ["Ada", "Grace", "Edsger", "Barbara", None, "Hedy", "Alan"]
    assert notes_app.ids == [("101", "102", "103"), ("104", "nobody", "106"), ("107",)]
    assert notes_app.requests[1:] == ["records_by_ids"] * 3


async def test_one_record_alone_is_read_as_itself(world, notes_app):
    assert (await by_ids(world, await people(world), "101", "101"))["101"].fields["name"] == "Ada"
    assert notes_app.requests[1:] == ["record"]


async def test_an_operation_that_may_ask_no_more_says_so_for_each_record_that_is_left(world, notes_app):
    place = await cards(world)
    runtime = world.runtime.for_operation()
    wanted = [str(number) for number in range(runtime.settings.upstream_calls_per_operation + 5)]

    found = await records.by_ids(runtime, world.acme, place=place, external_ids=wanted)

    errors = [record for record in found.values() if isinstance(record, GatewayError)]
    assert {error.code for error in errors} == {"UPSTREAM_CALLS_EXCEEDED"}
    assert (len(errors), notes_app.requests.count("record")) == (5, 100)


async def test_no_ids_ask_nobody(world, notes_app):
    assert await by_ids(world, await people(world)) == {}
    assert notes_app.requests == ["check"]


async def test_an_error_of_the_app_stands_for_the_records_it_concerns_without_the_credentials(world, notes_app):
    notes_app.failure = UpstreamRejectedError("Not for a-token-that-notes-accepts.", status=403)

    found = await by_ids(world, await people(world), "101", "102", "103", "104", "")

    assert {key: str(error) for key, error in found.items() if error is not None} == dict.fromkeys(
        ["101", "102", "103", "104"], "Not for [redacted]."
    )
    assert found[""] is None
    async with refused(world.runtime, UpstreamRejectedError, "Not for [redacted]."):
        await read(world, await cards(world), "1")


async def test_credentials_that_are_refused_end_everything_and_disconnect(world, notes_app):
    notes_app.accepted_tokens.clear()

    with pytest.raises(UpstreamAuthError, match=r"Notes does not know the token \[redacted\]"):
        await by_ids(world, await people(world), "101", "102", "103", "104")
    connection = await connections.by_selector(world.runtime, world.acme, by=ConnectionSelector(id=world.connection.id))
    with pytest.raises(UpstreamAuthError):
        await by_ids(world, await given.place(world.runtime, connection, Pointer("people")), "101")

    assert connection.error["code"] == "UPSTREAM_AUTH"
    assert notes_app.requests[1:] == ["records_by_ids"] * 2


async def test_where_records_cannot_be_read_by_id_it_is_said(world, notes_app):
    async with refused(world.runtime, UnsupportedError, "Collection 'notes' does not support FIND_BY_ID. It supports LIST."):
        await read(world, await notes(world), "note 1")
    assert "record" not in notes_app.requests


async def test_a_record_is_matched_by_its_fields(world, notes_app):
    place = await cards(world)

    assert (await match(world, place, fields={"state": "1", "points": 2})).external_id == "2"
    assert await match(world, place, fields={"title": "no such card"}) is None
    assert (await match(world, place, unified_fields={"status": "closed"})).external_id == "4"
    assert (await match(world, await people(world), fields={"email": "ada@example.com"})).external_id == "101"


@pytest.mark.parametrize(
    ("by", "error", "message", "field"),
    [
        ({}, InvalidError, "Give either `fields` or `unifiedFields`, a JSON object.", "by"),
        ({"fields": {}}, InvalidError, "Name at least one field to match by.", "by fields"),
        ({"fields": ["title"]}, InvalidError, "The value must be a JSON object of fields by name.", "by fields"),
        ({"fields": {"title": None}}, InvalidError, "A record is matched by texts, numbers and booleans.", "by fields title"),
        ({"fields": {"title": {"EQ": "x"}}}, InvalidError, "A record is matched by texts, numbers and booleans.", "by fields title"),
        ({"fields": {"points": "2"}}, InvalidError, "Field 'points' is compared with '2', which is no integer.", "by fields points"),
        (
            {"fields": {"done": True}},
            UnsupportedError,
            "Collection 'cards' cannot be matched by 'done'. It can by title, state, points.",
            "by fields done",
        ),
        (
            {"unified_fields": {"dueTime": "2026-01-01T00:00:00Z"}},
            UnsupportedError,
            "Collection 'cards' cannot be matched by 'due'. It can by title, state, points.",
            "by unifiedFields dueTime",
        ),
    ],
    ids=str,
)
async def test_what_cannot_be_matched_is_refused_at_its_place(world, notes_app, by, error, message, field):
    with pytest.raises(GatewayError) as caught:
        await match(world, await cards(world), **by)

    assert told(caught.value) == [(error, message, tuple(field.split()))]
    assert "match" not in notes_app.requests


async def test_every_field_that_cannot_be_matched_is_told(world):
    with pytest.raises(GatewayError) as caught:
        await match(world, await cards(world), fields={"done": True, "title": None, "points": 1})

    assert [field for _, _, field in told(caught.value)] == [("by", "fields", "done"), ("by", "fields", "title")]


async def test_fields_of_a_model_that_contradict_each_other_in_the_app_match_nothing(world):
    mappings = world.runtime.connectors["notes"].mappings
    rules = {
        **mappings["cards", "tasks"].rules,
        "type": FieldRule(path="title"),
        "priority": FieldRule(path="state", values={"1": "x", "2": "x"}),
    }
    mappings["cards", "tasks"] = replace(mappings["cards", "tasks"], rules=rules)

    assert (await match(world, await cards(world), unified_fields={"subject": "card 3", "type": "card 3"})).external_id == "3"
    with pytest.raises(GatewayError) as caught:
        await match(world, await cards(world), unified_fields={"subject": "card 3", "type": "card 4", "priority": "x"})
    assert told(caught.value) == [
        (InvalidError, "Two fields ask for different values of 'title'.", ("by", "unifiedFields", "type")),
        (
            UnsupportedError,
            "Several values of the app stand for this one, and a record is matched by one.",
            ("by", "unifiedFields", "priority"),
        ),
    ]


async def test_where_nothing_can_be_matched_it_is_said(world):
    async with refused(world.runtime, UnsupportedError, "Collection 'notes' does not support MATCH. It supports LIST."):
        await match(world, await notes(world), fields={"text": "x"})


async def test_a_match_in_an_unknown_model_is_refused(world, notes_app):
    async with refused(world.runtime, NotFoundError, "There is no universal data model 'cards'.", field=["udm"]):
        await match(world, await cards(world), udm="cards", unified_fields={"status": "open"})
    assert notes_app.requests == ["check"]


async def test_an_app_that_is_down_is_no_absent_record(world, notes_app):
    notes_app.failure = UpstreamUnavailableError("Notes is away.", may_have_been_received=False)

    for action in (read(world, await cards(world), "1"), match(world, await cards(world), fields={"title": "x"})):
        async with refused(world.runtime, UpstreamUnavailableError, "Notes is away."):
            await action
