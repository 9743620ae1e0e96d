"""Creating, changing and deleting records: what is written, what is refused before the app is asked, and what is said when it fails."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given as given_any
from hypothesis import strategies

from gateway.errors import (
    AlreadyExistsError,
    ConflictError,
    GatewayError,
    InvalidError,
    NotFoundError,
    UnsupportedError,
    UpstreamRejectedError,
    UpstreamResponseError,
    UpstreamUnavailableError,
)
from gateway.models import CollectionOperation
from gateway.services import pointers, record_values, record_writes
from gateway.services.selectors import FieldValues
from tests.services.record_world import cards, create, delete, notes, outcome, people, told, update
from tests.support.notes_cards import CARDS, MAPPINGS
from tests.support.runtime import refused

FIELDS = ("input", "values", "fields")
UNIFIED = ("input", "values", "unifiedFields")
WRITES = (CollectionOperation.CREATE, CollectionOperation.UPDATE)
NAMES = strategies.sampled_from([*CARDS.fields_schema["properties"], *MAPPINGS["cards", "tasks"].rules, "id"]) | strategies.text(max_size=5)
SCALARS = strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(max_size=5)
JSON = strategies.recursive(
    SCALARS, lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


async def refusals(action):
    with pytest.raises(GatewayError) as caught:
        await action
    return told(caught.value)


def table(notes_app):
    return notes_app.tables["cards"]


async def test_a_record_is_created_as_the_app_has_it(world, notes_app):
    made = await create(world, fields={"title": "Größe 😀", "points": 2**60, "body": None, "watcherIds": [], "place": {"city": ""}})

    assert (made.external_id, made.version) == ("6", "1")
    assert made.fields == {
        "title": "Größe 😀",
        "points": 2**60,
        "body": None,
        "watcherIds": [],
        "place": {"city": ""},
        "number": 6,
        "createdAt": "2026-01-02T03:04:05Z",
    }
    assert notes_app.requests == ["check", "describe", "create"]


async def test_a_record_is_changed_where_fields_are_given_and_deleted(world, notes_app):
    changed = await update(world, "2", fields={"points": None})

    assert (changed.fields["points"], changed.fields["title"], changed.version) == (None, "card 2", "2")
    assert await delete(world, "2") == "2"
    assert "2" not in table(notes_app).fields


@pytest.mark.parametrize("answers_records", [True, False])
async def test_the_record_is_read_again_where_the_app_answers_only_its_id(world, notes_app, answers_records):
    notes_app.answers_records = answers_records

    assert (await create(world, fields={"title": "new"})).fields["number"] == 6
    assert (await update(world, "1", fields={"title": "renamed"})).fields["number"] == 1
    again = ["create", "update"] if answers_records else ["create", "record", "update", "record"]
    assert [request for request in notes_app.requests if request not in ("check", "describe")] == again


async def test_unified_fields_are_written_as_the_apps_own(world, notes_app):
    made = await create(
        world,
        unified_fields={"subject": "unified", "status": "closed", "assigneeId": "104", "followerIds": ["101"], "content": None},
    )

    assert {name: made.fields[name] for name in ("title", "state", "personId", "watcherIds", "body")} == {
        "title": "unified",
        "state": "2",
        "personId": 104,
        "watcherIds": [101],
        "body": None,
    }
    assert (await update(world, made.external_id, udm="tasks", unified_fields={"assigneeId": None})).fields["personId"] is None


@pytest.mark.parametrize(
    ("fields", "message", "path"),
    [
        ([], "The value must be a JSON object of fields by name.", ()),
        ("title", "The value must be a JSON object of fields by name.", ()),
        ({}, "The field is required.", ("title",)),
        ({"title": ""}, '"" is shorter than 1 character.', ("title",)),
        ({"title": None}, 'null is not of type "string".', ("title",)),
        ({"title": 5}, '5 is not of type "string".', ("title",)),
        ({"title": "x", "points": -1}, "-1 is less than the minimum of 0.", ("points",)),
        ({"title": "x", "state": "3"}, '"3" is not one of "1" or "2".', ("state",)),
        ({"title": "x", "place": {"city": 5}}, '5 is not of type "string".', ("place", "city")),
        ({"title": "x", "watcherIds": [1, "2"]}, '"2" is not of type "integer".', ("watcherIds", "1")),
        ({"title": "x", "due": "tomorrow"}, '"tomorrow" is not a "date-time".', ("due",)),
        ({"title": "x", "createdAt": "2026-01-01T00:00:00Z"}, "Field 'createdAt' is read-only: the app sets it.", ("createdAt",)),
        ({"title": "x", "number": 7}, "Field 'number' cannot be set at creation.", ("number",)),
        (
            {"title": "x", "colour": "red"},
            "Collection 'cards' has no field 'colour'. It takes title, body, points, done, state, personId, watcherIds, scrap, place, due.",
            ("colour",),
        ),
        ({"title": "\ud800"}, "The object holds a text with half of a surrogate pair.", ()),
        ({"title": "x", "points": 10**308}, "The object holds an integer of more than 308 digits.", ()),
        ({"title": "x", "points": float("nan")}, "The object holds a number that is not finite.", ()),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict | list) else "",
)
async def test_wrong_fields_are_refused_at_their_place_and_nothing_is_written(world, notes_app, fields, message, path):
    assert await refusals(create(world, fields=fields)) == [(InvalidError, message, (*FIELDS, *path))]

    assert (len(table(notes_app).fields), "create" in notes_app.requests) == (5, False)


async def test_every_violation_is_told_with_its_place(world):
    found = await refusals(create(world, fields={"points": "many", "colour": 1, "shape": 2, "done": "yes"}))

    assert {field for _, _, field in found} == {
        (*FIELDS, "points"),
        (*FIELDS, "colour"),
        (*FIELDS, "shape"),
        (*FIELDS, "done"),
        (*FIELDS, "title"),
    }


async def test_an_update_needs_a_field_and_no_required_one(world, notes_app):
    assert await refusals(update(world, "1", fields={})) == [(InvalidError, "Name at least one field to change.", FIELDS)]
    assert await refusals(update(world, "1", fields={"number": 3})) == [
        (InvalidError, "Field 'number' cannot be changed.", (*FIELDS, "number"))
    ]
    assert (await update(world, "1", fields={"done": True})).fields["title"] == "card 1"


@pytest.mark.parametrize("values", [{}, {"fields": {"title": "x"}, "unified_fields": {"subject": "x"}}], ids=["neither", "both"])
async def test_values_are_one_kind_of_fields(world, notes_app, values):
    message = "Give either `fields` or `unifiedFields`, a JSON object."
    assert await refusals(create(world, **values)) == [(InvalidError, message, ("input", "values"))]
    assert "create" not in notes_app.requests


@pytest.mark.parametrize(
    ("unified_fields", "message", "path"),
    [
        ({"subject": "x", "priority": "high"}, "Field 'priority' of model 'tasks' has no place in collection 'cards'.", ("priority",)),
        ({"subject": "x", "colour": "red"}, "Model 'tasks' has no field 'colour'.", ("colour",)),
        ({"subject": "x", "id": "7"}, "Field 'id' of model 'tasks' is read-only: the app sets it.", ("id",)),
        (
            {"subject": "x", "createdTime": "2026-01-01T00:00:00Z"},
            "Field 'createdTime' of model 'tasks' is read-only: the app sets it.",
            ("createdTime",),
        ),
        ({"subject": 5}, '5 is not of type "string".', ("subject",)),
        ({"subject": "x", "followerIds": [101, "x"]}, '101 is not of type "string".', ("followerIds", "0")),
        ({"subject": "x", "followerIds": ["x", None]}, 'null is not of type "string".', ("followerIds", "1")),
        ({"subject": ""}, "The app's own field 'title': \"\" is shorter than 1 character.", ("subject",)),
        ({"subject": "x", "assigneeId": "ada"}, None, ("assigneeId",)),
        ({"subject": "x", "status": "paused"}, None, ("status",)),
        ({"content": "x"}, "The app's own field 'title': The field is required.", ()),
        ([], "The value must be a JSON object of fields by name.", ()),
    ],
    ids=str,
)
async def test_wrong_unified_fields_are_refused_at_their_place_in_the_model(world, notes_app, unified_fields, message, path):
    ((error, said, field),) = await refusals(create(world, unified_fields=unified_fields))

    assert (error, field) == (InvalidError, (*UNIFIED, *path))
    assert message is None or said == message
    assert "create" not in notes_app.requests


@given_any(strategies.dictionaries(NAMES, JSON, max_size=6), strategies.sampled_from(WRITES))
def test_whatever_json_the_fields_are_they_are_valid_or_refused_at_their_place(written, operation):
    for values, translation in ((FieldValues(fields=written), None), (FieldValues(unified_fields=written), MAPPINGS["cards", "tasks"])):
        read = partial(record_values.native_values, values, spec=CARDS, operation=operation, translation=translation, place=FIELDS[:2])
        native, said = outcome(read)

        assert all(message and place[:2] == ("input", "values") for _, message, place in said)
        assert said or pointers.violations(CARDS.update_fields_schema, native.fields) == []


async def test_a_field_that_an_object_in_a_field_does_not_have_is_told_with_its_path(world, notes_app):
    part = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
    notes_app.custom_fields = {"home": part, "homes": {"type": "array", "items": part}}

    found = await refusals(create(world, fields={"title": "x", "home": {"street": "y"}, "homes": [{"city": "z", "street": "y"}]}))

    assert sorted(found, key=lambda part: part[2]) == [
        (InvalidError, "The field is required.", (*FIELDS, "home", "city")),
        (InvalidError, "The object has no field 'street'.", (*FIELDS, "home", "street")),
        (InvalidError, "The object has no field 'street'.", (*FIELDS, "homes", "0", "street")),
    ]


async def test_an_app_that_describes_its_fields_with_a_broken_schema_is_at_fault(world, notes_app):
    notes_app.custom_fields = {"odd": {"type": "nonsense"}}

    with pytest.raises(UpstreamResponseError, match="The app describes its fields in a way that cannot be used"):
        await create(world, fields={"title": "x"})
    assert "create" not in notes_app.requests


async def test_a_model_that_cannot_be_written_here_is_refused(world, notes_app):
    assert await refusals(create(world, udm="deals", unified_fields={"name": "x"})) == [
        (UnsupportedError, "Records of collection 'cards' cannot be read or written as 'deals'. They can as tasks.", ("input", "udm"))
    ]
    assert await refusals(create(world, udm="cards", unified_fields={"name": "x"})) == [
        (NotFoundError, "There is no universal data model 'cards'.", ("input", "udm"))
    ]
    assert await refusals(create(world, udm="cards", fields={"title": "x"})) == [
        (NotFoundError, "There is no universal data model 'cards'.", ("input", "udm"))
    ]
    assert notes_app.requests == ["check"]


@pytest.mark.parametrize("size", [100, 1_000], ids=["100 levels", "1,000 levels"])
async def test_fields_that_nest_too_deeply_are_refused(world, size):
    nested: object = "x"
    for _ in range(size):
        nested = [nested]

    assert await refusals(create(world, fields={"title": nested})) == [(InvalidError, "The object holds more than 100 levels.", FIELDS)]


async def test_fields_of_more_than_ten_megabytes_are_refused(world):
    ((error, message, field),) = await refusals(create(world, fields={"title": "x" * 10_485_760}))
    assert (error, message, field) == (InvalidError, "The object takes 10485772 bytes of JSON; at most 10485760 are sent.", FIELDS)


async def test_what_the_collection_does_not_support_is_told(world, notes_app):
    for place, operation in ((await notes(world), "LIST"), (await people(world), "LIST, FIND_BY_ID, MATCH")):
        assert await refusals(create(world, place, fields={"text": "x"})) == [
            (UnsupportedError, f"Collection {place.pointer.key!r} does not support CREATE. It supports {operation}.", None)
        ]
    for write in (
        record_writes.update(world.runtime, world.acme, place=await notes(world), external_id="1", values=FieldValues(fields={})),
        record_writes.delete(world.runtime, world.acme, place=await notes(world), external_id="1"),
    ):
        ((error, message, field),) = await refusals(write)
        assert (error, message.endswith("It supports LIST."), field) == (UnsupportedError, True, None)
    assert not {"create", "update", "delete"} & set(notes_app.requests)


async def test_a_write_bound_to_an_old_version_is_a_conflict_and_nothing_is_written(world, notes_app):
    assert (await update(world, "1", if_version="1", fields={"points": 9})).version == "2"
    message = "Card '1' has version 2, not 1."
    assert await refusals(update(world, "1", if_version="1", fields={"points": 10})) == [(ConflictError, message, ("input", "ifVersion"))]
    assert await refusals(delete(world, "1", if_version="1")) == [(ConflictError, message, ("input", "ifVersion"))]
    assert (table(notes_app).fields["1"]["points"], await delete(world, "1", if_version="2")) == (9, "1")


async def test_a_creation_sent_twice_with_one_key_makes_one_record(world, notes_app):
    first = await create(world, key="order-7", fields={"title": "once"})
    second = await create(world, key="order-7", fields={"title": "once"})

    assert (first.external_id, second.external_id, len(table(notes_app).fields)) == ("6", "6", 6)


async def test_versions_and_keys_that_the_app_does_not_know_are_refused(world, notes_app):
    connector = world.runtime.connectors["notes"]
    unconditional = [replace(spec, takes_version=False, takes_idempotency_key=False) for spec in connector.spec.collections]
    connector.spec = replace(connector.spec, collections=tuple(unconditional))

    assert await refusals(create(world, key="k", fields={"title": "x"})) == [
        (
            UnsupportedError,
            "The app knows no idempotency keys for collection 'cards'. Leave the key out, and look before you create twice.",
            ("input", "idempotencyKey"),
        )
    ]
    message = "The app cannot bind this to a version of a record of collection 'cards'. Leave it out, and the last writer wins."
    expected = [(UnsupportedError, message, ("input", "ifVersion"))]
    assert await refusals(update(world, "1", if_version="1", fields={"title": "x"})) == expected
    assert await refusals(delete(world, "1", if_version="1")) == expected
    assert (len(table(notes_app).fields), table(notes_app).fields["1"]["title"]) == (5, "card 1")


@pytest.mark.parametrize("text", ["", " ", "x" * 1001, "a\0b"], ids=["empty", "blank", "long", "nul"])
async def test_a_version_or_key_that_is_no_text_is_refused(world, notes_app, text):
    for action, place in (
        (update(world, "1", if_version=text, fields={"title": "x"}), "ifVersion"),
        (delete(world, "1", if_version=text), "ifVersion"),
        (create(world, key=text, fields={"title": "x"}), "idempotencyKey"),
    ):
        ((error, _, field),) = await refusals(action)
        assert (error, field) == (InvalidError, ("input", place))
    assert notes_app.requests == ["check"]


async def test_a_record_that_is_not_there_is_not_found(world):
    for action in (update(world, "99", fields={"title": "x"}), delete(world, "99")):
        assert await refusals(action) == [(NotFoundError, "Notes has no card '99'.", ("input", "externalId"))]


@pytest.mark.parametrize("external_id", ["", "a\r\nX: y", "\ud800", "x" * 1001], ids=["empty", "lines", "surrogate", "long"])
async def test_an_id_that_no_app_can_have_is_not_found_and_the_app_is_not_asked(world, notes_app, external_id):
    for action in (update(world, external_id, fields={"title": "x"}), delete(world, external_id)):
        message = f"No record can have the id {external_id[:100]!r}."
        assert await refusals(action) == [(NotFoundError, message, ("input", "externalId"))]
    assert notes_app.requests == ["check"]


async def test_the_apps_own_refusal_names_the_fields_in_the_callers_words(world):
    for values, name in (({"fields": {"title": "forbidden"}}, "title"), ({"unified_fields": {"subject": "forbidden"}}, "subject")):
        for action in (create(world, **values), update(world, "1", **values)):
            with pytest.raises(UpstreamRejectedError, match="Notes refused the card") as caught:
                await action
            assert (caught.value.status, caught.value.fields) == (422, {name: "Notes allows no such title."})


async def test_a_record_that_exists_already_is_a_conflict_without_a_place(world, notes_app):
    notes_app.failures["create"] = ConflictError("There is such a card.")
    assert await refusals(create(world, fields={"title": "x"})) == [(ConflictError, "There is such a card.", None)]
    notes_app.failures["create"] = AlreadyExistsError("There is such a card.")
    assert await refusals(create(world, fields={"title": "x"})) == [(AlreadyExistsError, "There is such a card.", None)]


async def test_a_write_that_may_have_been_received_says_what_is_not_known(world, notes_app):
    def away(*, may_have_been_received):
        return UpstreamUnavailableError("Notes is away.", may_have_been_received=may_have_been_received)

    for name, action in (
        ("create", lambda: create(world, fields={"title": "x"})),
        ("update", lambda: update(world, "1", fields={"title": "x"})),
        ("delete", lambda: delete(world, "1")),
    ):
        notes_app.failures = {name: away(may_have_been_received=True)}
        doubt = "Notes is away. It is not known whether the app has done it: look before you try again."
        async with refused(world.runtime, UpstreamUnavailableError, doubt):
            await action()
        notes_app.failures = {name: away(may_have_been_received=False)}
        async with refused(world.runtime, UpstreamUnavailableError, "Notes is away."):
            await action()
        assert notes_app.requests.count(name) == 2


async def test_an_answer_that_cannot_be_understood_leaves_the_same_doubt(world, notes_app):
    notes_app.failures["create"] = UpstreamResponseError("Notes answered with a poem.")
    message = "Notes answered with a poem. It is not known whether the app has done it: look before you try again."

    async with refused(world.runtime, UpstreamResponseError, message):
        await create(world, fields={"title": "x"})


@pytest.mark.parametrize(
    "error", [partial(UpstreamUnavailableError, may_have_been_received=True), UpstreamResponseError], ids=["unavailable", "response"]
)
async def test_a_doubt_that_is_told_already_is_told_once(world, notes_app, error):
    said = error("Notes is odd. It is not known whether the record was created: look before you try again.")
    notes_app.failures["create"] = said

    async with refused(world.runtime, type(said), said.message):
        await create(world, fields={"title": "x"})


async def test_a_creation_where_nothing_can_be_is_told_of_the_collection(world, notes_app):
    notes_app.failures["create"] = NotFoundError("Notes has no such box.")

    assert await refusals(create(world, fields={"title": "x"})) == [(NotFoundError, "Notes has no such box.", ("input", "in"))]


async def test_a_record_that_was_written_and_cannot_be_read_back_is_told_as_written(world, notes_app):
    notes_app.answers_records = False
    notes_app.failures["record"] = UpstreamUnavailableError("Notes is away.", may_have_been_received=True)
    end = "Do not write it again: read it by its id."

    message = f"The record was created, its id is '6', but it could not be read back: Notes is away. {end}"
    async with refused(world.runtime, UpstreamResponseError, message):
        await create(world, fields={"title": "x"})
    message = f"The record was changed, its id is '1', but it could not be read back: Notes is away. {end}"
    async with refused(world.runtime, UpstreamResponseError, message):
        await update(world, "1", fields={"title": "y"})

    assert (table(notes_app).fields["6"]["title"], table(notes_app).fields["1"]["title"]) == ("x", "y")


async def test_a_record_that_was_written_and_does_not_show_is_told_as_written(world, notes_app):
    notes_app.answers_records = False

    async def lose_the_next():
        async def lose():
            table(notes_app).fields.clear()

        notes_app.meanwhile = lose

    await create(world, fields={"title": "so that the spec is known"})
    notes_app.meanwhile = lose_the_next
    message = (
        "The record was created, its id is '7', but it could not be read back: The app does not show it yet. "
        "Do not write it again: read it by its id."
    )
    async with refused(world.runtime, UpstreamResponseError, message):
        await create(world, fields={"title": "x"})


@pytest.mark.parametrize(
    ("maximum", "fields"), [(1, {"title": "x"}), (3, {"title": "x", "number": 6, "createdAt": "2026-01-02T03:04:05Z"})]
)
async def test_where_no_record_is_read_by_id_a_write_gives_what_was_written(world, notes_app, maximum, fields):
    notes_app.answers_records = False
    connector = world.runtime.connectors["notes"]
    operations = tuple(operation for operation in CollectionOperation if operation is not CollectionOperation.FIND_BY_ID)
    specs = [replace(spec, operations=operations, find_by_ids_maximum=maximum) for spec in connector.spec.collections]
    connector.spec = replace(connector.spec, collections=tuple(specs))

    made = await create(world, fields={"title": "x"})

    assert (made.external_id, made.fields) == ("6", fields)


async def test_credentials_in_an_apps_refusal_of_a_write_are_taken_out(world, notes_app):
    notes_app.failures["create"] = UpstreamRejectedError(
        "No: a-token-that-notes-accepts", status=422, fields={"title": "not a-token-that-notes-accepts"}
    )

    with pytest.raises(UpstreamRejectedError) as caught:
        await create(world, fields={"title": "x"})

    assert (caught.value.message, caught.value.fields) == ("No: [redacted]", {"title": "not [redacted]"})


async def test_unified_fields_are_shown_as_the_apps_own_with_those_that_have_no_place(world, notes_app):
    async def native(unified_fields, udm=None):
        place = await cards(world)
        return await record_writes.unified_fields_to_native(world.runtime, world.acme, place=place, unified_fields=unified_fields, udm=udm)

    shown = await native({"subject": "x", "status": "open", "priority": "high", "colour": 1, "id": "7", "assigneeId": "101"})

    assert shown.fields == {"title": "x", "state": "1", "personId": 101}
    assert set(shown.unmapped) == {"priority", "colour", "id"}
    for wrong, field in (([], ()), (None, ()), ({"subject": 5}, ("subject",)), ({"status": "1"}, ("status",))):
        ((error, _, place),) = await refusals(native(wrong))
        assert (error, place) == (InvalidError, ("input", "unifiedFields", *field))
    assert {"create", "update"} & set(notes_app.requests) == set()
    assert len(table(notes_app).fields) == 5
