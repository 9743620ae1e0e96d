"""A real Datasette through the whole gateway: databases are directories, tables and views hold records."""

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.datasette import CONTACTS, Datasette
from tests.support.gateway_client import GatewayUnderTest
from tests.upstreams.content import KEYED, LINES, ODD_NAME, ODD_TABLE, SQLITE_NUMBERS, STEPS, TEXTS, opened
from tests.upstreams.operations import (
    CONNECT,
    CREATE_INSTANCE,
    DATA_SOURCE,
    FIELDS,
    INTEGRATION,
    PLACE,
    PLACES,
    POINT,
    RECORDS,
    SET_UP,
    SPEC,
    connect,
    everything,
    sizes,
    state_of,
)

pytestmark = pytest.mark.xdist_group("upstreams_datasette")

READY = {"state": "READY", "errors": []}
NO_TABLE = "Datasette says that there is no such thing (404): Table not found."
ODD_TABLES = [ODD_TABLE, "by_text", "by_two", "changing", "indexed", "keyed", "keyless", "log", "many", "numbers", "texts", "untyped"]
ODD_VIEWS = ["late lines", "lines without keys", "sums"]


@pytest.fixture
async def connection(gateway: GatewayUnderTest, datasette: Datasette) -> str:
    """Acme's connection, with a token that may read everything."""
    return await connect(gateway, "datasette", **inputs(datasette.server, datasette.token))


@pytest.fixture(scope="session")
def restricted_token(datasette: Datasette) -> str:
    """May read all of one database, and one table of another."""
    of_crm = ["-d", "crm", "view-database", "-d", "crm", "view-table"]
    return datasette.token_for("-a", "view-instance", *of_crm, "-r", ODD_NAME, "log", "view-table")


def inputs(server: str, token: str) -> dict[str, object]:
    return {"parameters": {"server": server}, "authMethod": "bearer", "credentials": {"token": token}}


def path_of(table: str, database: str = ODD_NAME, *, key: str = "rows") -> str:
    return f"/data/{key}?database={quote(database, safe='')}&table={quote(table, safe='')}"


class TestConnecting:
    @pytest.fixture(autouse=True)
    async def integration(self, gateway):
        await gateway.admin.mutate(INTEGRATION, key="datasette", connectorKey="datasette")

    async def test_with_a_token(self, acme, datasette):
        payload = await acme.mutate(CONNECT, integrationKey="datasette", **inputs(datasette.server + "/", datasette.token))

        assert payload["connection"].pop("id")
        assert payload["connection"] == {
            "name": "Datasette",
            "state": "READY",
            "authMethod": "bearer",
            "parameters": {"server": datasette.server + "/"},
        }

    @pytest.mark.parametrize(
        ("method", "credentials", "reason"),
        [
            ("bearer", {"token": "dstok_wrong"}, "(401): Invalid token signature"),
            ("bearer", {"token": "wrong"}, "(403): This instance is not open to the caller"),
            ("none", {}, "(403): This instance is not open to the caller"),
        ],
    )
    async def test_with_a_wrong_token_is_refused_and_saves_nothing(self, acme, datasette, method, credentials, reason):
        given = {"parameters": {"server": datasette.server}, "authMethod": method, "credentials": credentials}

        assert await acme.refusal(CONNECT, integrationKey="datasette", **given) == (
            "UPSTREAM_AUTH",
            f"Datasette does not accept the credentials {reason}. Connect again with valid ones.",
            None,
        )
        assert await acme.execute("{ connections { totalCount } }") == {"connections": {"totalCount": 0}}

    async def test_a_kinto_at_this_address_is_none(self, gateway, acme, datasette):
        """Another connector's app: each real server is asked in the other's words."""
        await gateway.admin.mutate(INTEGRATION, key="kinto", connectorKey="kinto")
        given = {"parameters": {"server": datasette.server}, "authMethod": "bearer", "credentials": {"token": datasette.token}}

        code, message, field = await acme.refusal(CONNECT, integrationKey="kinto", **given)

        assert (code, message, field) == ("UPSTREAM_REJECTED", "Kinto says that there is no such thing (404).", None)


class TestBrowsing:
    async def test_databases_hold_tables_and_views(self, acme, connection):
        for first in (1, 2, 1000):
            databases, cut = await everything(acme, PLACES, id=connection, path="/", first=first)
            assert [database["name"] for database in databases] == ["crm", "support", ODD_NAME]
            assert cut == sizes(3, first)
        tables, cut = await everything(acme, PLACES, id=connection, path=databases[2]["path"], first=2)
        assert [table["name"] for table in tables] == ODD_TABLES + ODD_VIEWS
        assert cut == sizes(len(ODD_TABLES + ODD_VIEWS), 2)

    async def test_a_name_that_needs_encoding_leads_back_to_its_place(self, acme, connection):
        path = path_of(ODD_TABLE)
        tables, _ = await everything(acme, PLACES, id=connection, path=f"/data/database?database={quote(ODD_NAME, safe='')}", first=100)
        place = await acme.execute(PLACE, id=connection, path=path)
        records, _ = await everything(acme, RECORDS, id=connection, path=path, first=1)

        assert tables[0] == {
            "__typename": "DataCollection",
            "path": path,
            "key": "rows",
            "parameters": {"database": ODD_NAME, "table": ODD_TABLE},
            "name": ODD_TABLE,
        }
        assert place["connection"]["location"] == tables[0]
        assert [(record["externalId"], record["fields"]) for record in records] == [
            ("größe/1", {"naïve column": "größe/1", "select": 7}),
        ]

    async def test_what_does_not_exist_is_null_or_fails_alone(self, acme, connection):
        document = """query ($id: ID!, $gone: JSON, $here: JSON) { connection(by: { id: $id }) {
          database: location(path: "/data/database?database=nowhere") { name }
          gone: collection(key: "rows", parameters: $gone) { records { nodes { id } } spec { key } }
          here: collection(key: "rows", parameters: $here) { records { nodes { externalId } } } } }"""
        gone, here = {"database": "crm", "table": "nothing"}, {"database": "support", "table": "tickets"}

        answer = await acme.ask(document, id=connection, gone=gone, here=here)

        assert answer.data["connection"] == {
            "database": None,
            "gone": {"records": None, "spec": None},
            "here": {"records": {"nodes": [{"externalId": f"T-{number}"} for number in range(5)]}},
        }
        assert sorted((error["extensions"]["code"], error["message"], *error["path"]) for error in answer.errors) == [
            ("UPSTREAM_REJECTED", NO_TABLE, "connection", "gone", "records"),
            ("UPSTREAM_REJECTED", NO_TABLE, "connection", "gone", "spec"),
        ]

    async def test_a_database_that_the_token_may_not_see_is_refused_and_the_connection_stays(
        self, gateway, acme, datasette, restricted_token
    ):
        restricted = await connect(gateway, "datasette", **inputs(datasette.server, restricted_token))
        seen, _ = await everything(acme, PLACES, id=restricted, path="/", first=10)
        database = await acme.ask(PLACES, id=restricted, path="/data/database?database=support", first=10)
        table = await acme.ask(RECORDS, id=restricted, path=path_of("tickets", "support"), first=10)
        log, _ = await everything(acme, RECORDS, id=restricted, path=path_of("log"), first=1000)

        refused = "Datasette refused the request (403): You do not have permission to view this"
        assert [place["name"] for place in seen] == ["crm"]
        assert database.error == ("UPSTREAM_REJECTED", f"{refused} database.", ["connection", "location"])
        assert table.error == ("UPSTREAM_REJECTED", f"{refused} table.", ["connection", "location", "page"])
        assert len(log) == LINES
        assert await state_of(acme, restricted) == READY


class TestReading:
    @pytest.mark.parametrize("first", [7, 100, 230, 1000])
    async def test_each_record_comes_exactly_once_whatever_the_size_of_the_page(self, acme, connection, first):
        found, cut = await everything(acme, RECORDS, id=connection, path=path_of("contacts", "crm"), first=first)

        assert [record["externalId"] for record in found] == [str(number) for number in range(1, CONTACTS + 1)]
        assert len({record["id"] for record in found}) == CONTACTS
        assert cut == sizes(CONTACTS, first)

    async def test_records_come_one_by_one_too(self, acme, connection):
        found, cut = await everything(acme, RECORDS, id=connection, path=path_of("many"), first=1)

        assert [record["externalId"] for record in found] == [f"ä/{number:02d}" for number in range(STEPS)]
        assert cut == [1] * STEPS

    @pytest.mark.parametrize("first", [50, 230])
    async def test_a_table_without_a_key_is_known_by_its_rowid(self, acme, connection, first):
        found, cut = await everything(acme, RECORDS, id=connection, path=path_of("log"), first=first)

        assert [(record["externalId"], record["fields"]) for record in found] == [
            (str(number), {"rowid": number, "message": f"line {number}"}) for number in range(1, LINES + 1)
        ]
        assert cut == sizes(LINES, first)

    @pytest.mark.parametrize("first", [50, 1000])
    async def test_a_view_is_known_by_its_id(self, acme, connection, first):
        found, cut = await everything(acme, RECORDS, id=connection, path=path_of("late lines", key="view_rows"), first=first)

        assert [(record["externalId"], record["fields"]) for record in found] == [
            (str(number), {"id": number, "message": f"line {number}"}) for number in range(111, LINES + 1)
        ]
        assert cut == sizes(LINES - 110, first)

    async def test_a_view_without_an_id_cannot_be_read(self, acme, connection):
        answer = await acme.ask(RECORDS, id=connection, path=path_of("lines without keys", key="view_rows"), first=10)

        assert answer.data == {"connection": {"location": {"page": None}}}
        code, message, path = answer.error
        assert (code, path) == ("UPSTREAM_RESPONSE", ["connection", "location", "page"])
        assert message.startswith("Record 1 of the page has no id: ")
        assert message.endswith(" gives an empty text.")

    async def test_a_compound_key_has_its_parts_joined_by_commas_and_encoded(self, acme, connection):
        found, _ = await everything(acme, RECORDS, id=connection, path=path_of("keyed"), first=1)

        expected = [(",".join(quote(part, safe="") for part in key), {"a": key[0], "b": key[1], "note": "note"}) for key in sorted(KEYED)]
        assert [(record["externalId"], record["fields"]) for record in found] == expected
        assert [record["externalId"] for record in found] == [",%20", "a,b", "a~b,c.d", "x%2Cy,z%2F%C3%BC"]

    async def test_integers_are_exact_and_text_arrives_as_it_is(self, acme, connection):
        numbers, _ = await everything(acme, RECORDS, id=connection, path=path_of("numbers"), first=100)
        texts, _ = await everything(acme, RECORDS, id=connection, path=path_of("texts"), first=3)

        assert [record["fields"]["value"] for record in numbers] == SQLITE_NUMBERS
        assert [record["fields"]["value"] for record in texts] == TEXTS


class TestDataSources:
    @pytest.fixture
    async def instance(self, gateway, acme, connection) -> str:
        """Of a universal data source, which points at nothing here by itself."""
        await gateway.admin.mutate(DATA_SOURCE, key="people", name="People", udm="contacts")
        payload = await acme.mutate(CREATE_INSTANCE, connection={"id": connection}, dataSource={"key": "people"})
        assert payload["dataSourceInstance"].items() >= {"path": None, **READY}.items()
        return payload["dataSourceInstance"]["id"]

    async def test_an_instance_that_points_at_nothing_has_no_records(self, acme, instance):
        document = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { state collection { path } fieldsSchema
          records { nodes { id } } } }"""

        answer = await acme.ask(document, id=instance)

        assert answer.data["dataSourceInstance"] == {"state": "READY", "collection": None, "fieldsSchema": None, "records": None}
        message = "Data source 'People' points at no collection here. Point the data source or this instance at one."
        assert answer.error == ("NO_COLLECTION_SELECTED", message, ["dataSourceInstance", "records"])

    async def test_a_pointer_chosen_from_the_instances_places_reads_its_records(self, acme, instance):
        places = """query ($id: ID!, $path: String!) { dataSourceInstance(by: { id: $id }) {
          locations(path: $path) { nodes { path key parameters name } } } }"""
        records = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { path collectionParameters
          collection { name } records(first: 2) { nodes { externalId collection { path } } } } }"""
        path = f"/data/database?database={quote(ODD_NAME, safe='')}"
        found = (await acme.execute(places, id=instance, path=path))["dataSourceInstance"]["locations"]["nodes"]

        for place in (found[0], next(place for place in found if place["name"] == "log")):
            for pointer in ({"path": place["path"]}, {"collection": {"key": place["key"], "parameters": place["parameters"]}}):
                pointed = await acme.mutate(POINT, by={"id": instance}, pointer=pointer)
                assert pointed["dataSourceInstance"].items() >= READY.items()
                shown = (await acme.execute(records, id=instance))["dataSourceInstance"]
                assert (shown["path"], shown["collectionParameters"]) == (place["path"], place["parameters"])
                assert shown["collection"] == {"name": place["name"]}
                assert {record["collection"]["path"] for record in shown["records"]["nodes"]} == {place["path"]}

    async def test_fields_are_the_columns_that_the_table_has_now(self, acme, instance, odd_database: Path):
        await acme.mutate(POINT, by={"id": instance}, pointer={"path": path_of("changing")})
        before = (await acme.execute(FIELDS, id=instance))["dataSourceInstance"]["fieldsSchema"]
        with opened(odd_database) as database:
            database.execute("alter table changing add column second real")
        payload = await acme.mutate(SET_UP, by={"id": instance})
        after = (await acme.execute(FIELDS, id=instance))["dataSourceInstance"]["fieldsSchema"]

        columns = {
            "id": {"title": "id", "type": ["integer", "null"], "x-create-only": True},
            "first": {"title": "first", "type": ["string", "null"]},
        }
        schema = {"type": "object", "additionalProperties": False, "required": [], "x-primary-key": ["id"]}
        assert before == {**schema, "properties": columns}
        assert payload["dataSourceInstance"].items() >= READY.items()
        added = {"second": {"title": "second", "type": ["number", "null"]}}
        assert after == {**schema, "properties": {**columns, **added}}

    async def test_a_table_that_is_gone_fails_the_setup(self, acme, instance):
        payload = await acme.mutate(POINT, by={"id": instance}, pointer={"path": path_of("dropped")})

        assert (
            payload["dataSourceInstance"].items()
            >= {
                "path": path_of("dropped"),
                "state": "SETUP_FAILED",
                "errors": [{"code": "UPSTREAM_REJECTED", "message": NO_TABLE}],
            }.items()
        )

    async def test_a_spec_of_a_table_without_a_key_names_its_rowid(self, acme, connection):
        found = await acme.execute(SPEC, id=connection, path=path_of("log"))

        spec = found["connection"]["location"]["spec"]
        assert spec["fieldsSchema"]["properties"] == {
            "rowid": {"type": "integer", "title": "rowid", "x-create-only": True},
            "message": {"title": "message", "type": ["string", "null"]},
        }
