"""What nobody in good faith asks of records: it is refused with a clear error, Kinto hears nothing of it, and nothing changes."""

import json
from typing import Any

import pytest

from tests.upstreams.shelf import CREATE, DELETE, UPDATE, Shelf, fill

IDS = {
    "up": "..",
    "here": ".",
    "a way up": "../admin",
    "a way up, encoded": "%2e%2e%2fadmin",
    "two segments": "one/records",
    "a query": "one?_since=1",
    "a fragment": "one#x",
    "a line break": "one\r\nX-Injected: yes",
    "a null character": "one\x00",
    "nothing": "",
    "much": "x" * 2000,
    "other digits": "１",
}
FILTERS: dict[str, tuple[Any, str, str]] = {
    "a number": (5, "INVALID", "filter"),
    "a list": ([{"age": 1}], "INVALID", "filter"),
    "a text": ("age=1", "INVALID", "filter"),
    "an unknown operator": ({"age": {"$gt": 1}}, "INVALID", "filter.age.$gt"),
    "no operator": ({"age": {}}, "INVALID", "filter.age"),
    "an object to compare with": ({"age": {"gte": {"a": 1}}}, "INVALID", "filter.age.gte"),
    "in, without a list": ({"age": {"in": 5}}, "INVALID", "filter.age.in"),
    "a megabyte": ({"name": "m" * 950_000}, "INVALID", "filter"),
    "ten thousand keys": ({f"field{number}": number for number in range(10_000)}, "INVALID", "filter"),
}


@pytest.fixture
def held(shelf: Shelf) -> Shelf:
    """A collection that holds two records."""
    fill(shelf, {"one": {"name": "One", "age": 1}, "two": {"name": "Two", "age": 2}})
    return shelf


async def test_an_id_that_leads_elsewhere_is_nobodys(held: Shelf, subtests: pytest.Subtests):
    before = held.own()

    for name, record in IDS.items():
        with subtests.test(name):
            assert await held.record(record) is None
            code, _, _ = await held.refusal(UPDATE, externalId=record, values={"fields": {"name": "Changed"}})
            assert code == "NOT_FOUND"
            code, _, _ = await held.refusal(DELETE, externalId=record)
            assert code == "NOT_FOUND"
            assert held.own() == before


async def test_a_filter_that_is_none_is_refused_where_it_is_wrong(held: Shelf, subtests: pytest.Subtests):
    for name, (given, code, field) in FILTERS.items():
        with subtests.test(name):
            answer = await held.refused(filter=given)

            (error,) = answer.errors
            assert (error["extensions"]["code"], ".".join(map(str, error["extensions"]["field"]))) == (code, field)
            assert len(error["message"]) < 1000


async def test_a_page_of_no_size_is_refused(held: Shelf, subtests: pytest.Subtests):
    for first, code in ((0, "INVALID"), (-1, "INVALID"), (1001, "PAGE_TOO_LARGE")):
        with subtests.test(str(first)):
            told, message = (await held.refused(first=first)).error[:2]

            assert told == code
            assert message.startswith(f"`first` is {first}; it must lie between 1 and 1000.")


async def test_a_cursor_of_another_collection_filter_or_order_is_refused(held: Shelf, contacts: Shelf):
    await held.page(first=1)
    of_others = [
        (await contacts.page(first=1))["records"]["pageInfo"]["endCursor"],
        (await held.page(first=1, filter={"age": {"gte": 1}}))["records"]["pageInfo"]["endCursor"],
        (await held.page(first=1, order={"field": "age"}))["records"]["pageInfo"]["endCursor"],
    ]
    own = (await held.page(first=1))["records"]["pageInfo"]["endCursor"]
    damaged = [own[:-2] + ("AA" if own[-2:] != "AA" else "BB"), own[1:], "x" * 40_000, "", "☃"]

    for cursor in [*of_others, *damaged[:3], damaged[4]]:
        assert (await held.refused(after=cursor)).error[:2] == (
            "INVALID",
            "The cursor is damaged or belongs to another list. Start again without `after`.",
        )
    assert [node["externalId"] for node in (await held.page(first=1, after=own))["records"]["nodes"]] == ["two"]


async def test_fields_that_nest_too_deeply_are_refused_and_nothing_is_written(held: Shelf, subtests: pytest.Subtests):
    before = held.own()
    body = json.dumps({"query": CREATE, "variables": {"input": {**held.target, "values": {"fields": {"deep": "DEEP"}}}}})

    for depth in (101, 1000, 100_000):
        with subtests.test(str(depth)):
            answer = await held.client.http.post(
                "/graphql",
                content=body.replace('"DEEP"', "[" * depth + "]" * depth),
                headers={"Authorization": f"Bearer {held.client.token}", "Content-Type": "application/json"},
            )

            assert '"code":"INVALID"' in answer.text
            assert '"externalId"' not in answer.text
            assert held.own() == before


async def test_fields_that_are_no_object_are_refused_and_nothing_is_written(held: Shelf, subtests: pytest.Subtests):
    before = held.own()

    for fields in (5, "text", [], [{"name": "x"}], None, True):
        with subtests.test(repr(fields)):
            answer = await held.client.ask(CREATE, input={**held.target, "values": {"fields": fields}})
            refusals = (answer.data or {}).get("recordCreate") or {"userErrors": [{"code": e["extensions"]["code"]} for e in answer.errors]}

            assert {error["code"] for error in refusals["userErrors"]} == {"INVALID"}
            assert held.own() == before
