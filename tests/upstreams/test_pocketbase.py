"""A real PocketBase through the whole gateway: who signs in, what they see of it, and what they do with its records."""

from typing import Any

import pytest

from tests.support.pocketbase import CONTACTS, OTHER_USER, SUPERUSER, USER, contact
from tests.upstreams.operations import CONNECT, INTEGRATION, PLACES, SPEC, connect, everything, pocketbase_inputs, sizes, state_of
from tests.upstreams.record_calls import CREATE, Collection
from tests.upstreams.relays import relayed

pytestmark = pytest.mark.xdist_group("upstreams_pocketbase")

REFUSED_LOGIN = "The login failed. PocketBase refused the request (400): Failed to authenticate. Connect again with valid credentials."


@pytest.fixture
def contacts(acme, as_user) -> Collection:
    """The contacts of everybody's tests: what is written there is taken out again."""
    return Collection(acme, as_user, "contacts")


class TestConnecting:
    @pytest.fixture(autouse=True)
    async def integration(self, gateway):
        await gateway.admin.mutate(INTEGRATION, key="pocketbase", connectorKey="pocketbase")

    @pytest.mark.parametrize(("who", "users"), [(USER, "users"), (SUPERUSER, "_superusers")], ids=["user", "superuser"])
    async def test_with_a_password(self, gateway, acme, pocketbase, who, users):
        payload = await acme.mutate(CONNECT, integrationKey="pocketbase", **pocketbase_inputs(pocketbase.server, who, users=users))

        assert payload["connection"]["state"] == "READY"
        assert not [text for text in gateway.heard if who[1] in text]

    async def test_with_a_token(self, acme, pocketbase):
        with pocketbase.client(USER) as client:
            given = {"parameters": {"server": pocketbase.server}, "credentials": {"token": client.headers["Authorization"]}}

        payload = await acme.mutate(CONNECT, integrationKey="pocketbase", authMethod="token", **given)
        contacts = await Collection(acme, payload["connection"]["id"], "contacts").listed()

        assert len(contacts) == CONTACTS

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ({"who": (USER[0], "wrong-password")}, "refused the request (400): Failed to authenticate."),
            ({"who": SUPERUSER}, "refused the request (400): Failed to authenticate."),
            ({"who": USER, "users": "nobody"}, "says that there is no such thing (404): Missing or invalid collection context."),
        ],
        ids=["a wrong password", "the superuser among the users", "no such collection"],
    )
    async def test_a_refused_login_saves_nothing(self, gateway, acme, pocketbase, given, reason):
        who = given.pop("who")
        message = f"The login failed. PocketBase {reason} Connect again with valid credentials."

        refusal = await acme.refusal(CONNECT, integrationKey="pocketbase", **pocketbase_inputs(pocketbase.server, who, **given))

        assert refusal == ("UPSTREAM_AUTH", message, None)
        assert await acme.execute("{ connections { totalCount } }") == {"connections": {"totalCount": 0}}
        assert not [text for text in gateway.heard if who[1] in text]

    async def test_a_wrong_token_is_refused(self, acme, pocketbase):
        given = {"parameters": {"server": pocketbase.server}, "authMethod": "token", "credentials": {"token": "no-token"}}

        code, message, field = await acme.refusal(CONNECT, integrationKey="pocketbase", **given)

        assert (code, field) == ("UPSTREAM_AUTH", None)
        assert "(401): The request requires valid record authorization token" in message

    @pytest.mark.parametrize("given", ["users", "collections"])
    @pytest.mark.parametrize("name", ["../admins", "users/x", "", "a b"])
    async def test_a_name_that_no_collection_has_is_refused_before_the_app(self, acme, pocketbase, given, name):
        named = {given: name if given == "users" else [name]}
        async with relayed(pocketbase.server) as relay:
            code, _, field = await acme.refusal(CONNECT, integrationKey="pocketbase", **pocketbase_inputs(relay.url, USER, **named))

            assert (code, field) == ("INVALID", ["input", "parameters"])
            assert relay.requests == []


async def test_one_login_does_for_many_requests_and_is_made_again_before_it_is_doubted(gateway, acme, clock, pocketbase):
    async with relayed(pocketbase.server) as relay:
        connection = await connect(gateway, "pocketbase", **pocketbase_inputs(relay.url, USER))
        companies = Collection(acme, connection, "companies")
        for _ in range(3):
            await companies.listed()
        first = logins(relay)
        clock.advance(300)
        await companies.listed()

        assert (first, logins(relay)) == (1, 2)


async def test_who_may_sign_in_no_more_is_told_so_instead_of_seeing_empty_lists(gateway, acme, clock, pocketbase):
    with pocketbase.client() as client:
        leaver = {"email": "leaver@example.com", "password": "leaver-secret-1", "passwordConfirm": "leaver-secret-1"}
        record = client.post("/collections/users/records", json=leaver).raise_for_status().json()["id"]
        connection = await connect(gateway, "pocketbase", **pocketbase_inputs(pocketbase.server, ("leaver@example.com", "leaver-secret-1")))
        contacts = Collection(acme, connection, "contacts")
        before = len(await contacts.listed())
        client.delete(f"/collections/users/records/{record}").raise_for_status()
    clock.advance(300)

    assert before == CONTACTS
    assert await contacts.refused() == ("UPSTREAM_AUTH", REFUSED_LOGIN)
    assert (await state_of(acme, connection))["state"] == "DISCONNECTED"


class TestBrowsing:
    async def test_a_superuser_sees_all_collections(self, acme, as_superuser):
        places, cut = await everything(acme, PLACES, id=as_superuser, path="/", first=3)

        assert [(place["name"], place["path"]) for place in places] == [
            ("Companies", "/data/companies"),
            ("Contacts", "/data/contacts"),
            ("Deals", "/data/deals"),
            ("Users", "/data/users"),
            ("samples", "/data/records?collection=samples"),
            ("secrets", "/data/records?collection=secrets"),
            ("vips", "/data/view_records?collection=vips"),
        ]
        assert cut == sizes(7, 3)

    @pytest.mark.parametrize(
        ("collections", "paths"),
        [
            (None, ["/data/companies", "/data/contacts", "/data/deals", "/data/users"]),
            (["samples", "deals"], ["/data/deals", "/data/records?collection=samples"]),
        ],
        ids=["by default", "named"],
    )
    async def test_a_user_sees_those_with_a_model_or_those_that_the_connection_names(self, gateway, acme, pocketbase, collections, paths):
        named = {"collections": collections} if collections else {}
        connection = await connect(gateway, "pocketbase", **pocketbase_inputs(pocketbase.server, USER, **named))

        places, _ = await everything(acme, PLACES, id=connection, path="/", first=100)

        assert [place["path"] for place in places] == paths

    async def test_what_a_user_may_not_see_is_refused_and_the_connection_stays(self, acme, as_user):
        secrets = Collection(acme, as_user, "records", {"collection": "secrets"})
        nothing = Collection(acme, as_user, "records", {"collection": "nothing"})

        assert await secrets.refused() == (
            "UPSTREAM_REJECTED",
            "PocketBase refused the request (403): Only superusers can perform this action.",
        )
        assert await nothing.refused() == (
            "UPSTREAM_REJECTED",
            "PocketBase says that there is no such thing (404): Missing collection context.",
        )
        assert (await state_of(acme, as_user))["state"] == "READY"

    async def test_each_user_sees_what_is_theirs(self, gateway, acme, pocketbase, as_user):
        other = await connect(gateway, "pocketbase", **pocketbase_inputs(pocketbase.server, OTHER_USER))

        seen = [await Collection(acme, connection, "users").listed() for connection in (as_user, other)]

        assert [[record["fields"]["email"] for record in records] for records in seen] == [[USER[0]], [OTHER_USER[0]]]


class TestFields:
    async def test_a_superuser_is_told_their_types_choices_and_relations(self, samples):
        schema = (await samples.spec())["fieldsSchema"]

        texts = {name: {"type": "string"} for name in ("text", "rich", "mail", "link")}
        assert schema == {
            "type": "object",
            "additionalProperties": False,
            "required": [],
            "properties": {
                "id": {"type": "string", "x-create-only": True},
                **texts,
                "number": {"type": "number"},
                "whole": {"type": "integer"},
                "yes": {"type": "boolean"},
                "day": {"type": "string", "x-time": True},
                "place": {"type": "object"},
                "any": {"title": "JSON"},
                "one": {"type": "string", "enum": ["a", "b", ""]},
                "some": {"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]}},
                "file": {"type": "string", "readOnly": True},
                "files": {"type": "array", "items": {"type": "string"}, "readOnly": True},
                "firm": {"type": "string", "x-reference": {"collection": "companies"}},
                "firms": {"type": "array", "items": {"type": "string"}, "x-reference": {"collection": "companies"}},
                "created": {"type": "string", "x-time": True, "readOnly": True},
                "updated": {"type": "string", "x-time": True, "readOnly": True},
            },
        }

    async def test_a_user_is_told_what_a_record_shows(self, contacts):
        spec = await contacts.spec()

        texts = {name: {"type": "string"} for name in ("first_name", "last_name", "email", "phone")}
        fields = {
            "id": {"type": "string", "x-create-only": True},
            **texts,
            "age": {"type": "number"},
            "vip": {"type": "boolean"},
            "company": {"type": "string", "x-reference": {"collection": "companies"}},
        }
        times = {name: {"type": "string", "x-time": True, "readOnly": True} for name in ("created", "updated")}
        assert spec["fieldsSchema"] == {"type": "object", "additionalProperties": False, "required": [], "properties": fields | times}
        never = {"created": False, "updated": False}
        assert spec["createFieldsSchema"] == {"type": "object", "additionalProperties": False, "properties": fields | never}
        assert spec["updateFieldsSchema"]["properties"] == fields | never | {"id": False}

    async def test_a_user_is_told_nothing_of_a_collection_without_records(self, acme, as_user, samples):
        spec = await Collection(acme, as_user, "records", samples.parameters).spec()

        assert spec["fieldsSchema"] == {
            "type": "object",
            "additionalProperties": True,
            "required": [],
            "properties": {"id": {"type": "string", "title": "Id", "x-create-only": True}},
        }

    async def test_required_fields_are_required_of_creations_only(self, acme, as_superuser):
        spec = await Collection(acme, as_superuser, "deals").spec()

        assert spec["createFieldsSchema"]["required"] == ["title"]
        assert "required" not in spec["updateFieldsSchema"]

    async def test_passwords_are_written_and_never_read(self, acme, as_superuser):
        users = Collection(acme, as_superuser, "users")
        spec, records = await users.spec(), await users.listed()

        assert spec["createFieldsSchema"]["properties"]["password"] == {"type": "string", "writeOnly": True}
        assert [set(record["fields"]) & {"password", "passwordConfirm", "tokenKey"} for record in records] == [set()] * len(records)

    async def test_a_superuser_gives_accounts_in_any_collection_of_them(self, acme, as_superuser, pocketbase):
        with pocketbase.client() as client:
            client.post("/collections", json={"name": "members", "type": "auth"}).raise_for_status()
        members = Collection(acme, as_superuser, "records", {"collection": "members"})

        secret = {"password": "a-members-secret", "passwordConfirm": "a-members-secret"}
        member = await members.create({"email": "m@example.com", **secret})
        refused = await members.refusals(CREATE, values={"fields": {"email": "n@example.com", **secret, "passwordConfirm": "another"}})
        with pocketbase.client() as client:
            signed_in = client.post("/collections/members/auth-with-password", json={"identity": "m@example.com", **secret})
            client.delete("/collections/members").raise_for_status()

        assert signed_in.raise_for_status().json()["record"]["id"] == member["externalId"]
        assert refused[-1] == ("UPSTREAM_REJECTED", "Values don't match", ["input", "values", "fields", "passwordConfirm"])

    async def test_a_collection_that_does_not_exist_has_no_spec(self, acme, as_superuser):
        answer = await acme.ask(SPEC, id=as_superuser, path="/data/records?collection=nothing")

        code, message, _ = answer.error
        assert (code, message) == (
            "UPSTREAM_RESPONSE",
            "The app describes the fields of the collection with an object that is no JSON Schema of an object.",
        )

    async def test_views_can_be_read_and_not_written(self, acme, as_superuser):
        vips = Collection(acme, as_superuser, "view_records", {"collection": "vips"})

        spec, records = await vips.spec(), await vips.listed(order={"field": "age", "direction": "DESC"})

        assert spec["operations"] == ["LIST", "MATCH", "FIND_BY_ID"]
        assert [record["fields"]["age"] for record in records] == sorted((contact(n)["age"] for n in range(0, CONTACTS, 10)), reverse=True)
        assert await vips.record(records[3]["externalId"]) == records[3]


def logins(relay: Any) -> int:
    return sum(1 for request in relay.requests if request.target.endswith("auth-with-password"))
