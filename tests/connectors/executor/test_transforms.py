import copy

import pytest

from gateway.connectors.executor.transforms import transformed
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.errors import UpstreamResponseError
from gateway.testing import Answer
from tests.connectors.executor.notes import notes_file, read

RECORD = {"id": 1, "Title": "A", "by": {"Name": {"First": "Anna"}, "age": "7"}, "tags": [{"Key": "x"}], "none": None}
UNTITLED = {key: value for key, value in RECORD.items() if key != "Title"}


def collection(**parts) -> Collection:
    return ConnectorFile.model_validate(notes_file("https://app.test", collection=parts)).collections["notes"]


def after(*transforms, record=RECORD):
    before = copy.deepcopy(record)
    found = transformed(record, collection(transforms=list(transforms)).transforms, names={"parameters": {"box": "b"}}, what="Record 1")
    assert record == before
    return found


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ({"add": {"title": "${record.Title}", "box": "${parameters.box}"}}, {**RECORD, "title": "A", "box": "b"}),
        ({"add": {"by.age": 8, "by.of.x": True}}, {**RECORD, "by": {**RECORD["by"], "age": 8, "of": {"x": True}}}),
        ({"add": {"id.deep": 1}}, {**RECORD, "id": {"deep": 1}}),
        ({"add": {"a": "${record.id}", "id": "${record.Title}"}}, {**RECORD, "a": 1, "id": "A"}),
        ({"remove": ["Title", "by.Name.First", "missing", "id.deep", "tags.Key"]}, {**UNTITLED, "by": {"Name": {}, "age": "7"}}),
        ({"rename": {"Title": "title", "missing": "x"}}, {**UNTITLED, "title": "A"}),
        ({"rename": {"Title": "id", "id": "Title"}}, {**RECORD, "id": "A", "Title": 1}),
        (
            {"rename": {"by.Name.First": "first", "none": "by.none"}},
            {"id": 1, "Title": "A", "by": {"Name": {}, "age": "7", "none": None}, "tags": [{"Key": "x"}], "first": "Anna"},
        ),
        ({"flatten": "by"}, {"id": 1, "Title": "A", "Name": {"First": "Anna"}, "age": "7", "tags": [{"Key": "x"}], "none": None}),
        ({"flatten": "by.Name", "prefix": "by"}, {**RECORD, "by": {"age": "7"}, "byFirst": "Anna"}),
        ({"flatten": "tags"}, RECORD),
        ({"flatten": "none"}, RECORD),
        ({"flatten": "missing"}, RECORD),
        (
            {"lower_keys": True},
            {"id": 1, "title": "A", "by": {"name": {"first": "Anna"}, "age": "7"}, "tags": [{"key": "x"}], "none": None},
        ),
    ],
    ids=str,
)
def test_a_transform_changes_a_record_and_leaves_what_came_alone(transform, expected):
    assert after(transform) == expected


def test_what_stands_at_the_top_already_stays():
    record = {"id": "5", "type": "notes", "attributes": {"id": 6, "text": "A", "type": "x"}}

    assert after({"flatten": "attributes"}, record=record) == {"id": "5", "type": "notes", "text": "A"}


def test_transforms_see_what_those_before_them_made():
    steps = (
        {"lower_keys": True},
        {"flatten": "by.name"},
        {"add": {"label": "${record.title}-${record.first}"}},
        {"remove": ["by", "tags"]},
    )

    assert after(*steps) == {"id": 1, "title": "A", "none": None, "first": "Anna", "label": "A-Anna"}


def test_an_expression_that_fails_is_told_with_its_field():
    with pytest.raises(UpstreamResponseError, match="Record 1: size cannot be told"):
        after({"add": {"size": "${abs(record.Title)}"}})


async def test_the_envelope_and_the_mapping_see_the_transformed_record(app, connector, access):
    raw = {"ID": 7, "attributes": {"Title": "A"}}
    app.answer(Answer(json={"items": [raw]}))
    notes = connector(
        collection={
            "transforms": [{"lower_keys": True}, {"flatten": "attributes"}],
            "record": {"id": "${record.id}", "name": "${record.title}"},
            "from_api": {"subject": "${record.title}"},
        }
    )

    record = (await read(notes, access)).items[0]

    assert (record.external_id, record.name, record.fields, record.raw_fields) == ("7", "A", {"subject": "A"}, raw)


async def test_transforms_alone_keep_the_record_as_it_came_beside_its_fields(app, connector, access):
    app.answer(Answer(json={"items": [{"id": 7, "a": 1}]}))

    record = (await read(connector(collection={"transforms": [{"rename": {"a": "b"}}]}), access)).items[0]

    assert (record.fields, record.raw_fields) == ({"id": 7, "b": 1}, {"id": 7, "a": 1})


FIELDS = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "count": {"type": ["integer", "null"]},
        "price": {"type": "number"},
        "done": {"type": "boolean"},
        "by": {"type": "object", "properties": {"age": {"type": "integer"}}},
        "sizes": {"type": "array", "items": {"type": "number"}},
    },
}


async def coerced(app, connector, access, item, **parts):
    app.answer(Answer(json={"items": [item]}))
    return (await read(connector(collection={"fields": FIELDS, "coerce": True, **parts}), access)).items[0]


async def test_values_take_the_types_of_the_fields_schema_and_the_raw_ones_stay(app, connector, access):
    raw = {"id": 7, "count": "12", "price": "1.50", "done": 1, "by": {"age": "7"}, "sizes": ["1", 2], "other": "5"}

    record = await coerced(app, connector, access, raw)

    assert record.fields == {"id": "7", "count": 12, "price": 1.5, "done": True, "by": {"age": 7}, "sizes": [1, 2], "other": "5"}
    assert record.raw_fields == raw
    assert record.external_id == "7"


async def test_what_does_not_fit_stays_as_it_is(app, connector, access):
    raw = {"id": "x", "count": "many", "price": [], "done": "maybe", "by": "Anna", "sizes": None}

    assert (await coerced(app, connector, access, raw)).fields == raw


async def test_without_the_word_nothing_changes_its_type(app, connector, access):
    record = await coerced(app, connector, access, {"id": 7, "count": "12"}, coerce=False)

    assert (record.fields, record.raw_fields) == ({"id": 7, "count": "12"}, None)


async def test_fields_that_the_app_describes_give_their_types_too(app, connector, access):
    def respond(request):
        if request.path == "/fields":
            return Answer(json={"type": "object", "properties": {"size": {"type": "integer"}}})
        return Answer(json={"items": [{"id": 7, "count": "12", "size": "3"}]})

    app.answer_with(respond)
    notes = connector(
        collection={"fields": FIELDS, "coerce": True, "dynamic_fields": {"request": {"path": "/fields"}, "schema": "${body}"}}
    )

    fields = [(await read(notes, access)).items[0].fields for _ in range(2)]

    assert fields == [{"id": "7", "count": 12, "size": 3}] * 2
    assert [request.path for request in app.requests].count("/fields") == 1
