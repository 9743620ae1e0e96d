"""What is done with the rows of a real Datasette through the whole gateway."""

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.datasette import CONTACTS, Datasette
from tests.support.plain_http import PLAIN
from tests.upstreams.content import KEYED, ODD_NAME, SHUFFLED, TEXTS
from tests.upstreams.operations import connect
from tests.upstreams.record_calls import CREATE, DELETE, UPDATE, Collection, ids

pytestmark = pytest.mark.xdist_group("upstreams_datasette")

FIELDS = ["input", "values", "fields"]
HOSTILE = [
    *TEXTS,
    "%",
    "_",
    "a_b%c",
    "*",
    "?",
    "[x]",
    "a*[b]?",
    '["1"]',
    "1,2",
    " ",
    "\\",
    "x' or 1=1 --",
    "&_size=max",
    "null",
    "+1",
    "1e3",
]
"""Texts that a condition could take for a part of itself."""
_numbers = itertools.count(1)


@pytest.fixture
async def connection(gateway, datasette: Datasette) -> str:
    """Acme's connection, with a token that may do everything."""
    given = {"parameters": {"server": datasette.server}, "authMethod": "bearer", "credentials": {"token": datasette.token}}
    return await connect(gateway, "datasette", **given)


@pytest.fixture
def table(acme, connection):
    """A table of the connection by its name."""

    def table(name: str, database: str = "crm", *, key: str = "rows") -> Collection:
        return Collection(acme, connection, key, {"database": database, "table": name})

    return table


@pytest.fixture
def contacts(table) -> Collection:
    return table("contacts")


@pytest.fixture
def emptied(datasette: Datasette) -> Iterator[None]:
    """Takes out again what a test wrote."""
    yield
    headers = {"Authorization": f"Bearer {datasette.token}"}
    with httpx.Client(base_url=datasette.server, headers=headers, trust_env=False, verify=PLAIN) as client:
        for row in client.get("/crm/notes.json?_size=max").raise_for_status().json()["rows"]:
            client.post(f"/crm/notes/{row['id']}/-/delete", json={}).raise_for_status()
        for row in client.get("/crm/lines.json?_size=max").raise_for_status().json()["rows"]:
            client.post(f"/crm/lines/{row['rowid']}/-/delete", json={}).raise_for_status()


@pytest.fixture
def notes(table, emptied) -> Collection:
    """A table that this test alone writes."""
    return table("notes")


def row(number: int) -> dict[str, Any]:
    """The contact of that number."""
    return {"id": number, "name": f"Contact {number}", "vip": int(number % 10 == 0), "company_id": 1 + number % 3, "score": number / 2}


class TestLists:
    @pytest.mark.parametrize(
        ("filter", "holds"),
        [
            ({"name": "Contact 7"}, lambda row: row["id"] == 7),
            ({"vip": 1}, lambda row: row["vip"] == 1),
            ({"vip": {"NE": 1}, "id": {"LTE": 12}}, lambda row: row["vip"] != 1 and row["id"] <= 12),
            ({"score": {"GTE": 100, "LT": 101.5}}, lambda row: 100 <= row["score"] < 101.5),
            ({"id": {"GT": 228}}, lambda row: row["id"] > 228),
            ({"id": {"IN": [3, 5, 999]}}, lambda row: row["id"] in (3, 5)),
            ({"name": {"IN": ["Contact 4", "a,b"]}}, lambda row: row["id"] == 4),
            ({"name": {"CONTAINS": "TACT 22"}}, lambda row: "tact 22" in row["name"]),
            ({"name": {"STARTS_WITH": "contact 1"}}, lambda row: row["name"].startswith("Contact 1")),
            ({"name": {"CONTAINS": "_"}}, lambda row: False),
            ({"name": {"STARTS_WITH": "%"}}, lambda row: False),
            ({"score": None}, lambda row: False),
            ({"score": {"NE": None}, "id": 1}, lambda row: row["id"] == 1),
        ],
        ids=lambda value: str(value) if isinstance(value, dict) else "",
    )
    async def test_conditions_are_told_to_datasette(self, contacts, filter, holds):
        expected = [str(number) for number in range(1, CONTACTS + 1) if holds(row(number))]

        assert ids(await contacts.listed(filter=filter)) == expected
        assert ids(await contacts.listed(filter=filter, first=7)) == expected

    @pytest.mark.parametrize("first", [70, 1000])
    @pytest.mark.parametrize(("direction", "sign"), [("ASC", 1), ("DESC", -1)])
    async def test_an_order_goes_over_all_pages(self, contacts, first, direction, sign):
        found = await contacts.listed(first=first, order={"field": "company_id", "direction": direction})

        rows = sorted(map(row, range(1, CONTACTS + 1)), key=lambda row: (sign * row["company_id"], row["id"]))
        assert ids(found) == [str(row["id"]) for row in rows]

    @pytest.mark.parametrize("direction", ["ASC", "DESC"])
    @pytest.mark.parametrize("name", ["by_text", "by_two", "indexed", "keyless"])
    async def test_rows_that_are_equal_in_the_order_come_once_each_over_all_pages(self, table, name, direction):
        found = await table(name, ODD_NAME).listed(first=7, order={"field": "kind", "direction": direction})

        assert len(set(ids(found))) == len(found) == SHUFFLED
        kinds = [record["fields"]["kind"] for record in found]
        assert kinds == sorted(kinds, key=lambda kind: kind or "", reverse=direction == "DESC")

    async def test_a_column_without_a_type_is_no_order(self, contacts, table):
        code, message = await table("untyped", ODD_NAME).refused(order={"field": "any"})

        assert (code, message) == ("UPSTREAM_REJECTED", "Datasette refused the request (400): Cannot sort table by any, which has no type.")

    @pytest.mark.parametrize(
        ("filter", "expected"),
        [
            ({"any": 7}, ["1"]),
            ({"any": 7.0}, ["1"]),
            ({"any": "7"}, ["2"]),
            ({"any": {"NE": 7}}, ["2", "3", "4"]),
            ({"any": {"NE": "7"}}, ["1", "3", "4"]),
            ({"any": {"IN": [7, "x"]}}, ["1", "4"]),
            ({"any": {"GT": 7}}, ["2", "3", "4"]),
            ({"any": {"GTE": 7.0}}, ["1", "2", "3", "4"]),
            ({"any": {"GT": "x"}}, []),
        ],
        ids=str,
    )
    async def test_numbers_and_texts_of_a_column_without_a_type_are_told_apart(self, table, filter, expected):
        assert ids(await table("untyped", ODD_NAME).listed(filter=filter)) == expected

    @pytest.mark.parametrize("value", [7.5, -1, "7", "7.5"])
    async def test_what_datasette_would_compare_as_another_type_is_refused(self, table, value):
        code, _ = await table("untyped", ODD_NAME).refused(filter={"any": {"GT": value}})

        assert code == "UNSUPPORTED"

    async def test_what_a_view_calculates_is_compared_as_the_number_that_it_is(self, table):
        sums = table("sums", ODD_NAME, key="view_rows")

        assert [record["fields"] for record in await sums.listed()] == [{"id": 10, "count": 20}, {"id": 20, "count": 20}]
        assert ids(await sums.listed(filter={"count": 20, "id": {"NE": 10}})) == ["20"]
        assert ids(await sums.listed(filter={"id": {"GT": 10}})) == ["20"]
        assert (await sums.record("20"))["fields"] == {"id": 20, "count": 20}
        assert await sums.record("30") is None

    async def test_views_can_be_filtered_and_ordered_too(self, table):
        view = table("vip_contacts", key="view_rows")

        found = await view.listed(first=5, filter={"id": {"GT": 100}}, order={"field": "score", "direction": "DESC"})

        assert ids(found) == [str(number) for number in range(230, 100, -10)]

    async def test_a_table_with_full_text_search_is_searched(self, table):
        tickets = table("tickets", "support")

        assert ids(await tickets.listed(search="ticket 3")) == ["T-3"]
        assert ids(await tickets.listed(search='"ticket" OR (')) == []
        assert ids(await tickets.listed(search="ticket", first=2)) == [f"T-{number}" for number in range(5)]

    @pytest.mark.parametrize(
        ("wanted", "code", "message"),
        [
            ({"search": "3"}, "UPSTREAM_REJECTED", "Datasette refused the request (200): This table has no full-text search."),
            ({"filter": {"nope": 1}}, "INVALID", "Collection 'rows' has no field 'nope'"),
            ({"filter": {"_size": "max"}}, "INVALID", "Collection 'rows' has no field '_size'"),
            ({"filter": {"name__exact": "x"}}, "INVALID", "Collection 'rows' has no field 'name__exact'"),
            ({"order": {"field": "nope"}}, "INVALID", "Collection 'rows' has no field 'nope'"),
        ],
        ids=["search", "unknown column", "option", "operator in a name", "unknown order"],
    )
    async def test_what_cannot_be_asked_is_refused_with_a_reason(self, contacts, wanted, code, message):
        found = await contacts.refused(**wanted)

        assert (found[0], found[1][: len(message)]) == (code, message)

    async def test_a_boolean_column_is_compared_with_booleans(self, notes):
        made = [(await notes.create({"title": str(done), "done": done}))["externalId"] for done in (True, False, None)]

        assert [ids(await notes.listed(filter={"done": done})) for done in (True, False, None)] == [[record] for record in made]
        assert ids(await notes.listed(filter={"done": {"NE": None}})) == made[:2]

    async def test_no_text_is_taken_for_a_part_of_the_condition(self, notes):
        made = {text: (await notes.create({"title": text}))["externalId"] for text in HOSTILE}

        for text, record in made.items():
            assert ids(await notes.listed(filter={"title": text})) == [record], text
            assert ids(await notes.listed(filter={"title": {"IN": [text, "none"]}})) == [record], text
            parts = [made[other] for other in HOSTILE if text in other]
            assert ids(await notes.listed(filter={"title": {"CONTAINS": text}})) == parts, text
            starts = [made[other] for other in HOSTILE if other.startswith(text)]
            assert ids(await notes.listed(filter={"title": {"STARTS_WITH": text}})) == starts, text


class TestSingleRows:
    async def test_rows_are_found_by_the_parts_of_their_key(self, table):
        keyed = table("keyed", ODD_NAME)

        found = [await keyed.record(record) for record in ids(await keyed.listed())]

        assert [(record["fields"]["a"], record["fields"]["b"]) for record in found] == sorted(KEYED)

    @pytest.mark.parametrize(
        ("name", "database", "record"),
        [("contacts", "crm", "5"), ("event_log", "crm", "5"), ("many", ODD_NAME, "ä/07"), ("odd name & more", "crm", "a/b?c")],
    )
    async def test_a_row_is_found_by_its_key_or_rowid(self, table, name, database, record):
        assert (await table(name, database).record(record))["externalId"] == record

    async def test_a_row_of_a_view_is_found_by_its_id(self, table):
        view = table("vip_contacts", key="view_rows")

        assert (await view.record("20"))["fields"]["name"] == "Contact 20"
        assert await view.record("21") is None

    @pytest.mark.parametrize("record", ["999", "1,2", "../companies", "x", "~", "%", "5.json", "5/-/delete", ","])
    async def test_an_id_that_nothing_has_is_null(self, contacts, record):
        assert await contacts.record(record) is None

    async def test_a_row_is_matched_by_its_columns(self, contacts):
        assert (await contacts.match(email="contact42@example.com"))["externalId"] == "42"
        assert (await contacts.match(vip=1, company_id=3))["externalId"] == "20"
        assert await contacts.match(email="nobody@example.com") is None

    async def test_a_foreign_key_leads_to_its_row(self, acme, contacts):
        document = """query ($id: ID!, $in: JSON) { connection(by: { id: $id }) { collection(key: "rows", parameters: $in) {
          records(first: 4) { nodes { reference(field: "company_id") { name collection { path } } } } } } }"""

        found = await acme.execute(document, id=contacts.connection, **{"in": contacts.parameters})

        nodes = found["connection"]["collection"]["records"]["nodes"]
        assert [node["reference"]["name"] for node in nodes] == ["Company 2", "Company 3", "Company 1", "Company 2"]
        assert {node["reference"]["collection"]["path"] for node in nodes} == {"/data/rows?database=crm&table=companies"}


class TestWrites:
    async def test_a_row_is_made_changed_and_deleted(self, notes):
        made = await notes.create({"title": "First", "done": True, "score": 0.25, "company_id": 2})
        changed = await notes.update(made["externalId"], {"body": "ünïcödé 漢字", "done": False, "score": None})

        row = {"id": int(made["externalId"]), "title": "First", "body": None, "done": 1, "score": 0.25, "company_id": 2}
        assert made["fields"] == row
        assert changed["fields"] == row | {"body": "ünïcödé 漢字", "done": 0, "score": None}
        assert (await notes.record(made["externalId"]))["fields"] == changed["fields"]
        assert await notes.delete(made["externalId"]) == made["externalId"]
        assert await notes.listed() == []

    async def test_numbers_are_exact(self, notes):
        made = await notes.create({"title": "Large", "id": 2**53 + 1, "company_id": 2**63 - 1})

        assert (made["externalId"], made["fields"]["company_id"]) == (str(2**53 + 1), 2**63 - 1)

    @pytest.mark.parametrize("town", ["a,b/c", "100%", "%2C", "~x.y", " ", "", "größe"])
    async def test_a_row_of_a_compound_key_is_known_by_it(self, table, town):
        places, country = table("places"), f"country {next(_numbers)}"

        made = await places.create({"country": country, "town": town, "people": 1})
        changed = await places.update(made["externalId"], {"people": 2})
        await places.delete(made["externalId"])

        assert made["fields"] == {"country": country, "town": town, "people": 1}
        assert changed["fields"] == {"country": country, "town": town, "people": 2}
        assert await places.record(made["externalId"]) is None

    async def test_a_row_without_a_key_is_given_its_rowid(self, table, emptied):
        lines = table("lines")

        refused = await lines.refusals(CREATE, values={"fields": {"message": "x"}})
        made = await lines.create({"rowid": 7, "message": "x"})
        changed = await lines.update("7", {"message": "y"})

        assert [(code, field) for code, _, field in refused] == [("INVALID", [*FIELDS, "rowid"])]
        assert (made["externalId"], made["fields"]) == ("7", {"rowid": 7, "message": "x"})
        assert changed["fields"] == {"rowid": 7, "message": "y"}

    async def test_what_datasette_refuses_is_told_by_column(self, notes):
        made = await notes.create({"title": "Taken"})

        doubled = await notes.refusals(CREATE, values={"fields": {"title": "Taken"}})
        emptied = await notes.refusals(UPDATE, externalId=made["externalId"], values={"fields": {"title": None}})

        told = [(code, message, field) for code, message, field in (*doubled, *emptied) if field is not None]
        assert told == [
            ("UPSTREAM_REJECTED", "UNIQUE constraint failed: notes.title", [*FIELDS, "title"]),
            ("UPSTREAM_REJECTED", "NOT NULL constraint failed: notes.title", [*FIELDS, "title"]),
        ]
        assert [record["fields"]["title"] for record in await notes.listed()] == ["Taken"]

    @pytest.mark.parametrize(
        ("fields", "path"),
        [({"nope": 1}, "nope"), ({"title": 7}, "title"), ({"score": "much"}, "score")],
        ids=["unknown column", "number for a text", "text for a number"],
    )
    async def test_what_a_table_cannot_hold_is_refused_before_datasette(self, notes, fields, path):
        made = await notes.create({"title": "As it is"})

        refused = await notes.refusals(UPDATE, externalId=made["externalId"], values={"fields": fields})

        assert [(code, field) for code, _, field in refused] == [("INVALID", [*FIELDS, path])]
        assert await notes.record(made["externalId"]) == made

    async def test_a_key_cannot_be_changed_and_a_required_column_not_left_out(self, notes):
        made = await notes.create({"title": "Mine"})

        moved = await notes.refusals(UPDATE, externalId=made["externalId"], values={"fields": {"id": 99}})
        untitled = await notes.refusals(CREATE, values={"fields": {"body": "x"}})

        assert [(code, field) for code, _, field in (*moved, *untitled)] == [("INVALID", [*FIELDS, "id"]), ("INVALID", [*FIELDS, "title"])]
        assert ids(await notes.listed()) == [made["externalId"]]

    @pytest.mark.parametrize("record", ["12345", "1,2", "../notes", "x/-/delete"])
    async def test_a_row_that_is_not_there_is_not_changed_or_deleted(self, notes, record):
        changed = await notes.refusals(UPDATE, externalId=record, values={"fields": {"body": "x"}})
        deleted = await notes.refusals(DELETE, externalId=record)

        assert [(code, field) for code, _, field in (*changed, *deleted)] == [("NOT_FOUND", ["input", "externalId"])] * 2

    async def test_a_table_that_may_not_be_written_is_refused_and_the_connection_stays(self, contacts):
        refused = await contacts.refusals(CREATE, values={"fields": {"name": "New", "email": "new@example.com"}})

        assert refused == [("UPSTREAM_REJECTED", "Datasette refused the request (403): Permission denied.", None)]
        assert len(await contacts.listed()) == CONTACTS

    async def test_a_view_cannot_be_written(self, table):
        refused = await table("vip_contacts", key="view_rows").refusals(CREATE, values={"fields": {"name": "New"}})

        assert [code for code, _, _ in refused] == ["UNSUPPORTED"]
