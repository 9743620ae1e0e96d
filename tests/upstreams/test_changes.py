"""What real apps tell of changes, as their connectors read it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.resources import files
from ipaddress import ip_network

import pytest

from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.http import Http
from gateway.connectors.loading import load_connector_file
from gateway.connectors.protocol import Access
from gateway.errors import CursorExpiredError, UpstreamRejectedError
from gateway.models import Change, EventMethod, PageRequest, Pointer, Since, SyncSupport
from gateway.models.detection import event_support
from tests.support.kinto import ADMIN, Kinto
from tests.support.pocketbase import SUPERUSER, USER, PocketBase

BUCKET = "/buckets/crm/collections"
LOGS = Pointer("records", {"bucket": "crm", "collection": "logs"})


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http(allowed_networks=[ip_network("127.0.0.0/8")])
    yield http
    await http.aclose()


def connector_of(key: str, http: Http) -> DeclarativeConnector:
    return DeclarativeConnector(load_connector_file(files("gateway.connectors.catalog").joinpath(f"{key}.yaml")), http)


class Reading:
    """Reads the changes of one collection."""

    def __init__(self, connector: DeclarativeConnector, access: Access, collection: Pointer, *, size: int = 2) -> None:
        self.connector = connector
        self.access = access
        self.collection = collection
        self.size = size

    async def read(self, since=None, *, between=lambda page: None):
        """All changes in the order that they came, and the token for the next reading; something may happen after each page."""
        found, token, delta_token = [], None, None
        for number in range(500):
            request = PageRequest(size=self.size, token=token)
            page = await self.connector.changes(self.access, self.collection, since or Since(), request)
            found += page.changes
            token = page.next_token
            delta_token = page.delta_token if page.delta_token is not None else delta_token
            if token is None:
                return found, delta_token
            between(number)
        raise AssertionError("the pages did not end")


def ids(changes: list[Change]) -> list[str]:
    return [change.external_id for change in changes]


class TestKinto:
    pytestmark = pytest.mark.xdist_group("upstreams_kinto")

    @pytest.fixture
    def logs(self, kinto: Kinto):
        """An empty collection of its own, and a client that writes into it."""
        with kinto.client() as client:
            client.delete(f"{BUCKET}/logs")
            client.put(f"{BUCKET}/logs").raise_for_status()
            yield client
            client.delete(f"{BUCKET}/logs")

    @pytest.fixture
    def reading(self, kinto: Kinto, http: Http) -> Reading:
        credentials = dict(zip(("username", "password"), ADMIN, strict=True))
        access = Access(connection_id="k", parameters={"server": kinto.server}, auth_method="basic", credentials=credentials)
        return Reading(connector_of("kinto", http), access, LOGS)

    def put(self, client, *names, **fields):
        for name in names:
            client.put(f"{BUCKET}/logs/records/{name}", json={"data": fields}).raise_for_status()

    async def test_changes_and_deletions_come_since_the_last_tag(self, reading, logs):
        self.put(logs, "a", "b", "c")
        first, token = await reading.read()
        self.put(logs, "d")
        logs.patch(f"{BUCKET}/logs/records/a", json={"data": {"n": 1}}).raise_for_status()
        logs.delete(f"{BUCKET}/logs/records/b").raise_for_status()

        later, token = await reading.read(Since(delta_token=token))
        nothing, _ = await reading.read(Since(delta_token=token))

        assert ids(first) == ["a", "b", "c"]
        assert [(change.external_id, change.record and change.record.fields.get("n")) for change in later] == [
            ("d", None),
            ("a", 1),
            ("b", None),
        ]
        assert (later[0].record is not None, later[2].record) == (True, None)
        assert nothing == []

    async def test_all_that_is_deleted_at_once_is_told(self, reading, logs):
        self.put(logs, *"abcde")
        _, token = await reading.read()
        logs.delete(f"{BUCKET}/logs/records").raise_for_status()

        later, _ = await reading.read(Since(delta_token=token))

        assert (sorted(ids(later)), {change.record for change in later}) == (["a", "b", "c", "d", "e"], {None})

    async def test_what_changes_while_the_pages_are_read_is_in_this_reading_or_in_the_next(self, reading, logs):
        self.put(logs, *"abcdef")

        def change(page):
            if page == 0:
                self.put(logs, "a", n=2)
                logs.delete(f"{BUCKET}/logs/records/c").raise_for_status()

        first, token = await reading.read(between=change)
        later, _ = await reading.read(Since(delta_token=token))

        assert {"a", "b", "d", "e", "f"} <= set(ids(first))
        assert {change.external_id: change.record is None for change in later} == {"a": False, "c": True}

    async def test_a_record_that_comes_back_is_told_as_a_record(self, reading, logs):
        self.put(logs, "a")
        _, token = await reading.read()
        logs.delete(f"{BUCKET}/logs/records/a").raise_for_status()
        self.put(logs, "a", n=3)

        later, _ = await reading.read(Since(delta_token=token))

        assert [(change.external_id, change.record and change.record.fields["n"]) for change in later] == [("a", 3)]

    async def test_a_collection_that_is_away_takes_its_token_with_it(self, reading, logs):
        self.put(logs, "a")
        _, token = await reading.read()
        logs.delete(f"{BUCKET}/logs").raise_for_status()

        with pytest.raises(CursorExpiredError):
            await reading.read(Since(delta_token=token))
        with pytest.raises(UpstreamRejectedError):
            await reading.read()

    async def test_a_server_that_counts_from_before_does_not_know_the_token(self, reading, logs):
        self.put(logs, "a")
        _, token = await reading.read()

        with pytest.raises(CursorExpiredError):
            await reading.read(Since(delta_token=str(int(token) + 1)))

    @pytest.mark.parametrize("token", ["abc", "", {"a": 1}, True, "9" * 400])
    async def test_a_token_that_is_none_changes_nothing_silently(self, reading, logs, token):
        self.put(logs, "a")

        with pytest.raises((CursorExpiredError, UpstreamRejectedError)):
            await reading.read(Since(delta_token=token))

    async def test_it_is_told_how_changes_are_learned_of(self, reading):
        support = reading.connector.sync_support(LOGS)

        assert support == SyncSupport(has_delta=True, sees_deletions=True)
        assert {part.method for part in event_support(support)} == {EventMethod.DELTA}


class TestPocketBase:
    pytestmark = pytest.mark.xdist_group("upstreams_pocketbase")

    @pytest.fixture(params=["admin", "user"])
    def access(self, request, pocketbase: PocketBase) -> Access:
        """As a superuser, whom PocketBase tells the fields of a collection, and as anybody else."""
        who, users = {"admin": (SUPERUSER, "_superusers"), "user": (USER, "users")}[request.param]
        credentials = dict(zip(("identity", "password"), who, strict=True))
        return Access(
            connection_id=request.param,
            parameters={"server": pocketbase.server, "users": users},
            auth_method="password",
            credentials=credentials,
        )

    @pytest.fixture
    def reading(self, access: Access, client, http: Http) -> Reading:
        return Reading(connector_of("pocketbase", http), access, Pointer("records", {"collection": "journal"}), size=7)

    @pytest.fixture
    def client(self, pocketbase: PocketBase):
        """A client of a superuser, and a collection of its own with some records."""
        times = {"type": "autodate", "onCreate": True}
        fields = [{"name": "label", "type": "text"}, {"name": "created", **times}, {"name": "updated", **times, "onUpdate": True}]
        rules = dict.fromkeys(("listRule", "viewRule"), "@request.auth.id != ''")
        with pocketbase.client() as client:
            client.post("/collections", json={"name": "journal", "type": "base", "fields": fields, **rules}).raise_for_status()
            for number in range(30):
                client.post("/collections/journal/records", json={"label": f"Entry {number}"}).raise_for_status()
            yield client
            client.delete("/collections/journal").raise_for_status()

    def records(self, client, **parameters):
        answer = client.get("/collections/journal/records", params={"perPage": 1000, **parameters})
        return answer.raise_for_status().json()["items"]

    async def test_every_record_comes_in_the_order_of_its_change(self, reading, client):
        found, _ = await reading.read()

        expected = sorted((record["updated"], record["id"]) for record in self.records(client))
        assert ids(found) == [external_id for _, external_id in expected]
        assert [change.cursor for change in found] == sorted(change.cursor for change in found)

    async def test_a_reading_begins_with_the_records_of_its_value(self, reading):
        found, _ = await reading.read()
        middle = found[len(found) // 2].cursor

        later, _ = await reading.read(Since(start=middle))
        part, _ = await reading.read(Since(start=middle, end=middle))

        assert ids(later) == ids([change for change in found if change.cursor >= middle])
        assert ids(part) == ids([change for change in found if change.cursor == middle])

    async def test_a_record_that_changes_meanwhile_hides_no_other(self, reading, client):
        everything = {record["id"] for record in self.records(client)}
        first = (await reading.read())[0][0].external_id

        def change(page):
            if page == 0:
                client.patch(f"/collections/journal/records/{first}", json={"label": "Moved"}).raise_for_status()

        found, _ = await reading.read(between=change)

        assert set(ids(found)) == everything
        assert ids(found)[-1] == first

    async def test_a_change_is_told_since_the_time_before_it(self, reading, client):
        found, _ = await reading.read()
        chosen = found[3].external_id
        await asyncio.sleep(0.01)
        client.patch(f"/collections/journal/records/{chosen}", json={"label": "Chosen"}).raise_for_status()

        later, _ = await reading.read(Since(start=found[-1].cursor + timedelta(milliseconds=1)))

        assert [(change.external_id, change.record.fields["label"]) for change in later] == [(chosen, "Chosen")]

    @pytest.mark.parametrize("has_records", [True, False])
    async def test_a_collection_without_a_time_of_change_is_read_whole(self, reading, client, has_records):
        rules = dict.fromkeys(("listRule", "viewRule"), "")
        fields = [{"name": "label", "type": "text"}]
        client.delete("/collections/untimed")
        client.post("/collections", json={"name": "untimed", "type": "base", "fields": fields, **rules}).raise_for_status()
        for number in range(5 if has_records else 0):
            client.post("/collections/untimed/records", json={"label": f"{number}"}).raise_for_status()
        untimed = Reading(reading.connector, reading.access, Pointer("records", {"collection": "untimed"}))

        found, _ = await untimed.read()
        later, _ = await untimed.read(Since(start=found[-1].cursor if found and found[-1].cursor else None))
        client.delete("/collections/untimed").raise_for_status()

        assert (len(set(ids(found))), ids(later)) == (5 if has_records else 0, ids(found))
        assert {change.cursor for change in found} <= {None}

    @pytest.mark.parametrize(
        "token", ["abc", 3, {"position": "x"}, {"type": "cursor", "size": 20, "position": 'a"|b', "pages": 1, "prints": [1, 2]}]
    )
    async def test_a_page_token_of_another_kind_is_no_longer_known(self, reading, token):
        with pytest.raises(CursorExpiredError):
            await reading.connector.changes(reading.access, reading.collection, Since(), PageRequest(size=2, token=token))

    def test_it_is_told_how_changes_are_learned_of(self, reading):
        methods = [part.method for part in event_support(reading.connector.sync_support(reading.collection))]

        assert methods == [EventMethod.PULL, EventMethod.PULL, EventMethod.FULL_SCAN]


def test_datasette_does_not_know_when_a_row_changed():
    file = load_connector_file(files("gateway.connectors.catalog").joinpath("datasette.yaml"))

    assert [collection.sync for collection in file.collections.values()] == [None, None]
