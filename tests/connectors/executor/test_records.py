import asyncio
import math
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.connectors.executor.record_values import read_time
from gateway.connectors.executor.records import RecordReader
from gateway.connectors.format.collections import Collection
from gateway.errors import UnsupportedError, UpstreamResponseError
from gateway.models import PageRequest, Pointer
from tests.connectors.executor.notes import items, read

MOMENT = datetime(2026, 11, 21, 16, 16, 37, tzinfo=UTC)


async def one(app, connector, access, item, **collection):
    app.answer(json={"items": [item]})
    (found,) = (await read(connector(collection=collection), access)).items
    return found


async def test_a_record_is_as_it_came_unless_the_connector_maps_it(app, connector, access):
    found = await one(app, connector, access, {"id": 1, "title": "A", "none": None})

    assert (found.external_id, found.fields, found.raw_fields) == ("1", {"id": 1, "title": "A", "none": None}, None)
    assert (found.name, found.url, found.version, found.created_at, found.updated_at) == (None,) * 5


async def test_the_envelope_and_the_mapping_are_read_by_expressions(app, connector, access):
    record = {"key": {"a": "x", "b": 2}, "title": "A", "rev": 7, "at": "2026-11-21T16:16:37Z", "on": "2026-11-21 16:16:37.000Z"}
    found = await one(
        app,
        connector,
        access,
        record,
        record={
            "id": "${record.key.a}-${record.key.b}",
            "name": "${record.title}",
            "url": "https://app.test/${record.key.b}",
            "version": "${record.rev}",
            "created_at": "${record.at}",
            "updated_at": "${record.on}",
        },
        from_api={"subject": "${record.title}", "tags": ["${record.key.a}"]},
    )

    assert found.external_id == "x-2"
    assert (found.name, found.url, found.version) == ("A", "https://app.test/2", "7")
    assert (found.created_at, found.updated_at) == (MOMENT, MOMENT)
    assert found.fields == {"subject": "A", "tags": ["x"]}
    assert found.raw_fields == record


@pytest.mark.parametrize("mapping", [{}, {"from_api": {"note": "${record.note}"}}])
async def test_of_a_record_only_the_parts_that_somebody_looks_at_are_read(app, connector, access, mapping):
    for _ in range(2):
        app.answer(json={"items": [{"id": 1, "note": "A", "rev": 7, "at": "2026-11-21T16:16:37Z"}]})
    envelope = {
        "id": "${record.id}",
        "name": "${abs(record.note)}",
        "url": "x${record.id}",
        "version": "${record.rev}",
        "updated_at": "${record.at}",
    }
    notes = connector(collection={"record": envelope, **mapping})

    wanted = PageRequest(size=100, parts=frozenset({"fields", "version", "created_at", "updated_at"}))
    (found,) = (await notes.records(access, Pointer("notes"), wanted)).items

    assert (found.external_id, found.fields["note"], found.version, found.updated_at) == ("1", "A", "7", MOMENT)
    assert (found.name, found.url, found.created_at) == (None, None, None)
    with pytest.raises(UpstreamResponseError, match="abs"):
        await notes.records(access, Pointer("notes"), PageRequest(size=100))


@pytest.mark.parametrize(
    ("id", "text"),
    [("a/b c", "a/b c"), (0, "0"), (-5, "-5"), (2**64 + 1, "18446744073709551617"), (10**30, "1" + "0" * 30), (1.5, "1.5"), ("007", "007")],
)
async def test_an_id_is_text_and_exact_whatever_the_app_uses(app, connector, access, id, text):
    assert (await one(app, connector, access, {"id": id})).external_id == text


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({}, "null"),
        ({"id": None}, "null"),
        ({"id": ""}, "an empty text"),
        ({"id": True}, "a boolean"),
        ({"id": [1]}, "a list"),
        ({"id": {}}, "an object"),
    ],
)
async def test_a_record_without_an_id_is_refused_with_its_place(app, connector, access, record, kind):
    app.answer(json={"items": [{"id": 1}, record]})

    with pytest.raises(UpstreamResponseError, match=rf"Record 2 of the page has no id: .* gives {kind}"):
        await read(connector(), access)


@pytest.mark.parametrize(("record", "kind"), [("text", "text"), (7, "a number"), (None, "null"), ([], "a list")])
async def test_a_record_that_is_no_object_is_refused(app, connector, access, record, kind):
    app.answer(json={"items": [record]})

    with pytest.raises(UpstreamResponseError, match=f"Record 1 of the page is {kind}, not an object"):
        await read(connector(), access)


@pytest.mark.parametrize(
    ("body", "kind"), [({}, "null"), ({"items": {}}, "an object"), ({"items": "x"}, "text"), ([], "null"), (None, "null"), (3, "null")]
)
async def test_a_selector_that_gives_no_list_is_told(app, connector, access, body, kind):
    app.answer(json=body)

    with pytest.raises(UpstreamResponseError, match=rf"holds {kind} where .*body.items.* of its connector expects a list"):
        await read(connector(), access)


async def test_an_answer_without_a_body_holds_no_records_and_says_so(app, connector, access):
    app.answer(status=204)

    with pytest.raises(UpstreamResponseError, match="holds null"):
        await read(connector(), access)


async def test_null_is_an_empty_page_only_where_the_connector_says_so(app, connector, access):
    app.answer(json={"items": None})

    assert (await read(connector(listing={"records": "${body.items || `[]`}"}), access)).items == ()


async def test_a_selector_may_filter(app, connector, access):
    app.answer(json=[{"id": 1, "pull": {}}, {"id": 2}])

    page = await read(connector(listing={"records": "${body[?pull == `null`]}"}), access)

    assert [record.external_id for record in page.items] == ["2"]


async def test_a_mapping_that_gives_no_object_is_refused(app, connector, access):
    app.answer(json={"items": [{"id": 1, "a": 2}]})

    with pytest.raises(UpstreamResponseError, match="becomes a number by `from_api`"):
        await read(connector(collection={"from_api": "${record.a}"}), access)


async def test_an_expression_that_fails_names_itself_and_no_value(app, connector, access):
    app.answer(json={"items": [{"id": 1, "a": "private"}]})

    with pytest.raises(UpstreamResponseError) as caught:
        await read(connector(collection={"from_api": {"a": "${add(record.a, `1`)}"}}), access)
    assert "add(record.a, `1`)" in caught.value.message
    assert "private" not in caught.value.message


async def test_parameters_reach_requests_and_records_with_their_defaults(app, connector, access):
    schema = {"type": "object", "properties": {"box": {"type": "string"}, "state": {"type": "string", "default": "all"}}}
    app.answer(json={"items": [{"id": 1}]})
    boxed = connector(
        collection={"parameters": schema, "record": {"id": "${parameters.box}:${record.id}"}},
        listing={"request": {"path": "/boxes/${parameters.box}/notes", "query": {"state": "${parameters.state}"}}},
    )

    (found,) = (await read(boxed, access, pointer=Pointer("notes", {"box": "a/b"}))).items

    assert found.external_id == "a/b:1"
    assert app.requests[0].target == "/boxes/a%2Fb/notes?state=all"


async def test_a_collection_that_cannot_be_listed_says_so(app, connector, access):
    with pytest.raises(UnsupportedError, match="The records of Notes cannot be listed"):
        await read(connector(collection={"operations": {}}), access)


@pytest.mark.parametrize(
    ("odd", "what"),
    [
        ({"id": ""}, "has no id: .* gives an empty text"),
        ({"id": False}, "has no id: .* gives a boolean"),
        ({"name": "A"}, "has no id: .* gives null"),
        (["id"], "is a list, not an object"),
        (None, "is null, not an object"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("number", [1, 50, 51, 120])
async def test_one_odd_item_among_many_is_refused_with_its_own_number(app, connector, access, odd, what, number):
    many = [{"id": index} for index in range(120)]
    many[number - 1] = odd
    app.answer(json={"items": many})

    with pytest.raises(UpstreamResponseError, match=rf"^Record {number} of the page {what}"):
        await read(connector(), access)


async def test_of_two_faults_the_first_is_told_whichever_it_is(app, connector, access):
    for many, told in (
        ([{"id": 1, "at": 9}, {"at": 9}, {"id": 3, "at": {}}], "Record 2 of the page has no id"),
        ([{"id": 1, "at": 9}, {"id": 2, "at": {}}, {"at": 9}], "Whether item 2 belongs to the list cannot be told"),
    ):
        app.answer(json={"items": many})

        with pytest.raises(UpstreamResponseError, match=told):
            await read(connector(listing={"where": "add(item.at, `0`) > `5`"}), access)


async def test_an_item_that_does_not_belong_may_be_as_odd_as_it_likes(app, connector, access):
    app.answer(
        json={"items": [{"id": 1, "is": "note"}, {"is": "tombstone"}, "gone", {"id": True, "is": "tombstone"}, {"id": 5, "is": "note"}]}
    )

    page = await read(connector(listing={"where": "item.is == 'note'"}), access)

    assert [record.external_id for record in page.items] == ["1", "5"]


ODDITIES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3) | st.lists(st.none(), max_size=1)
TIMES = ODDITIES | st.sampled_from(["2026-11-21T16:16:37Z", 1795277797, 10**30])
FIELDS = {"id": ODDITIES, "name": ODDITIES, "version": ODDITIES, "at": TIMES, "on": TIMES}
ITEMS = st.dictionaries(st.sampled_from(sorted(FIELDS)), ODDITIES) | st.fixed_dictionaries({}, optional=FIELDS) | ODDITIES
ENVELOPES = [
    {"id": "${record.id}"},
    {"id": "${record.id}", "name": "${record.name}", "version": "${record.version}", "created_at": "${record.at}"},
    {"id": "${record.id}", "url": "https://app.test/${record.name}", "created_at": "${record.at}", "updated_at": "${record.on}"},
    {"id": "${record.id}", "name": "${add(record.version, `1`)}", "version": "${record.at.x}"},
    {"id": "${record.id}-${record.name}", "name": "${record.name}"},
]


@pytest.mark.parametrize("envelope", ENVELOPES, ids=repr)
@pytest.mark.parametrize("times", ["auto", "epoch_ms"])
@given(many=st.lists(ITEMS, max_size=4))
@example(many=[{"id": math.inf, "at": None}])
def test_many_items_are_read_as_each_of_them_is_read(envelope, times, many):
    described = Collection(name="Notes", record={**envelope, "times": times})
    reader = RecordReader(described, names={"parameters": {}})

    plain = reader.read_plain(many)

    # As text: true is equal to 1.
    try:
        each = [reader.read_one(item) for item in many]
    except UpstreamResponseError:
        assert plain is None
    else:
        is_plain = envelope["id"] == "${record.id}"
        assert repr(plain) == repr(each if is_plain else None)


@pytest.mark.parametrize(
    "collection",
    [
        {"from_api": {"box": "${parameters.box.name}"}},
        {"record": {"id": "${record.id}", "name": "${join('', [parameters.box.name])}"}},
    ],
    ids=["reshaped", "by an expression"],
)
async def test_everybody_else_gets_a_turn_while_a_large_page_is_read(app, connector, access, collection):
    app.answer(json=items(*range(1000)))
    turns = 0
    turns_at_records: set[int] = set()

    async def take_turns():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    class Noted(dict):
        """A parameter that notes when it is read, as it is for each record."""

        def get(self, key, default=None):
            turns_at_records.add(turns)
            return super().get(key, default)

    others = asyncio.create_task(take_turns())
    page = await read(connector(collection=collection), access, pointer=Pointer("notes", {"box": Noted(name="a")}))
    others.cancel()

    assert (len(page.items), page.items[-1].fields == {"box": "a"}) == (1000, "from_api" in collection)
    assert len(turns_at_records) >= 10


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-11-21T16:16:37Z", MOMENT),
        ("2026-11-21t16:16:37z", MOMENT),
        ("2026-11-21T17:16:37+01:00", MOMENT),
        ("2026-11-21 16:16:37", MOMENT),
        ("2026-11-21T16:16:37.123456789Z", MOMENT.replace(microsecond=123456)),
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1795277797, None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_times_in_text(written, time):
    assert read_time(written, times_are="auto") == time


@pytest.mark.parametrize(
    ("written", "unit", "time"),
    [
        (1795277797, "epoch_s", MOMENT),
        ("1795277797", "epoch_s", MOMENT),
        (1795277797000, "epoch_ms", MOMENT),
        (1795277797.5, "epoch_s", MOMENT.replace(microsecond=500000)),
        (0, "epoch_s", datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, "epoch_s", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (10**30, "epoch_s", None),
        (10**400, "epoch_s", None),
        ("nan", "epoch_s", None),
        ("inf", "epoch_ms", None),
        (True, "epoch_s", None),
        ([], "epoch_s", None),
        ("soon", "epoch_ms", None),
    ],
)
def test_times_in_numbers(written, unit, time):
    assert read_time(written, times_are=unit) == time
