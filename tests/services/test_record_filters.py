"""Which records a list holds: what callers write, pushed down to the app or refused with every place at fault."""

from functools import partial

import pytest
from hypothesis import given as given_any
from hypothesis import strategies

from gateway.errors import CombinedUserError, GatewayError, InvalidError, UnsupportedError
from gateway.models import CollectionFilter, CollectionSpec, Condition, FilterOperator, OrderDirection, RecordOrder, RecordQuery
from gateway.services import record_filters, records
from gateway.services.selectors import FieldValues, RecordListQuery
from tests.services.record_world import cards, listed, notes, outcome, people, told
from tests.support.notes_cards import CARDS, MAPPINGS

CARD_FIELDS = "title, body, points, done, state, personId, watcherIds, scrap, place, due, createdAt, number"
OPERATORS = "EQ, NE, LT, LTE, GT, GTE, IN, CONTAINS, STARTS_WITH"

NAMES = strategies.sampled_from(
    [*CARDS.fields_schema["properties"], "subject", "status", "assigneeId", "IN", "GTE", "EQ"]
) | strategies.text(max_size=5)
SCALARS = strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(max_size=5)
JSON = strategies.recursive(
    SCALARS, lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


async def refusals(world, place=None, **query):
    with pytest.raises(GatewayError) as caught:
        await listed(world, place, **query)
    return told(caught.value)


@pytest.mark.parametrize(
    ("written", "condition", "ids"),
    [
        ({"title": "card 2"}, ("title", FilterOperator.EQ, "card 2"), ["2"]),
        ({"title": {"EQ": "card 2"}}, ("title", FilterOperator.EQ, "card 2"), ["2"]),
        ({"title": {"NE": "card 2"}}, ("title", FilterOperator.NE, "card 2"), ["1", "3", "4", "5"]),
        ({"points": {"LT": 2}}, ("points", FilterOperator.LT, 2), ["1"]),
        ({"points": {"LTE": 2}}, ("points", FilterOperator.LTE, 2), ["1", "2"]),
        ({"points": {"GT": 4}}, ("points", FilterOperator.GT, 4), ["5"]),
        ({"points": {"GTE": 4}}, ("points", FilterOperator.GTE, 4), ["4", "5"]),
        ({"points": {"IN": [1, 5, 9]}}, ("points", FilterOperator.IN, [1, 5, 9]), ["1", "5"]),
        ({"points": None}, ("points", FilterOperator.EQ, None), []),
        ({"title": {"CONTAINS": "d 3"}}, ("title", FilterOperator.CONTAINS, "d 3"), ["3"]),
        ({"title": {"STARTS_WITH": "card"}}, ("title", FilterOperator.STARTS_WITH, "card"), ["1", "2", "3", "4", "5"]),
        ({"title": {"startsWith": "card"}}, ("title", FilterOperator.STARTS_WITH, "card"), ["1", "2", "3", "4", "5"]),
        ({"done": True}, ("done", FilterOperator.EQ, True), ["2", "4"]),
    ],
)
async def test_each_operator_reaches_the_app(world, notes_app, written, condition, ids):
    assert await listed(world, filter=written) == ids

    field, operator, value = condition
    assert notes_app.queries == [RecordQuery(conditions=(Condition(field=field, operator=operator, value=value),))]


async def test_all_conditions_of_both_filters_hold_with_search_and_order(world, notes_app):
    found = await listed(
        world,
        await cards(world, udm="tasks"),
        filter={"points": {"GTE": 2, "LTE": 4}, "done": True},
        unified_filter={"status": "open"},
        search="card",
        order=RecordOrder(field="points", direction=OrderDirection.DESC),
    )

    assert found == ["2"]
    assert [(c.field, c.operator.value, c.value) for c in notes_app.queries[0].conditions] == [
        ("points", "GTE", 2),
        ("points", "LTE", 4),
        ("done", "EQ", True),
        ("state", "EQ", "1"),
    ]
    assert (notes_app.queries[0].search, notes_app.queries[0].order) == (
        "card",
        RecordOrder(field="points", direction=OrderDirection.DESC),
    )


async def test_an_order_turns_the_list_around(world):
    assert await listed(world, order=RecordOrder(field="points")) == ["1", "2", "3", "4", "5"]
    assert await listed(world, order=RecordOrder(field="points", direction=OrderDirection.DESC)) == ["5", "4", "3", "2", "1"]


async def test_a_filter_on_any_field_takes_each_that_the_collection_has(world):
    assert await listed(world, await people(world), filter={"name": "Ada"}) == ["101"]
    assert await refusals(world, await people(world), filter={"colour": "red"}) == [
        (InvalidError, "Collection 'people' has no field 'colour'. It has name, email.", ("filter", "colour"))
    ]
    assert await refusals(world, await people(world), order=RecordOrder(field="colour")) == [
        (InvalidError, "Collection 'people' has no field 'colour'. It has name, email.", ("orderBy", "field"))
    ]


async def test_the_star_that_stands_for_any_field_is_no_field(world):
    message = "'*' stands for any field of collection 'people' and is none itself. Name one."
    place = await people(world)

    assert await refusals(world, place, filter={"*": "x"}) == [(InvalidError, message, ("filter", "*"))]
    assert await refusals(world, place, order=RecordOrder(field="*")) == [(InvalidError, message, ("orderBy", "field"))]
    with pytest.raises(InvalidError) as caught:
        await records.match(world.runtime, world.acme, place=place, by=FieldValues(fields={"*": "x"}))
    assert told(caught.value) == [(InvalidError, message, ("by", "fields", "*"))]


def test_a_field_without_operators_cannot_be_filtered_though_any_other_can():
    spec = CollectionSpec(
        key="rows",
        name="Rows",
        filters=(CollectionFilter(field="blob", operators=()), CollectionFilter(field="*", operators=(FilterOperator.EQ,))),
    )
    condition = partial(Condition, operator=FilterOperator.EQ, value=1)

    record_filters.check_condition(condition(field="anything"), spec)
    with pytest.raises(UnsupportedError, match=r"Collection 'rows' cannot be filtered by 'blob'. It can by \*."):
        record_filters.check_condition(condition(field="blob"), spec)


@given_any(JSON)
def test_whatever_json_a_filter_is_it_is_read_or_refused_for_a_reason(written):
    asked = RecordListQuery(filter=written, unified_filter=written)

    read, said = outcome(lambda: record_filters.record_query(asked, spec=CARDS, translation=MAPPINGS["cards", "tasks"]))

    assert all(message and place and place[0] in ("filter", "unifiedFilter") for _, message, place in said)
    assert said or len(read.conditions) <= 2 * record_filters.MAXIMUM_CONDITIONS


@pytest.mark.parametrize("nothing", [None, {}])
async def test_an_empty_filter_is_none(world, notes_app, nothing):
    assert await listed(world, filter=nothing, unified_filter=None, search="  ") == ["1", "2", "3", "4", "5"]
    assert notes_app.queries == [RecordQuery()]


@pytest.mark.parametrize(
    ("query", "error", "message", "field"),
    [
        ({"filter": []}, InvalidError, "The value must be a JSON object of fields by name.", "filter"),
        ({"filter": "points > 1"}, InvalidError, "The value must be a JSON object of fields by name.", "filter"),
        ({"filter": 0}, InvalidError, "The value must be a JSON object of fields by name.", "filter"),
        ({"filter": {"": 1}}, InvalidError, "A field's name must not be empty.", "filter"),
        ({"filter": {"points": {}}}, InvalidError, "Field 'points' has no operator. Write {field: {GTE: 5}}.", "filter points"),
        (
            {"filter": {"points": {"LIKE": 1}}},
            InvalidError,
            f"'LIKE' is no operator. There are {OPERATORS}.",
            "filter points LIKE",
        ),
        ({"filter": {"points": {"IN": []}}}, InvalidError, "IN takes a list of at least one value.", "filter points IN"),
        ({"filter": {"points": {"IN": 3}}}, InvalidError, "IN takes a list of at least one value.", "filter points IN"),
        (
            {"filter": {"points": {"IN": list(range(1001))}}},
            InvalidError,
            "IN has 1001 values; at most 1000 are taken.",
            "filter points IN",
        ),
        ({"filter": {"points": {"IN": [[1]]}}}, InvalidError, "IN takes texts, numbers, booleans and null.", "filter points IN"),
        ({"filter": {"points": {"GT": None}}}, InvalidError, "GT takes a number, a time or another text.", "filter points GT"),
        ({"filter": {"points": {"GT": True}}}, InvalidError, "GT takes a number, a time or another text.", "filter points GT"),
        ({"filter": {"title": {"CONTAINS": ""}}}, InvalidError, "CONTAINS takes a text that is not empty.", "filter title CONTAINS"),
        ({"filter": {"title": {"CONTAINS": 5}}}, InvalidError, "CONTAINS takes a text that is not empty.", "filter title CONTAINS"),
        ({"filter": {"title": {"CONTAINS": ["a"]}}}, InvalidError, "CONTAINS takes a text that is not empty.", "filter title CONTAINS"),
        (
            {"filter": {"title": {"STARTS_WITH": 5}}},
            InvalidError,
            "STARTS_WITH takes a text that is not empty.",
            "filter title STARTS_WITH",
        ),
        ({"filter": {"points": "many"}}, InvalidError, "Field 'points' is compared with 'many', which is no integer.", "filter points"),
        ({"filter": {"points": 1.5}}, InvalidError, "Field 'points' is compared with '1.5', which is no integer.", "filter points"),
        ({"filter": {"done": 1}}, InvalidError, "Field 'done' is compared with '1', which is no boolean.", "filter done"),
        (
            {"filter": {"title": ["card 1"]}},
            InvalidError,
            "Field 'title' is compared with \"['card 1']\", which is no string.",
            "filter title",
        ),
        (
            {"filter": {"points": {"IN": [1, "two"]}}},
            InvalidError,
            "Field 'points' is compared with 'two', which is no integer.",
            "filter points IN",
        ),
        ({"filter": {"title": "\ud800"}}, InvalidError, "The object holds a text with half of a surrogate pair.", "filter"),
        (
            {"filter": {"body": "x"}},
            UnsupportedError,
            "Collection 'cards' cannot be filtered by 'body'. It can by title, points, done, state, due.",
            "filter body",
        ),
        ({"filter": {"done": {"NE": True}}}, UnsupportedError, "Field 'done' cannot be filtered by NE. It can by EQ.", "filter done NE"),
        (
            {"order": RecordOrder(field="body")},
            UnsupportedError,
            "Collection 'cards' cannot be ordered by 'body'. It can by title, points.",
            "orderBy field",
        ),
        ({"search": "x" * 1001}, InvalidError, "The search has 1001 characters; at most 1000 are taken.", "search"),
        ({"search": "a\0b"}, InvalidError, "The text holds a NUL character or half of a surrogate pair.", "search"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
async def test_a_wrong_query_is_refused_at_its_place_and_no_record_is_read(world, notes_app, query, error, message, field):
    assert await refusals(world, **query) == [(error, message, tuple(field.split()))]

    assert "records" not in notes_app.requests


async def test_everything_that_is_wrong_is_told_at_once(world):
    found = await refusals(
        world,
        await cards(world, udm="tasks"),
        filter={"points": "many", "colour": 1, "done": {"NE": True}},
        unified_filter={"priority": "high"},
        order=RecordOrder(field="body"),
    )

    assert [field for _, _, field in found] == [
        ("filter", "points"),
        ("filter", "colour"),
        ("filter", "done", "NE"),
        ("unifiedFilter", "priority"),
        ("orderBy", "field"),
    ]


async def test_a_filter_of_ten_thousand_fields_or_a_megabyte_is_refused_in_one_sentence(world):
    many = {f"field{number}": 1 for number in range(4_000)}
    assert await refusals(world, filter=many) == [
        (InvalidError, "The filter has 4000 conditions; at most 100 are taken.", ("filter",)),
    ]
    for large in ({f"field{number}": "x" for number in range(10_000)}, {"title": "x" * 1_048_576}):
        ((error, message, field),) = await refusals(world, filter=large)
        assert (error, message.split(";")[1], field) == (InvalidError, " at most 65536 are sent.", ("filter",))


async def test_a_filter_that_nests_a_thousand_levels_is_refused(world):
    nested: object = 1
    for _ in range(1_000):
        nested = {"EQ": nested}

    assert await refusals(world, filter={"title": nested}) == [(InvalidError, "The object holds more than 100 levels.", ("filter",))]


async def test_of_many_mistakes_the_first_fifty_are_told(world):
    with pytest.raises(CombinedUserError) as caught:
        await listed(world, filter={f"field{number}": 1 for number in range(100)})

    assert len(caught.value.errors) == 50


async def test_a_collection_that_is_only_listed_says_so(world):
    place = await notes(world)

    assert await refusals(world, place, filter={"text": "x"}) == [
        (UnsupportedError, "Collection 'notes' cannot be filtered by 'text'. It can by no field.", ("filter", "text"))
    ]
    assert await refusals(world, place, search="x") == [
        (UnsupportedError, "Collection 'notes' does not support SEARCH. It supports LIST.", None)
    ]
    assert await refusals(world, place, order=RecordOrder(field="text")) == [
        (UnsupportedError, "Collection 'notes' cannot be ordered by 'text'. It can by no field.", ("orderBy", "field"))
    ]


async def test_a_unified_filter_speaks_the_models_values(world, notes_app):
    place = await cards(world, udm="tasks")

    assert await listed(world, place, unified_filter={"status": "closed", "subject": {"NE": "card 4"}}) == ["5"]
    assert [(c.field, c.value) for c in notes_app.queries[0].conditions] == [("state", "2"), ("title", "card 4")]


@pytest.mark.parametrize(
    ("unified_filter", "error", "field"),
    [
        ([], InvalidError, ("unifiedFilter",)),
        ({"title": "x"}, UnsupportedError, ("unifiedFilter", "title")),
        ({"priority": "x"}, UnsupportedError, ("unifiedFilter", "priority")),
        ({"content": "x"}, UnsupportedError, ("unifiedFilter", "content")),
        ({"status": {"GT": "open"}}, UnsupportedError, ("unifiedFilter", "status", "GT")),
        ({"status": {"IN": []}}, InvalidError, ("unifiedFilter", "status", "IN")),
        ({"subject": {"IN": [1, {}]}}, InvalidError, ("unifiedFilter", "subject", "IN")),
    ],
    ids=str,
)
async def test_a_unified_filter_that_cannot_be_translated_is_refused(world, notes_app, unified_filter, error, field):
    ((kind, _, place),) = await refusals(world, await cards(world, udm="tasks"), unified_filter=unified_filter)

    assert (kind, place) == (error, field)
    assert "records" not in notes_app.requests


async def test_a_unified_filter_without_a_data_source_takes_the_collections_only_model(world):
    assert await listed(world, unified_filter={"status": "closed"}) == ["4", "5"]


async def page(world, place, *, first=2, after=None, **query):
    found = await records.page(world.runtime, world.acme, place=place, first=first, after=after, query=RecordListQuery(**query))
    return [record.external_id for _, record in found.edges], found


async def test_a_cursor_is_bound_to_filter_search_and_order(world):
    place = await cards(world, udm="tasks")
    by_points = RecordOrder(field="points")
    question = {"filter": {"points": {"GTE": 2, "LTE": 5}}, "search": "card", "order": by_points}
    _, found = await page(world, place, **question)
    cursor = found.edges[0][0]

    reordered = {"filter": {"points": {"LTE": 5, "GTE": 2}}, "search": "card", "order": by_points}
    assert (await page(world, place, after=cursor, **reordered))[0] == ["3", "4"]
    others = (
        {},
        question | {"filter": {"points": {"GTE": 1, "LTE": 5}}},
        question | {"filter": None},
        question | {"search": "car"},
        question | {"search": None},
        question | {"order": None},
        question | {"order": RecordOrder(field="points", direction=OrderDirection.DESC)},
        question | {"order": RecordOrder(field="title")},
    )
    for other in others:
        with pytest.raises(InvalidError, match="The cursor is damaged or belongs to another list"):
            await page(world, place, after=cursor, **other)


async def test_the_same_question_in_the_words_of_the_model_is_the_same_list(world):
    place = await cards(world, udm="tasks")
    _, found = await page(world, place, first=1, filter={"state": "1"})

    assert (await page(world, place, after=found.edges[0][0], unified_filter={"status": "open"}))[0] == ["2", "3"]


def test_each_operator_of_a_field_counts_as_a_condition():
    filters = {f"field{number}": dict.fromkeys(OPERATORS.split(", "), "x") for number in range(12)}

    with pytest.raises(InvalidError, match=r"The filter has 108 conditions; at most 100 are taken."):
        record_filters.read_conditions(filters, field=["filter"])
