"""The connector files that come along, against the real apps."""

import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from gateway.connectors.catalog import Catalog
from gateway.connectors.http import Http
from gateway.connectors.protocol import Access, Connector
from gateway.errors import UpstreamAuthError, UpstreamRejectedError, UpstreamResponseError
from gateway.models import Page, PageRequest, Pointer
from tests.support import datasette, kinto

pytestmark = pytest.mark.xdist_group("bundled_connectors")

Read = Callable[[Access, Pointer, PageRequest], Awaitable[Page]]


@pytest.fixture(scope="module")
def running_kinto(tmp_path_factory) -> Iterator[kinto.Kinto]:
    with kinto.running_kinto(tmp_path_factory.mktemp("kinto")) as app:
        yield app


@pytest.fixture(scope="module")
def running_datasette(tmp_path_factory) -> Iterator[datasette.Datasette]:
    with datasette.running_datasette(tmp_path_factory.mktemp("datasette")) as app:
        yield app


@pytest.fixture
async def catalog() -> AsyncIterator[Catalog]:
    http = Http(allowed_networks=[ipaddress.ip_network("127.0.0.0/8")])
    yield Catalog.load(http)
    await http.aclose()


@pytest.fixture
def of_kinto(catalog) -> Connector:
    return catalog["kinto"]


@pytest.fixture
def of_datasette(catalog) -> Connector:
    return catalog["datasette"]


def kinto_access(server: str, user: tuple[str, str]) -> Access:
    name, password = user
    return Access(
        connection_id=name, parameters={"server": server}, auth_method="basic", credentials={"username": name, "password": password}
    )


def datasette_access(app: datasette.Datasette, *, token: str | None = None) -> Access:
    return Access(
        connection_id="d", parameters={"server": app.server}, auth_method="bearer", credentials={"token": token if token else app.token}
    )


async def everything(read: Read, access: Access, pointer: Pointer, *, size: int = 100) -> tuple[list, int]:
    """All items of a list, and how many pages they came in."""
    items: list = []
    token, pages = None, 0
    while pages == 0 or token is not None:
        page = await read(access, pointer, PageRequest(size=size, token=token))
        items += page.items
        token, pages = page.next_token, pages + 1
    return items, pages


def contacts() -> Pointer:
    return Pointer("records", {"bucket": "crm", "collection": "contacts"})


def rows(table: str, database: str = "crm") -> Pointer:
    return Pointer("rows", {"database": database, "table": table})


class TestKinto:
    @pytest.fixture
    def admin(self, running_kinto) -> Access:
        return kinto_access(running_kinto.server, kinto.ADMIN)

    @pytest.fixture
    def reader(self, running_kinto) -> Access:
        return kinto_access(running_kinto.server, kinto.READER)

    async def test_right_credentials_pass_the_check_and_wrong_ones_do_not(self, of_kinto, admin, reader, running_kinto):
        await of_kinto.check(admin)
        await of_kinto.check(reader)

        with pytest.raises(UpstreamAuthError):
            await of_kinto.check(kinto_access(running_kinto.server, ("admin", "wrong")))
        bearer = Access(
            connection_id="b", parameters={"server": running_kinto.server}, auth_method="bearer", credentials={"token": "nobody's"}
        )
        with pytest.raises(UpstreamAuthError):
            await of_kinto.check(bearer)

    async def test_a_server_address_may_end_in_a_slash(self, of_kinto, running_kinto):
        await of_kinto.check(kinto_access(f"{running_kinto.server}/", kinto.ADMIN))

    async def test_buckets_are_directories_and_hold_their_collections(self, of_kinto, admin, reader):
        buckets, pages = await everything(of_kinto.locations, admin, Pointer(""), size=1)
        collections, _ = await everything(of_kinto.locations, admin, Pointer("bucket", {"bucket": "crm"}))
        seen_by_reader, _ = await everything(of_kinto.locations, reader, Pointer(""))

        assert [(bucket.pointer.path, bucket.name) for bucket in buckets] == [
            ("/data/bucket?bucket=crm", "crm"),
            ("/data/bucket?bucket=support", "support"),
        ]
        assert pages == 2
        assert [(collection.pointer.path, collection.name) for collection in collections] == [
            ("/data/records?bucket=crm&collection=companies", "companies"),
            ("/data/records?bucket=crm&collection=contacts", "contacts"),
        ]
        assert [bucket.name for bucket in seen_by_reader] == ["crm"]

    async def test_a_location_that_is_named_has_its_name_and_a_missing_one_is_null(self, of_kinto, admin):
        bucket = await of_kinto.location(admin, Pointer("bucket", {"bucket": "crm"}))
        collection = await of_kinto.location(admin, contacts())

        assert bucket is not None
        assert bucket.name == "crm"
        assert collection is not None
        assert collection.name == "contacts"
        assert await of_kinto.location(admin, Pointer("bucket", {"bucket": "nowhere"})) is None

    async def test_a_forbidden_bucket_is_a_refusal_and_not_a_lost_connection(self, of_kinto, reader):
        with pytest.raises(UpstreamRejectedError) as caught:
            await everything(of_kinto.locations, reader, Pointer("bucket", {"bucket": "support"}))

        assert caught.value.status == 403
        assert "This user cannot access this resource." in caught.value.message

    async def test_all_records_come_once_over_several_pages(self, of_kinto, admin):
        records, pages = await everything(of_kinto.records, admin, contacts(), size=100)

        assert [record.external_id for record in records] == [f"c-{n:04d}" for n in range(kinto.CONTACTS)]
        assert pages == 3
        assert records[7].name == "Contact 7"
        assert {name: records[7].fields[name] for name in kinto.contact(7)} == kinto.contact(7)
        assert records[7].version == str(records[7].fields["last_modified"])
        assert records[7].updated_at is not None
        assert int(records[7].updated_at.timestamp() * 1000) == records[7].fields["last_modified"]

    async def test_more_records_than_a_page_of_the_server_holds_are_read_on(self, of_kinto, admin):
        records, pages = await everything(of_kinto.records, admin, contacts(), size=1000)

        assert (len(records), pages) == (kinto.CONTACTS, 3)

    async def test_the_collections_own_schema_joins_what_kinto_adds(self, of_kinto, admin):
        described = await of_kinto.describe(admin, contacts())
        bare = await of_kinto.describe(admin, Pointer("records", {"bucket": "crm", "collection": "companies"}))

        assert list(described.fields_schema["properties"]) == ["id", "last_modified", *kinto.CONTACT_SCHEMA["properties"]]
        assert described.fields_schema["required"] == ["email"]
        assert list(bare.fields_schema["properties"]) == ["id", "last_modified"]


class TestDatasette:
    @pytest.fixture
    def admin(self, running_datasette) -> Access:
        return datasette_access(running_datasette)

    async def test_a_right_token_passes_the_check_and_others_do_not(self, of_datasette, admin, running_datasette):
        await of_datasette.check(admin)

        with pytest.raises(UpstreamAuthError, match="Invalid token signature"):
            await of_datasette.check(datasette_access(running_datasette, token="dstok_wrong"))
        with pytest.raises(UpstreamAuthError, match="This instance is not open to the caller"):
            await of_datasette.check(datasette_access(running_datasette, token="wrong"))
        public = Access(connection_id="p", parameters={"server": running_datasette.server}, auth_method="none", credentials={})
        with pytest.raises(UpstreamAuthError, match="This instance is not open to the caller"):
            await of_datasette.check(public)

    async def test_databases_are_directories_and_hold_tables_and_views(self, of_datasette, admin):
        databases, _ = await everything(of_datasette.locations, admin, Pointer(""))
        tables, _ = await everything(of_datasette.locations, admin, Pointer("database", {"database": "crm"}))

        assert [database.pointer.path for database in databases] == ["/data/database?database=crm", "/data/database?database=support"]
        assert [table.name for table in tables if table.pointer.key == "rows"] == [
            "companies",
            "contacts",
            "event_log",
            "line_items",
            "lines",
            "notes",
            "odd name & more",
            "places",
        ]
        assert [table.name for table in tables if table.pointer.key == "view_rows"] == ["vip_contacts"]
        assert tables[6].pointer.path == "/data/rows?database=crm&table=odd%20name%20%26%20more"

    async def test_a_database_that_is_named_has_its_name_and_a_missing_one_is_null(self, of_datasette, admin):
        named = await of_datasette.location(admin, Pointer("database", {"database": "support"}))

        assert named is not None
        assert named.name == "support"
        assert await of_datasette.location(admin, Pointer("database", {"database": "nowhere"})) is None

    @pytest.mark.parametrize(
        ("table", "ids", "pages"),
        [
            ("contacts", [str(n) for n in range(1, datasette.CONTACTS + 1)], 3),
            ("line_items", [f"{n // 3},{n % 3}" for n in range(9)], 1),
            ("event_log", [str(n) for n in range(1, 121)], 2),
            ("odd name & more", ["a/b?c"], 1),
            ("vip_contacts", [str(n) for n in range(10, datasette.CONTACTS + 1, 10)], 1),
        ],
    )
    async def test_rows_are_known_by_their_key_whatever_it_is(self, of_datasette, admin, table, ids, pages):
        records, read = await everything(of_datasette.records, admin, rows(table))

        assert [record.external_id for record in records] == ids
        assert read == pages

    async def test_a_row_has_its_columns_and_nothing_more(self, of_datasette, admin):
        records, _ = await everything(of_datasette.records, admin, rows("contacts"))

        assert records[9].fields == {
            "id": 10,
            "name": "Contact 10",
            "email": "contact10@example.com",
            "vip": 1,
            "company_id": 2,
            "score": 5.0,
        }
        assert records[9].name == "Contact 10"

    async def test_the_fields_are_the_columns_with_their_types(self, of_datasette, admin):
        contacts_spec = await of_datasette.describe(admin, rows("contacts"))
        log_spec = await of_datasette.describe(admin, rows("event_log"))

        types = {name: part["type"] for name, part in contacts_spec.fields_schema["properties"].items()}
        assert types == {
            "id": ["integer", "null"],
            "name": ["string", "null"],
            "email": ["string", "null"],
            "vip": ["integer", "null"],
            "company_id": ["integer", "null"],
            "score": ["number", "null"],
        }
        assert list(log_spec.fields_schema["properties"]) == ["rowid", "kind", "at"]

    async def test_a_missing_table_is_told_in_the_apps_words(self, of_datasette, admin):
        with pytest.raises(UpstreamRejectedError, match="Table not found") as caught:
            await everything(of_datasette.records, admin, rows("nothing"))

        assert caught.value.status == 404

    async def test_a_table_name_cannot_lead_elsewhere(self, of_datasette, admin):
        for name in ("../support/tickets", "contacts.json?_size=1#", "%2e%2e", "~2E~2E"):
            with pytest.raises((UpstreamRejectedError, UpstreamResponseError)):
                await everything(of_datasette.records, admin, rows(name))
