"""Lists and single records of a real Kinto, through the whole gateway."""

from typing import Any

import pytest

from gateway.connectors.protocol import Access
from gateway.errors import UpstreamResponseError
from gateway.models import Pointer
from tests.support.kinto import ADMIN, CONTACTS, contact
from tests.upstreams.relays import relayed
from tests.upstreams.shelf import CONTACTS_PLACE, fill

pytestmark = pytest.mark.xdist_group("upstreams_kinto")

TYPES = [7, "7", 7.5, True, False, None, "", [7], ["7"], {"a": 7}, "true", "null", '"', "a,b", "\\u002c", "ünïcödé 漢字", "a&b=c#d?e%20+"]
"""Values that a query could take for each other."""


def numbers_of(holds: Any) -> list[str]:
    return [f"c-{number:04d}" for number in range(CONTACTS) if holds(contact(number))]


class TestLists:
    @pytest.mark.parametrize(
        ("filter", "holds"),
        [
            ({"name": "Contact 7"}, lambda fields: fields["name"] == "Contact 7"),
            ({"age": {"EQ": 30}}, lambda fields: fields["age"] == 30),
            ({"age": {"GTE": 30, "LT": 33}}, lambda fields: 30 <= fields["age"] < 33),
            ({"age": {"GT": 70, "LTE": 72}, "vip": False}, lambda fields: 70 < fields["age"] <= 72 and not fields["vip"]),
            ({"vip": {"NE": False}}, lambda fields: fields["vip"]),
            ({"vip": True, "tags": ["eu"]}, lambda fields: fields["vip"] and fields["tags"] == ["eu"]),
            ({"name": {"IN": ["Contact 7", "Contact 9", "nobody, or so"]}}, lambda fields: fields["name"] in ("Contact 7", "Contact 9")),
            ({"age": {"IN": [20, 79]}}, lambda fields: fields["age"] in (20, 79)),
        ],
        ids=lambda part: "-".join(part) if isinstance(part, dict) else "",
    )  # fmt: skip
    async def test_a_filter_finds_what_it_says_over_all_pages(self, contacts, filter, holds):
        assert await contacts.listed(first=7, filter=filter) == numbers_of(holds)

    async def test_ids_can_be_filtered(self, contacts):
        assert await contacts.listed(filter={"id": {"IN": ["c-0003", "c-0001", "nobody"]}}) == ["c-0001", "c-0003"]
        assert await contacts.listed(filter={"id": "c-0003"}) == ["c-0003"]

    @pytest.mark.parametrize("number", range(len(TYPES)), ids=[repr(value) for value in TYPES])
    async def test_a_value_is_found_as_what_it_is_and_not_as_what_it_looks_like(self, shelf, number):
        fill(shelf, {f"v{place:02d}": {"value": value, "max_value": value} for place, value in enumerate(TYPES)})

        assert await shelf.listed(filter={"value": {"EQ": TYPES[number]}}) == [f"v{number:02d}"]
        assert await shelf.listed(filter={"max_value": {"EQ": TYPES[number]}}) == [f"v{number:02d}"]
        assert await shelf.listed(filter={"value": {"NE": TYPES[number]}}) == [
            f"v{place:02d}" for place in range(len(TYPES)) if place != number
        ]

    async def test_values_of_a_list_are_texts_with_all_that_texts_hold(self, shelf):
        texts = [value for value in TYPES if isinstance(value, str)]
        fill(shelf, {f"v{place:02d}": {"value": value} for place, value in enumerate(TYPES)})

        for text in texts:
            assert await shelf.listed(filter={"value": {"IN": [text, "x"]}}) == [f"v{TYPES.index(text):02d}"]
        assert len(await shelf.listed(filter={"value": {"IN": texts}})) == len(texts)

    @pytest.mark.parametrize("name", ["_hidden", "min_size", "in_stock", "has_x", "eq_x", "contains_any_x", "_sort", "_limit", "_since"])
    async def test_a_field_that_is_named_like_a_parameter_is_filtered_and_ordered_by(self, shelf, name):
        fill(shelf, {"a": {name: 2}, "b": {name: 1}, "c": {name: 2, "x": 1}})

        assert await shelf.listed(filter={name: 2}) == ["a", "c"]
        assert await shelf.listed(filter={name: {"LT": 2}}) == ["b"]
        assert await shelf.listed(order={"field": name, "direction": "ASC"}) == ["b", "a", "c"]

    @pytest.mark.parametrize("name", ["first name", "größe", "a-b", "a,b", "a&b", "a\n"])
    async def test_a_field_that_kinto_cannot_be_asked_for_is_refused(self, shelf, name):
        fill(shelf, {"a": {name: 1}})

        filtered = await shelf.refused(filter={name: 1})
        ordered = await shelf.refused(order={"field": name, "direction": "ASC"})

        assert {filtered.error[0], ordered.error[0]} == {"UNSUPPORTED"}

    @pytest.mark.parametrize("operator", ["CONTAINS", "STARTS_WITH"])
    async def test_an_operator_that_kinto_has_not_is_refused(self, contacts, operator):
        code, message, _ = (await contacts.refused(filter={"name": {operator: "7"}})).error

        assert code == "UNSUPPORTED"
        assert "GTE" in message

    async def test_what_has_changed_since_is_found_without_what_was_deleted(self, shelf):
        fill(shelf, {"a": {}, "b": {}, "c": {"x": 1}})
        since = shelf.own()["a"]["last_modified"]
        with shelf.kinto.client() as client:
            client.delete(f"/buckets/open/collections/{shelf.parameters['collection']}/records/b").raise_for_status()

        assert await shelf.listed(filter={"last_modified": {"GT": since}}) == ["c"]
        assert await shelf.listed(first=1, filter={"last_modified": {"GTE": since}}) == ["a", "c"]

    @pytest.mark.parametrize("direction", ["ASC", "DESC"])
    async def test_a_list_is_ordered_over_all_its_pages_whatever_the_values(self, shelf, direction):
        values = [3, 1, None, 2, "b", "a", 2, 1.5, True]
        fill(shelf, {f"v{place}": {"value": value} if place else {} for place, value in enumerate(values)})

        whole = await shelf.listed(order={"field": "value", "direction": direction})
        for first in (1, 2, 4):
            assert await shelf.listed(first=first, order={"field": "value", "direction": direction}) == whole
        assert sorted(whole) == [f"v{place}" for place in range(len(values))]
        in_numbers = [values[int(name[1:])] for name in whole if name in ("v1", "v3", "v6", "v7")]
        assert in_numbers == sorted(in_numbers, reverse=direction == "DESC")

    async def test_a_list_of_many_is_ordered(self, contacts):
        found = await contacts.listed(first=90, order={"field": "age", "direction": "DESC"})

        ages = [contact(int(name[2:]))["age"] for name in found]
        assert (len(set(found)), ages) == (CONTACTS, sorted(ages, reverse=True))

    async def test_a_cursor_belongs_to_its_filter_and_order(self, contacts):
        page = await contacts.page(first=1, filter={"vip": True}, order={"field": "age"})
        after = page["records"]["pageInfo"]["endCursor"]

        for wanted in ({}, {"filter": {"vip": True}}, {"filter": {"vip": False}, "order": {"field": "age"}}):
            assert (await contacts.refused(after=after, **wanted)).error[0] == "INVALID"


class TestSingleRecords:
    async def test_a_record_is_found_by_its_id(self, contacts):
        found = await contacts.record("c-0007")

        assert contact(7).items() <= found["fields"].items()
        assert (found["externalId"], found["version"]) == ("c-0007", str(found["fields"]["last_modified"]))

    @pytest.mark.parametrize("record", ["nobody", "../contacts", "..", "c-0007/..", "c-0007?x", "c 7", "-x", "ä", "c-0007\n", "%2e%2e"])
    async def test_what_is_no_record_is_null(self, contacts, record):
        assert await contacts.record(record) is None

    async def test_a_record_is_matched_by_any_fields(self, contacts):
        assert await contacts.match(email="contact7@example.com") == {"externalId": "c-0007"}
        assert await contacts.match(age=30, vip=True) == {"externalId": "c-0010"}
        assert await contacts.match(email="nobody@example.com") is None

    async def test_many_are_found_with_one_request(self, gateway, kinto):
        names = [f"c-{number:04d}" for number in range(0, 100, 2)]
        async with relayed(kinto.server) as relay:
            found = await by_ids(gateway, relay.url, [*names[1:], "nobody"])

            assert [spec.find_by_ids_maximum for spec in gateway.runtime.connectors["kinto"].spec.collections] == [50]
            assert sorted(found) == names[1:]
            assert len(relay.requests) == 1

    async def test_a_server_of_small_pages_does_not_make_records_disappear(self, gateway, app):
        app.answer(headers={"Next-Page": f"{app.url}/v1/more"}, json={"data": [{"id": "a", "last_modified": 1}]})

        with pytest.raises(UpstreamResponseError, match="expects a list"):
            await by_ids(gateway, app.url, ["a", "b"])


async def by_ids(gateway, server: str, names: list[str]) -> Any:
    access = Access(
        connection_id="c", parameters={"server": server}, auth_method="basic", credentials={"username": ADMIN[0], "password": ADMIN[1]}
    )
    return await gateway.runtime.connectors["kinto"].records_by_ids(access, Pointer("records", CONTACTS_PLACE), names)
