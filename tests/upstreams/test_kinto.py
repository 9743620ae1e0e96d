"""A real Kinto through the whole gateway: buckets are directories, collections hold records."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.testing import Answer, ScriptedApp
from tests.support.kinto import ADMIN, CONTACTS, Kinto, contact
from tests.upstreams.content import NUMBERS, SHELVES, STEPS, TEXTS
from tests.upstreams.operations import (
    CONNECT,
    INTEGRATION,
    PLACE,
    PLACES,
    RECONNECT,
    RECORDS,
    SPEC,
    connect,
    everything,
    kinto_inputs,
    sizes,
    state_of,
)
from tests.upstreams.relays import relayed

pytestmark = pytest.mark.xdist_group("upstreams_kinto")

CONTACTS_PATH = "/data/records?bucket=crm&collection=contacts"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
READY = {"state": "READY", "errors": []}
NOT_FOUND = "Kinto says that there is no such thing (404): Not Found."
FORBIDDEN = "Kinto refused the request (403): This user cannot access this resource."
COUNT = "{ connections { totalCount } }"


class TestConnecting:
    @pytest.fixture(autouse=True)
    async def integration(self, gateway):
        await gateway.admin.mutate(INTEGRATION, key="kinto", connectorKey="kinto")

    async def test_with_an_account(self, acme, kinto):
        payload = await acme.mutate(CONNECT, integrationKey="kinto", **kinto_inputs(kinto.server, ADMIN))

        assert payload["connection"].pop("id")
        assert payload["connection"] == {
            "name": "Kinto",
            "state": "READY",
            "authMethod": "basic",
            "parameters": {"server": kinto.server},
        }

    @pytest.mark.parametrize(
        ("method", "credentials"),
        [
            ("basic", {"username": "admin", "password": "not it"}),
            ("basic", {"username": "nobody", "password": ADMIN[1]}),
            ("bearer", {"token": "nobody's"}),
        ],
    )
    async def test_with_wrong_credentials_is_refused_and_saves_nothing(self, acme, kinto, method, credentials):
        given = {"parameters": {"server": kinto.server}, "authMethod": method, "credentials": credentials}

        assert await acme.refusal(CONNECT, integrationKey="kinto", **given) == (
            "UPSTREAM_AUTH",
            "Kinto does not accept the credentials. Connect again with valid ones.",
            None,
        )
        assert await acme.execute(COUNT) == {"connections": {"totalCount": 0}}

    async def test_to_a_server_that_does_not_run_fails_and_saves_nothing(self, acme):
        async with ScriptedApp() as gone:
            server = gone.url

        answer = await acme.ask(CONNECT, input={"integrationKey": "kinto", **kinto_inputs(server, ADMIN)})

        assert answer.data == {"connectionCreate": None}
        message = "The app could not be reached: its server does not accept a connection."
        assert answer.error == ("UPSTREAM_UNAVAILABLE", message, ["connectionCreate"])
        assert await acme.execute(COUNT) == {"connections": {"totalCount": 0}}

    async def test_to_what_answers_pages_is_told(self, acme, app):
        app.answer(headers={"Content-Type": "text/html"}, body="<html><body>Welcome</body></html>")

        answer = await acme.ask(CONNECT, input={"integrationKey": "kinto", **kinto_inputs(app.url, ADMIN)})

        message = "Kinto answered text/html where JSON was expected. Check the address of the app in the connection."
        assert answer.error == ("UPSTREAM_RESPONSE", message, ["connectionCreate"])

    @pytest.mark.parametrize(
        ("found", "code", "message"),
        [
            (
                Answer(json={"hello": "world"}),
                "UPSTREAM_AUTH",
                "Kinto does not accept the credentials. Connect again with valid ones.",
            ),
            (Answer(json=[1, 2]), "UPSTREAM_AUTH", "Kinto does not accept the credentials. Connect again with valid ones."),
            (Answer(status=404, body="no such page"), "UPSTREAM_REJECTED", "Kinto says that there is no such thing (404)."),
            (
                Answer(status=403, json={"message": "go away"}),
                "UPSTREAM_REJECTED",
                "Kinto refused the request (403): go away.",
            ),
        ],
    )
    async def test_to_another_app_is_refused(self, acme, app, found, code, message):
        app.answer(found)

        assert await acme.refusal(CONNECT, integrationKey="kinto", **kinto_inputs(app.url, ADMIN)) == (code, message, None)
        assert [request.target for request in app.requests] == ["/v1/"]
        assert await acme.execute(COUNT) == {"connections": {"totalCount": 0}}

    @pytest.mark.parametrize("server", ["ftp://kinto.test", "kinto.test", "http://[::1", 7])
    async def test_to_what_is_no_address_is_invalid(self, acme, server):
        code, message, field = await acme.refusal(CONNECT, integrationKey="kinto", **kinto_inputs(server, ADMIN))

        assert (code, field) == ("INVALID", ["input", "parameters"])
        assert message.startswith("The parameters are not valid: server: ")


class TestBrowsing:
    async def test_the_root_holds_the_buckets_that_the_account_may_see(self, acme, as_admin, as_reader):
        for first in (1, 2, 1000):
            found, cut = await everything(acme, PLACES, id=as_admin, path="/", first=first)
            assert [place["path"] for place in found] == [f"/data/bucket?bucket={b}" for b in ("crm", "library", "odd", "open", "support")]
            assert cut == sizes(5, first)
        seen, _ = await everything(acme, PLACES, id=as_reader, path="/", first=10)
        assert [place["name"] for place in seen] == ["crm", "open"]

    @pytest.mark.parametrize("first", [7, 100, 150, 1000])
    async def test_a_bucket_of_many_collections_is_read_in_pages_of_any_size(self, acme, as_admin, first):
        found, cut = await everything(acme, PLACES, id=as_admin, path="/data/bucket?bucket=library", first=first)

        assert [place["name"] for place in found] == [f"shelf-{number:03d}" for number in range(SHELVES)]
        assert cut == sizes(SHELVES, first)
        assert found[9] == {
            "__typename": "DataCollection",
            "path": "/data/records?bucket=library&collection=shelf-009",
            "key": "records",
            "parameters": {"bucket": "library", "collection": "shelf-009"},
            "name": "shelf-009",
        }

    async def test_a_path_is_read_however_it_is_encoded(self, acme, as_admin):
        for path in ("/data/bucket?bucket=crm", "data/bucket?bucket=crm", "/data/bucket?bucket=%63%72m"):
            found = await acme.execute(PLACE, id=as_admin, path=path)
            assert found["connection"]["location"] == {
                "__typename": "Directory",
                "path": "/data/bucket?bucket=crm",
                "key": "bucket",
                "parameters": {"bucket": "crm"},
                "name": "crm",
            }

    async def test_a_bucket_that_does_not_exist_is_null(self, acme, as_admin):
        assert await acme.execute(PLACE, id=as_admin, path="/data/bucket?bucket=nowhere") == {"connection": {"location": None}}

    async def test_a_bucket_that_the_account_may_not_read_is_refused_and_the_connection_stays(self, acme, as_reader):
        path = "/data/bucket?bucket=support"
        place = await acme.ask(PLACE, id=as_reader, path=path)
        tickets = await acme.ask(RECORDS, id=as_reader, path="/data/records?bucket=support&collection=tickets", first=10)

        assert place.data == {"connection": {"location": None}}
        assert place.error == ("UPSTREAM_REJECTED", FORBIDDEN, ["connection", "location"])
        assert tickets.data == {"connection": {"location": {"page": None}}}
        assert tickets.error == ("UPSTREAM_REJECTED", FORBIDDEN, ["connection", "location", "page"])
        assert await state_of(acme, as_reader) == READY

    @pytest.mark.parametrize("bucket", ["..", ".", "%2e%2e"])
    async def test_a_name_cannot_lead_elsewhere(self, acme, as_admin, bucket):
        answer = await acme.ask(PLACE, id=as_admin, path=f"/data/bucket?bucket={bucket}")

        assert answer.data == {"connection": {"location": None}}
        code, message, path = answer.error
        assert (code, path) == ("UPSTREAM_REJECTED", ["connection", "location"])
        assert message.endswith("which cannot be a part of a path.")

    async def test_a_directory_has_no_records_and_a_collection_no_places(self, acme, as_admin):
        document = """query ($id: ID!) { connection(by: { id: $id }) {
          directory: collection(key: "bucket", parameters: { bucket: "crm" }) { name } } }"""

        assert (await acme.ask(document, id=as_admin)).error == (
            "INVALID",
            "Path '/data/bucket?bucket=crm' is a directory. Point the data source at a collection, such as "
            "'/data/records?bucket=...&collection=...'.",
            ["connection", "directory"],
        )


class TestReading:
    @pytest.mark.parametrize("first", [7, 100, 230, 1000])
    async def test_each_record_comes_exactly_once_whatever_the_size_of_the_page(self, acme, as_admin, first):
        found, cut = await everything(acme, RECORDS, id=as_admin, path=CONTACTS_PATH, first=first)

        assert [record["externalId"] for record in found] == [f"c-{number:04d}" for number in range(CONTACTS)]
        assert len({record["id"] for record in found}) == CONTACTS
        assert cut == sizes(CONTACTS, first)

    async def test_records_come_one_by_one_too(self, acme, as_admin):
        found, cut = await everything(acme, RECORDS, id=as_admin, path="/data/records?bucket=odd&collection=steps", first=1)

        assert [record["externalId"] for record in found] == [f"s{number:02d}" for number in range(STEPS)]
        assert cut == [1] * STEPS

    async def test_pages_of_different_sizes_follow_each_other(self, acme, as_admin):
        found: list[str] = []
        after = None
        for first in (3, 1, 150, 40, 1000):
            page = await acme.execute(RECORDS, id=as_admin, path=CONTACTS_PATH, first=first, after=after)
            page = page["connection"]["location"]["page"]
            found += [record["externalId"] for record in page["nodes"]]
            after = page["pageInfo"]["endCursor"]

        assert page["pageInfo"]["hasNextPage"] is False
        assert found == [f"c-{number:04d}" for number in range(CONTACTS)]

    async def test_a_record_is_as_kinto_has_it(self, acme, as_admin):
        page = await acme.execute(RECORDS, id=as_admin, path=CONTACTS_PATH, first=8)

        record = page["connection"]["location"]["page"]["nodes"][7]
        assert (record["externalId"], record["name"]) == ("c-0007", "Contact 7")
        assert record["version"] == str(record["fields"]["last_modified"])
        # Kinto adds what it keeps itself: the id, and when the record and the collection's schema were written.
        assert set(record["fields"]) == {*contact(7), "id", "last_modified", "schema"}
        assert contact(7).items() <= record["fields"].items()
        assert datetime.fromisoformat(record["updatedAt"]) == EPOCH + timedelta(milliseconds=record["fields"]["last_modified"])

    async def test_integers_of_any_size_are_exact(self, acme, as_admin):
        answer = await acme.ask(RECORDS, id=as_admin, path="/data/records?bucket=odd&collection=numbers", first=100)

        records = answer.data["connection"]["location"]["page"]["nodes"]
        assert [record["fields"]["value"] for record in records] == NUMBERS
        assert f'"value":{2**64 - 1}' in answer.text

    async def test_text_of_every_script_arrives_as_it_is(self, acme, as_admin):
        page = await acme.execute(RECORDS, id=as_admin, path="/data/records?bucket=odd&collection=texts", first=100)

        records = page["connection"]["location"]["page"]["nodes"]
        assert [record["fields"]["title"] for record in records] == TEXTS
        assert [record["name"] for record in records] == TEXTS

    async def test_an_empty_collection_has_an_empty_page(self, acme, as_admin):
        page = await acme.execute(RECORDS, id=as_admin, path="/data/records?bucket=odd&collection=empty", first=1)

        assert page["connection"]["location"]["page"] == {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}

    async def test_a_collection_that_does_not_exist_fails_alone(self, acme, as_admin):
        document = """query ($id: ID!) { connection(by: { id: $id }) { name
          gone: collection(key: "records", parameters: { bucket: "crm", collection: "nothing" }) {
            path records { nodes { id } } spec { key } }
          here: collection(key: "records", parameters: { bucket: "crm", collection: "companies" }) {
            path records { nodes { externalId fields } } } } }"""

        answer = await acme.ask(document, id=as_admin)

        gone, here = answer.data["connection"]["gone"], answer.data["connection"]["here"]
        assert gone == {"path": "/data/records?bucket=crm&collection=nothing", "records": None, "spec": None}
        assert [(node["externalId"], node["fields"]["title"]) for node in here["records"]["nodes"]] == [
            (f"co-{number:04d}", f"Company {number}") for number in range(3)
        ]
        assert sorted((error["extensions"]["code"], error["message"], *error["path"]) for error in answer.errors) == [
            ("UPSTREAM_REJECTED", NOT_FOUND, "connection", "gone", "records"),
            ("UPSTREAM_REJECTED", NOT_FOUND, "connection", "gone", "spec"),
        ]
        assert await state_of(acme, as_admin) == READY

    async def test_a_cursor_belongs_to_its_list(self, acme, as_admin):
        page = await acme.execute(RECORDS, id=as_admin, path=CONTACTS_PATH, first=1)
        after = page["connection"]["location"]["page"]["pageInfo"]["endCursor"]

        answer = await acme.ask(RECORDS, id=as_admin, path="/data/records?bucket=crm&collection=companies", first=1, after=after)

        message = "The cursor is damaged or belongs to another list. Start again without `after`."
        assert answer.error == ("INVALID", message, ["connection", "location", "page"])

    async def test_a_spec_says_what_the_collection_can_do(self, acme, as_admin):
        found = await acme.execute(SPEC, id=as_admin, path=CONTACTS_PATH)

        spec = found["connection"]["location"]["spec"]
        assert (spec["key"], spec["operations"]) == ("records", ["LIST", "MATCH", "FIND_BY_ID", "CREATE", "UPDATE", "DELETE"])
        assert spec["parametersSchema"]["required"] == ["bucket", "collection"]
        assert spec["fieldsSchema"]["properties"]["email"] == {"type": "string", "format": "email"}


async def test_revoked_credentials_disconnect_until_the_customer_reconnects(gateway, acme, kinto):
    """Through a relay, which sees whether Kinto is asked."""
    path = "/data/records?bucket=open&collection=notes"
    refusal = (
        "Kinto does not accept the credentials (401): Please authenticate yourself to use this endpoint. Connect again with valid ones."
    )
    set_password(kinto, "leaver", "first-password")
    async with relayed(kinto.server) as relay:
        leaver = await connect(gateway, "kinto", **kinto_inputs(relay.url, ("leaver", "first-password")))
        before, _ = await everything(acme, RECORDS, id=leaver, path=path, first=10)
        set_password(kinto, "leaver", "second-password")

        first = await acme.ask(RECORDS, id=leaver, path=path, first=10)
        asked = len(relay.requests)
        second = await acme.ask(RECORDS, id=leaver, path=path, first=10)

        assert len(before) == 5
        assert first.error == ("UPSTREAM_AUTH", refusal, ["connection", "location", "page"])
        assert second.data == {"connection": {"location": None}}
        assert second.error == ("UPSTREAM_AUTH", refusal, ["connection", "location"])
        assert await state_of(acme, leaver) == {"state": "DISCONNECTED", "errors": [{"code": "UPSTREAM_AUTH", "message": refusal}]}
        assert len(relay.requests) == asked

        by = {"id": leaver}
        assert (await acme.refusal(RECONNECT, by=by, credentials={"username": "leaver", "password": "no"}))[0] == "UPSTREAM_AUTH"
        assert (await state_of(acme, leaver))["state"] == "DISCONNECTED"
        payload = await acme.mutate(RECONNECT, by=by, credentials={"username": "leaver", "password": "second-password"})
        after, _ = await everything(acme, RECORDS, id=leaver, path=path, first=10)

        assert payload["connection"] == {"id": leaver, **{"state": "READY", "errors": []}}
        assert after == before
    assert not [text for text in gateway.heard if "first-password" in text or "second-password" in text]


def set_password(kinto: Kinto, account: str, password: str) -> None:
    with kinto.client() as client:
        client.put(f"/accounts/{account}", json={"data": {"password": password}}).raise_for_status()
