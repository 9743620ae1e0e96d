"""Every operation on records of a real Kinto, through the whole gateway."""

import itertools
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.gateway_client import Answer, GatewayClient
from tests.support.kinto import CONTACT_SCHEMA, CONTACTS, Kinto, contact

pytestmark = pytest.mark.xdist_group("upstreams_kinto")

CONTACTS_PLACE = {"bucket": "crm", "collection": "contacts"}
LIST = """query ($id: ID!, $in: JSON, $first: Int!, $after: String, $filter: JSON, $order: RecordOrder) { connection(by: { id: $id }) {
  collection(key: "records", parameters: $in) { records(first: $first, after: $after, filter: $filter, orderBy: $order) {
    nodes { externalId version fields } pageInfo { hasNextPage endCursor } } } } }"""
ONE = """query ($id: ID!, $in: JSON, $record: String!) { connection(by: { id: $id }) {
  collection(key: "records", parameters: $in) { record(externalId: $record) { externalId version fields } } } }"""
MATCH = """query ($id: ID!, $in: JSON, $by: FieldsInput!) { connection(by: { id: $id }) {
  collection(key: "records", parameters: $in) { match(by: $by) { externalId } } } }"""
SPEC = """query ($id: ID!, $in: JSON) { connection(by: { id: $id }) { collection(key: "records", parameters: $in) { spec {
  operations filters { field operators } orderFields matchFields createFieldsSchema updateFieldsSchema } } } }"""
CREATE = """mutation ($input: RecordCreateInput!) { recordCreate(input: $input) {
  record { externalId version fields } userErrors { code message field } } }"""
UPDATE = """mutation ($input: RecordUpdateInput!) { recordUpdate(input: $input) {
  record { externalId version fields } userErrors { code message field } } }"""
DELETE = """mutation ($input: RecordDeleteInput!) { recordDelete(input: $input) {
  deletedExternalId userErrors { code message field } } }"""

TYPES = [7, "7", 7.5, True, False, None, "", [7], ["7"], {"a": 7}, "true", "null", '"', "a,b", "\\u002c", "ünïcödé 漢字", "a&b=c#d?e%20+"]
"""Values that a query could take for each other."""
_numbers = itertools.count()


@dataclass(frozen=True)
class Shelf:
    """A collection of Kinto's through the gateway, and past it."""

    client: GatewayClient = field(repr=False)
    connection: str
    parameters: dict[str, str]
    kinto: Kinto

    async def listed(self, *, first: int = 1000, **wanted: Any) -> list[str]:
        """The ids of a list, over all its pages."""
        found: list[str] = []
        after = None
        while True:
            page = (await self.page(first=first, after=after, **wanted))["records"]
            found += [node["externalId"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    async def page(self, **wanted: Any) -> Any:
        data = await self.client.execute(LIST, id=self.connection, **{"in": self.parameters}, **wanted)
        return data["connection"]["collection"]

    async def refused(self, **wanted: Any) -> Answer:
        return await self.client.ask(LIST, id=self.connection, **{"in": self.parameters}, **{"first": 10, **wanted})

    async def record(self, record: str) -> Any:
        data = await self.client.execute(ONE, id=self.connection, record=record, **{"in": self.parameters})
        return data["connection"]["collection"]["record"]

    async def match(self, **fields: Any) -> Any:
        data = await self.client.execute(MATCH, id=self.connection, by={"fields": fields}, **{"in": self.parameters})
        return data["connection"]["collection"]["match"]

    async def create(self, fields: dict[str, Any], **more: Any) -> Any:
        return (await self.client.mutate(CREATE, **self.target, values={"fields": fields}, **more))["record"]

    async def update(self, record: str, fields: dict[str, Any], **more: Any) -> Any:
        return (await self.client.mutate(UPDATE, **self.target, externalId=record, values={"fields": fields}, **more))["record"]

    async def delete(self, record: str, **more: Any) -> Any:
        return (await self.client.mutate(DELETE, **self.target, externalId=record, **more))["deletedExternalId"]

    async def refusal(self, document: str, **input: Any) -> tuple[str, str, list[str] | None]:
        return await self.client.refusal(document, **self.target, **input)

    @property
    def target(self) -> dict[str, Any]:
        return {"in": {"collection": {"connection": {"id": self.connection}, "key": "records", "parameters": self.parameters}}}

    def own(self) -> dict[str, Any]:
        """What Kinto itself says that it holds, by id."""
        path = f"/buckets/{self.parameters['bucket']}/collections/{self.parameters['collection']}/records"
        with self.kinto.client() as client:
            return {record["id"]: record for record in client.get(path).raise_for_status().json()["data"]}


@pytest.fixture
def contacts(acme, as_admin, kinto) -> Shelf:
    """The contacts of everybody's tests: not to be written."""
    return Shelf(acme, as_admin, CONTACTS_PLACE, kinto)


@pytest.fixture
def schema() -> dict[str, Any] | None:
    return None


@pytest.fixture
def shelf(acme, as_admin, kinto, schema) -> Iterator[Shelf]:
    """An empty collection of the test's own."""
    parameters = {"bucket": "open", "collection": f"shelf-{next(_numbers)}"}
    path = f"/buckets/open/collections/{parameters['collection']}"
    with kinto.client() as client:
        client.put(path, json={"data": {"schema": schema} if schema else {}}).raise_for_status()
    yield Shelf(acme, as_admin, parameters, kinto)
    with kinto.client() as client:
        client.delete(path).raise_for_status()


def fill(shelf: Shelf, records: dict[str, dict[str, Any]]) -> None:
    with shelf.kinto.client() as client:
        for name, fields in records.items():
            path = f"/buckets/open/collections/{shelf.parameters['collection']}/records/{name}"
            client.put(path, json={"data": fields}).raise_for_status()


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

    @pytest.mark.parametrize("name", ["first name", "größe", "a-b", "a,b", "a&b", "*", "a\n"])
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

    async def test_many_are_found_with_one_request_for_each_fifty(self, gateway, as_admin, kinto):
        connector = gateway.runtime.connectors["kinto"]
        assert [spec.find_by_ids_maximum for spec in connector.spec.collections] == [50]


class TestWrites:
    async def test_a_record_is_created_changed_and_deleted(self, shelf):
        created = await shelf.create({"title": "Water the plants", "at": {"day": 1}, "tags": ["a"]})
        name = created["externalId"]
        changed = await shelf.update(name, {"at": {"hour": 9}, "tags": None, "more": 1}, ifVersion=created["version"])
        now = shelf.own()

        assert {"title": "Water the plants", "at": {"day": 1}, "tags": ["a"]}.items() <= created["fields"].items()
        assert {"title": "Water the plants", "at": {"hour": 9}, "tags": None, "more": 1}.items() <= changed["fields"].items()
        assert now == {name: changed["fields"]}
        assert changed["version"] != created["version"]
        assert await shelf.delete(name, ifVersion=changed["version"]) == name
        assert shelf.own() == {}
        assert await shelf.record(name) is None

    async def test_a_record_may_be_given_its_id(self, shelf):
        created = await shelf.create({"id": "mine-1", "title": "Mine"})

        assert created["externalId"] == "mine-1"
        assert shelf.own().keys() == {"mine-1"}

    async def test_an_id_that_is_taken_is_a_conflict_and_changes_nothing(self, shelf):
        await shelf.create({"id": "mine", "title": "First"})
        before = shelf.own()

        code, message, _ = await shelf.refusal(CREATE, values={"fields": {"id": "mine", "title": "Second"}})
        keyed, _, _ = await shelf.refusal(CREATE, values={"fields": {"id": "mine", "title": "Third"}}, idempotencyKey="k")

        assert (code, keyed) == ("CONFLICT", "CONFLICT")
        assert message.startswith("No record was created.")
        assert shelf.own() == before

    @pytest.mark.parametrize("key", ["plants-1", "a b/c?d", "größe", "=", "k" * 200])
    async def test_the_same_creation_with_the_same_key_is_made_once(self, shelf, key):
        first = await shelf.create({"title": "Water the plants"}, idempotencyKey=key)
        again = await shelf.create({"title": "Water the plants"}, idempotencyKey=key)
        other = await shelf.create({"title": "Water the plants"}, idempotencyKey=f"{key}2")

        assert first == again
        assert shelf.own().keys() == {first["externalId"], other["externalId"]}

    async def test_a_stale_version_is_a_conflict_and_changes_nothing(self, shelf):
        created = await shelf.create({"title": "First"})
        await shelf.update(created["externalId"], {"title": "Second"})
        before = shelf.own()

        stale = {"externalId": created["externalId"], "ifVersion": created["version"]}
        update = await shelf.refusal(UPDATE, values={"fields": {"title": "Third"}}, **stale)
        deletion = await shelf.refusal(DELETE, **stale)

        assert (update[0], deletion[0]) == ("CONFLICT", "CONFLICT")
        assert update[1].startswith("The record is as it was. Kinto says that it changed meanwhile")
        assert shelf.own() == before

    @pytest.mark.parametrize("version", ["*", '1"', "", "x", "1\r\nX: y", "-1", "１"])
    async def test_a_version_that_is_none_changes_nothing(self, shelf, version):
        created = await shelf.create({"title": "First"})
        before = shelf.own()

        answer = await shelf.client.ask(DELETE, input={**shelf.target, "externalId": created["externalId"], "ifVersion": version})

        assert answer.data["recordDelete"]["userErrors"] or answer.errors
        assert shelf.own() == before

    async def test_what_is_not_there_cannot_be_changed_or_deleted(self, shelf):
        update = await shelf.refusal(UPDATE, externalId="nobody", values={"fields": {"title": "x"}})
        deletion = await shelf.refusal(DELETE, externalId="nobody")

        assert (update[0], deletion[0]) == ("NOT_FOUND", "NOT_FOUND")

    @pytest.mark.parametrize("name", ["last_modified", "id"])
    async def test_what_only_kinto_sets_is_refused(self, shelf, name):
        created = await shelf.create({"title": "First"})
        before = shelf.own()

        code, _, field = await shelf.refusal(
            UPDATE, externalId=created["externalId"], values={"fields": {name: before[created["externalId"]][name]}}
        )

        assert (code, field) == ("INVALID", ["input", "values", "fields", name])
        assert shelf.own() == before


class TestWritesToASchema:
    @pytest.fixture
    def schema(self) -> dict[str, Any]:
        return CONTACT_SCHEMA

    @pytest.mark.parametrize(
        ("fields", "name", "message"),
        [({"email": "a@example.com", "age": "old"}, "age", "integer"), ({"age": 7}, "email", "required")],
        ids=["wrong type", "missing"],
    )
    async def test_what_breaks_the_schema_is_refused_before_kinto_is_asked(self, shelf, fields, name, message):
        code, text, field = await shelf.refusal(CREATE, values={"fields": fields})

        assert code == "INVALID"
        assert message in text
        assert name in [*field, *text.replace('"', " ").replace("'", " ").split()]
        assert shelf.own() == {}

    async def test_what_kinto_refuses_is_told_with_its_field(self, shelf):
        """The gateway learns of a stricter schema by Kinto's refusal: what it knows of a collection it keeps for a while."""
        created = await shelf.create({"email": "a@example.com", "age": 70})
        stricter = {**CONTACT_SCHEMA, "properties": {**CONTACT_SCHEMA["properties"], "age": {"type": "integer", "maximum": 10}}}
        with shelf.kinto.client() as client:
            path = f"/buckets/open/collections/{shelf.parameters['collection']}"
            client.patch(path, json={"data": {"schema": stricter}}).raise_for_status()

        values = {"fields": {"age": 71}}
        data = await shelf.client.execute(UPDATE, input={**shelf.target, "externalId": created["externalId"], "values": values})

        errors = data["recordUpdate"]["userErrors"]
        assert data["recordUpdate"]["record"] is None
        assert {error["code"] for error in errors} == {"UPSTREAM_REJECTED"}
        assert (errors[-1]["field"], errors[-1]["message"]) == (
            ["input", "values", "fields", "age"],
            "71 is greater than the maximum of 10",
        )
        assert shelf.own()[created["externalId"]]["age"] == 70

    async def test_fields_that_the_schema_does_not_name_are_kept(self, shelf):
        created = await shelf.create({"email": "a@example.com", "nickname": "A"})

        assert created["fields"]["nickname"] == "A"


async def test_the_spec_tells_what_can_be_done(contacts, acme, as_admin):
    found = (await acme.execute(SPEC, id=as_admin, **{"in": CONTACTS_PLACE}))["connection"]["collection"]["spec"]

    assert found["operations"] == ["LIST", "MATCH", "FIND_BY_ID", "CREATE", "UPDATE", "DELETE"]
    assert found["filters"] == [{"field": "*", "operators": ["EQ", "NE", "LT", "LTE", "GT", "GTE", "IN"]}]
    assert (found["orderFields"], found["matchFields"]) == (["*"], ["*"])
    create, update = found["createFieldsSchema"], found["updateFieldsSchema"]
    assert create["properties"] == {"id": {"type": "string", "title": "Id"}, "last_modified": False, **CONTACT_SCHEMA["properties"]}
    assert update["properties"] == {"id": False, "last_modified": False, **CONTACT_SCHEMA["properties"]}
    assert (create["required"], update.get("required")) == (["email"], None)
    assert create["additionalProperties"] is update["additionalProperties"] is True


async def test_a_reader_may_not_write(acme, as_reader, contacts):
    target = {"in": {"collection": {"connection": {"id": as_reader}, "key": "records", "parameters": CONTACTS_PLACE}}}

    refusals = [
        await acme.refusal(CREATE, **target, values={"fields": {"email": "a@example.com"}}),
        await acme.refusal(UPDATE, **target, externalId="c-0001", values={"fields": {"age": 1}}),
        await acme.refusal(DELETE, **target, externalId="c-0001"),
    ]

    message = "Kinto refused the request (403): This user cannot access this resource."
    assert refusals == [("UPSTREAM_REJECTED", message, None)] * 3
    assert len(contacts.own()) > 0


_KEPT_BY_KINTO = {"id", "last_modified", "schema", "__permissions__", "deleted"}
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_keys = st.one_of(st.text(string.ascii_letters + " ._-/&=?%*\\\"'", max_size=12), _texts).filter(lambda key: key not in _KEPT_BY_KINTO)
# Kinto reads numbers of more digits, and of larger exponents, a bit off: its own JSON reader trades that for speed.
_floats = st.builds(lambda digits, places: float(f"{digits}e-{places}"), st.integers(-(10**15), 10**15), st.integers(0, 15))
_scalars = st.one_of(st.none(), st.booleans(), _texts, st.integers(-(2**63), 2**64 - 1), _floats)
_values = st.recursive(
    _scalars, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_keys, inner, max_size=4)), max_leaves=12
)


def nested(depth: int) -> Any:
    value: Any = "the end"
    for _ in range(depth):
        value = {"": [value]}
    return value


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({"n": 2**53 + 1, "m": -(2**63), "u": 2**64 - 1, "f": 0.1, "e": 1e300, "z": -0.0, "tiny": 5e-324})
@example({"": "", " ": None, "a.b": {"a.b": []}, "__proto__": {}, "$ref": "x", "${x}": "${connection.server}", "data": {"id": 1}})
@example({"deep": nested(20)})
@example({"text": "\u0000\u2028\ufeff👩‍👩‍👧 漢字\r\n"})
@given(fields=st.dictionaries(_keys, _values, max_size=6))
async def test_any_json_that_is_written_is_read_as_it_was(shelf, fields):
    created = await shelf.create(fields)
    read = await shelf.record(created["externalId"])
    updated = await shelf.update(created["externalId"], {"copy": fields})

    kept = {"id": created["externalId"], "last_modified": int(created["version"])}
    assert exact(created["fields"]) == exact({**fields, **kept})
    assert read == created
    assert exact(updated["fields"]["copy"]) == exact(fields)
    await shelf.delete(created["externalId"])


def exact(value: Any) -> Any:
    """The value with its types, as 1, 1.0 and true are equal in Python."""
    if isinstance(value, dict):
        return {key: exact(part) for key, part in value.items()}
    return [exact(part) for part in value] if isinstance(value, list) else (type(value).__name__, repr(value))
