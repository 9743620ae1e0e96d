"""Writes of a real Kinto's records, through the whole gateway."""

import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.examples import part_of_examples
from tests.support.kinto import CONTACT_SCHEMA
from tests.upstreams.shelf import CONTACTS_PLACE, CREATE, DELETE, SPEC, UPDATE

pytestmark = pytest.mark.xdist_group("upstreams_kinto")


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
        assert message.startswith("No record was created: one of that identity is there already. Kinto says that this conflicts")
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
        assert update[1].startswith("The record is as it was. Kinto says that this conflicts with what it has")
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


@part_of_examples(percent=50)
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
