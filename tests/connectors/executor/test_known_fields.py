"""Operations whose expressions read the fields schema of their collection."""

import pytest

from gateway.connectors.executor.known_fields import FILTERS, readers_of_schema
from gateway.connectors.format.collections import Collection
from gateway.errors import UnsupportedError, UpstreamUnavailableError
from gateway.models import Condition, FilterOperator, PageRequest, Pointer, RecordQuery
from gateway.testing import Answer
from tests.connectors.executor.notes import access_with, items, read

NOTES = Pointer("notes")
SIGNED = {"term": "${{field: field, kind: values(pick(schema.properties, [field]))[0].type}}"}
DYNAMIC = {"request": {"path": "/fields"}, "schema": "${body}"}
OPERATIONS = {
    "list": {
        "request": {"path": "/notes", "query": {"where": "${to_string(terms)}"}},
        "records": "${body.items}",
        "filters": {"*": {"eq": SIGNED}},
    },
    "get": {"request": {"path": "/notes/${id}"}, "record": "${body}"},
    "create": {
        "request": {"method": "POST", "path": "/notes", "json": {"values": "${fields}", "key": '${schema."x-key"}'}},
        "record": "${body}",
    },
}
SCHEMA = {"type": "object", "x-key": ["id"], "properties": {"age": {"type": "integer"}, "name": {"type": "string"}}}


@pytest.fixture
def notes(connector):
    return connector(collection={"operations": OPERATIONS, "dynamic_fields": DYNAMIC})


def by(field: str, value: object) -> RecordQuery:
    return RecordQuery(conditions=(Condition(field=field, operator=FilterOperator.EQ, value=value),))


def targets(app) -> list[str]:
    return [f"{request.method} {request.target}" for request in app.requests]


def test_it_is_known_which_operations_read_the_schema():
    collection = Collection.model_validate(
        {"name": "Notes", "fields": {"type": "object"}, "record": {"id": "${record.id}"}, "operations": OPERATIONS}
    )

    assert readers_of_schema(collection) == {FILTERS, "create"}


async def test_an_operation_that_does_not_read_the_schema_asks_for_none(app, notes, access):
    app.answer(Answer(json=items(1)), Answer(json={"id": 1}))

    await read(notes, access)
    await notes.record(access, NOTES, "1")

    assert targets(app) == ["GET /notes?where=%5B%5D", "GET /notes/1"]


async def test_the_schema_is_asked_for_once_in_ten_minutes(app, notes, access, clock):
    listed = Answer(json=items(1))
    app.answer(Answer(json=SCHEMA), listed, listed, Answer(json=SCHEMA), listed)

    for seconds in (0, 599, 1):
        clock.advance(seconds)
        await notes.records(access_with(), NOTES, PageRequest(size=10), by("age", 7))

    term = "%5B%7B%22field%22%3A%22age%22%2C%22kind%22%3A%22integer%22%7D%5D"
    assert targets(app) == [
        "GET /fields",
        f"GET /notes?where={term}",
        f"GET /notes?where={term}",
        "GET /fields",
        f"GET /notes?where={term}",
    ]


async def test_a_description_of_just_now_is_known(app, notes, access):
    app.answer(Answer(json=SCHEMA), Answer(json={"id": 5}))

    await notes.describe(access, NOTES)
    await notes.create(access, NOTES, {"age": 7})

    assert targets(app) == ["GET /fields", "POST /notes"]
    assert app.requests[1].json() == {"values": {"age": 7}, "key": ["id"]}


async def test_each_connection_and_each_of_its_credentials_has_its_own(app, notes):
    app.answer(*(answer for _ in range(3) for answer in (Answer(json=SCHEMA), Answer(json=items(1)))))

    for access in (access_with(), access_with(connection_id="c2"), access_with(credentials={"token": "another-token"})):
        await notes.records(access, NOTES, PageRequest(size=10), by("age", 7))

    assert [target for target in targets(app) if target == "GET /fields"] == ["GET /fields"] * 3


async def test_a_schema_that_cannot_be_had_leaves_no_doubt_of_the_write(app, notes, access):
    app.answer(*[Answer(status=503, json={})] * 4)

    with pytest.raises(UpstreamUnavailableError) as caught:
        await notes.create(access, NOTES, {"age": 7})

    assert "not known whether" not in str(caught.value)
    assert "POST /notes" not in targets(app)


async def test_a_condition_can_be_refused_by_what_the_schema_says(app, connector, access):
    strict = {"*": {"eq": {"term": "${contains(keys(schema.properties), field) && {field: field, value: value}}"}}}
    listing = {**OPERATIONS["list"], "filters": strict}
    notes = connector(collection={"operations": {"list": listing}, "dynamic_fields": DYNAMIC})
    app.answer(Answer(json=SCHEMA))

    with pytest.raises(UnsupportedError):
        await notes.records(access, NOTES, PageRequest(size=10), by("nope", 7))

    assert targets(app) == ["GET /fields"]
