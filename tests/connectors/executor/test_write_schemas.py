"""Which fields creations and updates take, and what a collection says that it can do."""

import pytest

from gateway.connectors.executor.write_schemas import write_schema
from gateway.connectors.format.operations import CreateOperation, UpdateOperation
from gateway.connectors.schemas import CompiledSchema
from gateway.models import CollectionFilter, CollectionOperation, FilterOperator, Pointer

REQUEST = {"method": "POST", "path": "/notes/${id}", "json": "${fields}"}
FIELDS = {
    "$defs": {"tag": {"type": "string"}},
    "type": "object",
    "title": "Note",
    "required": ["id", "title"],
    "minProperties": 1,
    "anyOf": [{"required": ["title"]}],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "title": {"type": "string"},
        "slug": {"type": "string", "readOnly": True},
        "secret": {"type": "string", "writeOnly": True},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
        "author": {"type": "object", "properties": {"name": {}, "rank": {"type": "integer", "readOnly": True}}},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"no": {"readOnly": True}, "text": {}}}},
    },
}
LIST = {"request": {"path": "/notes", "query": {"s": "${order.field}"}}, "records": "${body.items}"}
EVERY = {
    "list": {
        **LIST,
        "filters": {"*": {"eq": {"query": "${field}"}}, "title": {"contains": {"query": "t"}, "in": {"query": "u"}}, "tags": {}},
        "order": {"fields": ["title"]},
    },
    "search": {"request": {"path": "/find", "query": {"q": "${search}"}}, "records": "${body.items}"},
    "get": {"request": {"path": "/notes/${id}"}, "record": "${body}"},
    "get_many": {"request": {"path": "/notes", "query": {"ids": "${join(',', ids)}"}}, "records": "${body.items}", "max": 20},
    "match": {"fields": ["title"]},
    "create": {
        "request": {**REQUEST, "path": "/notes", "headers": {"Key": "${idempotency_key}"}},
        "record": "${body}",
        "required": ["title"],
    },
    "update": {"request": {**REQUEST, "headers": {"If-Match": "${version}"}}, "record": "${body}"},
    "delete": {"request": {"method": "DELETE", "path": "/notes/${id}", "headers": {"If-Match": "${version}"}}},
}


def create(**parts):
    return CreateOperation.model_validate({"request": REQUEST, "record": "${body}", **parts})


def update(**parts):
    return UpdateOperation.model_validate({"request": REQUEST, "record": "${body}", **parts})


def refused(schema, value):
    return sorted((violation.path, violation.message) for violation in CompiledSchema.compile(schema, at="schema").violations(value))


def test_a_creation_takes_what_is_not_read_only_and_nothing_else():
    schema = write_schema(create(required=["title"]), FIELDS)

    assert list(schema["properties"]) == ["title", "secret", "tags", "author", "parts"]
    assert (schema["required"], schema["additionalProperties"], schema["title"]) == (["title"], False, "Note")
    assert refused(schema, {"title": "A", "tags": ["x"], "author": {"name": 1}, "parts": [{"text": ""}]}) == []
    assert [path for path, _ in refused(schema, {"title": 1, "tags": [1]})] == [("tags", 0), ("title",)]
    assert refused(schema, {"title": "A", "id": 1, "x": 2})[0][0] == ()


def test_what_is_read_only_deeper_down_is_refused_with_its_path():
    schema = write_schema(create(), FIELDS)

    assert [path for path, _ in refused(schema, {"title": "", "author": {"rank": 1}, "parts": [{}, {"no": 1}]})] == [
        ("author", "rank"),
        ("parts", 1, "no"),
    ]


def test_an_update_requires_nothing_of_a_whole_record():
    schema = write_schema(update(), FIELDS)

    assert refused(schema, {}) == []
    assert {"required", "minProperties", "anyOf"}.isdisjoint(schema)
    assert write_schema(update(required=["title"]), FIELDS)["required"] == ["title"]


def test_a_connector_may_leave_fields_out_take_them_in_and_require_those_of_the_app():
    schema = write_schema(create(excluded=["secret"], included=["slug"], required=["*", "tags"]), FIELDS)

    assert list(schema["properties"]) == ["title", "slug", "tags", "author", "parts"]
    assert (schema["properties"]["slug"], schema["required"]) == ({"type": "string"}, ["tags", "title"])


@pytest.mark.parametrize(
    "openness",
    [{"additionalProperties": True}, {"additionalProperties": {"type": "integer"}}, {"patternProperties": {"^x": {}}}],
    ids=["true", "a schema", "patterns"],
)
def test_a_schema_that_is_open_stays_open_but_for_what_cannot_be_written(openness):
    fields = {"type": "object", "properties": {"id": {"readOnly": True}, "title": {}, "old": {}}, **openness}
    schema = write_schema(create(excluded=["old", "hidden"]), fields)

    assert schema["properties"] == {"id": False, "title": {}, "old": False, "hidden": False}
    assert openness.items() <= schema.items()
    assert refused(schema, {"title": 1, "xyz": 2}) == []
    assert [path for path, _ in refused(schema, {"id": 1, "old": 1, "hidden": 1})] == [("hidden",), ("id",), ("old",)]


def test_a_schema_that_is_closed_stays_closed():
    fields = {"type": "object", "properties": {"id": {"readOnly": True}, "a": {}}, "additionalProperties": False}

    assert len(refused(write_schema(create(), fields), {"id": 1})) == 1


@pytest.mark.parametrize(
    "fields", [{"type": "object"}, {}, {"$ref": "#/$defs/a", "$defs": {"a": {"required": ["x"]}}}], ids=["object", "any", "ref"]
)
def test_a_schema_that_names_no_fields_takes_all(fields):
    schema = write_schema(create(excluded=["id"]), fields)

    assert refused(schema, {"x": 1}) == []
    assert [path for path, _ in refused(schema, {"x": 1, "id": 1})] == [("id",)]


def test_a_field_that_is_given_at_creation_only_is_in_no_update():
    fields = {"type": "object", "properties": {"key": {"type": "string", "x-create-only": True}, "a": {}}}

    assert list(write_schema(create(), fields)["properties"]) == ["key", "a"]
    assert list(write_schema(update(), fields)["properties"]) == ["a"]


def test_there_is_no_schema_without_the_operation_or_the_fields():
    assert (write_schema(None, FIELDS), write_schema(create(), None)) == (None, None)


def test_a_collection_says_all_that_it_can_do(connector):
    spec = connector(collection={"operations": EVERY, "fields": FIELDS}).spec.collections[0]

    assert spec.operations == tuple(CollectionOperation)
    assert spec.filters == (
        CollectionFilter(field="title", operators=(FilterOperator.CONTAINS, FilterOperator.IN)),
        CollectionFilter(field="tags", operators=()),
        CollectionFilter(field="*", operators=(FilterOperator.EQ,)),
    )
    assert (spec.order_fields, spec.match_fields, spec.find_by_ids_maximum) == (("title",), ("title",), 20)
    assert (spec.takes_version, spec.takes_idempotency_key) == (True, True)
    assert spec.create_fields_schema["required"] == ["title"]
    assert "required" not in spec.update_fields_schema


def test_a_collection_that_is_only_listed_says_no_more(connector):
    spec = connector(collection={"fields": FIELDS}).spec.collections[0]

    assert spec.operations == (CollectionOperation.LIST,)
    assert (spec.filters, spec.order_fields, spec.match_fields, spec.find_by_ids_maximum) == ((), (), (), 1)
    assert (spec.create_fields_schema, spec.update_fields_schema, spec.takes_version, spec.takes_idempotency_key) == (
        None,
        None,
        False,
        False,
    )


def test_versions_are_taken_where_some_change_can_be_bound_to_them(connector):
    loose = {"request": {"method": "DELETE", "path": "/notes/${id}"}}
    without = {**EVERY, "update": {"request": REQUEST, "record": "${body}"}, "delete": loose}

    assert connector(collection={"operations": {**EVERY, "delete": loose}}).spec.collections[0].takes_version
    assert not connector(collection={"operations": without}).spec.collections[0].takes_version


async def test_the_apps_fields_count_for_writes_too(app, connector, access):
    app.answer(json={"schema": {"properties": {"color": {"enum": ["red"]}, "made": {"readOnly": True}}, "required": ["color"]}})
    dynamic = {"request": {"path": "/fields"}, "schema": "${body.schema}"}
    required = {**EVERY, "create": {**EVERY["create"], "required": ["*"]}}
    made = connector(collection={"operations": required, "fields": FIELDS, "dynamic_fields": dynamic})

    spec = await made.describe(access, Pointer("notes"))

    assert (spec.create_fields_schema["required"], spec.create_fields_schema["properties"]["color"]) == (
        ["title", "color"],
        {"enum": ["red"]},
    )
    assert "made" not in spec.create_fields_schema["properties"]
    assert "color" in spec.update_fields_schema["properties"]
    assert "color" not in made.spec.collections[0].create_fields_schema["properties"]


def test_a_field_for_creations_only_is_no_field_of_updates():
    fields = {"type": "object", "properties": {"key": {"type": "string", "x-create-only": True}, "text": {"type": "string"}}}

    assert write_schema(create(), fields)["properties"] == fields["properties"]
    assert refused(write_schema(update(), fields), {"key": "a"}) != []
    assert refused(write_schema(update(), fields), {"text": "a"}) == []
    assert refused(write_schema(update(), {**fields, "additionalProperties": True}), {"key": "a"}) != []
