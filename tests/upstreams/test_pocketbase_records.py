"""What is done with the records of a real PocketBase through the whole gateway, in its own words and in those of models."""

from datetime import datetime

import pytest

from tests.support.pocketbase import COMPANIES, CONTACTS, DEALS, USER, contact, deal
from tests.upstreams.content import TEXTS
from tests.upstreams.operations import CREATE_INSTANCE, DATA_SOURCE, connect, pocketbase_inputs
from tests.upstreams.record_calls import CREATE, DELETE, LIST, UPDATE, Collection, ids
from tests.upstreams.relays import relayed

pytestmark = pytest.mark.xdist_group("upstreams_pocketbase")

TOO_MUCH = (
    "PocketBase refused the request (400): Something went wrong. PocketBase takes 200 conditions and 3,500 characters of filter, "
    "and fields that the collection has."
)
FIELDS = ["input", "values", "fields"]
HOSTILE = [
    *TEXTS,
    "\\",
    'x\\" || id != "',
    '" || id != "',
    "')",
    "%",
    "_",
    "a_b%c",
    "\\\\",
    "C:\\new",
    "",
    " ",
    "// no",
    "&& 1=1",
    "\n",
    "@now",
]
"""Texts that a filter could take for a part of itself."""


@pytest.fixture
def contacts(acme, as_user) -> Collection:
    """The contacts of everybody's tests: what is written there is taken out again."""
    return Collection(acme, as_user, "contacts")


class TestLists:
    @pytest.mark.parametrize("first", [7, 100, 230, 1000])
    async def test_each_record_comes_exactly_once_whatever_the_size_of_the_page(self, contacts, first):
        found = await contacts.listed(first=first)

        assert [record["fields"]["email"] for record in found] == [f"contact{number}@example.com" for number in range(CONTACTS)]
        assert len(set(ids(found))) == CONTACTS

    async def test_a_record_is_as_pocketbase_has_it(self, contacts, pocketbase):
        own = pocketbase.records("contacts")[7]

        record = (await contacts.listed(first=8))[7]

        assert record["fields"] == {name: value for name, value in own.items() if name not in ("collectionId", "collectionName")}
        assert record["name"] == "First 7 Last 7"
        assert datetime.fromisoformat(record["createdAt"]) == datetime.fromisoformat(own["created"])

    @pytest.mark.parametrize(
        ("filter", "holds"),
        [
            ({"email": "contact7@example.com"}, lambda fields: fields["email"] == "contact7@example.com"),
            ({"age": {"GTE": 30, "LT": 33}}, lambda fields: 30 <= fields["age"] < 33),
            ({"age": {"GT": 70, "LTE": 72}, "vip": False}, lambda fields: 70 < fields["age"] <= 72 and not fields["vip"]),
            ({"vip": {"NE": False}}, lambda fields: fields["vip"]),
            ({"age": {"IN": [20, 21, 99]}}, lambda fields: fields["age"] in (20, 21)),
            ({"email": {"IN": ["contact1@example.com", "' || 1=1"]}}, lambda fields: fields["email"] == "contact1@example.com"),
            ({"email": {"CONTAINS": "CT11"}}, lambda fields: "ct11" in fields["email"]),
            ({"last_name": {"STARTS_WITH": "last 2"}}, lambda fields: fields["last_name"].startswith("Last 2")),
            ({"age": {"GT": 1e300}}, lambda fields: False),
            ({"age": {"LT": 1e300, "GTE": 79}}, lambda fields: fields["age"] == 79),
            ({"created": {"GT": "2020-02-03T04:05:06+02:00"}}, lambda fields: True),
            ({"created": {"LTE": "2020-02-03"}}, lambda fields: False),
            ({"phone": None}, lambda fields: False),
            ({"phone": ""}, lambda fields: False),
        ],
        ids=lambda value: str(value) if isinstance(value, dict) else "",
    )
    async def test_conditions_are_told_to_pocketbase(self, contacts, filter, holds):
        found = await contacts.listed(filter=filter)

        expected = [contact(n)["email"] for n in range(CONTACTS) if holds(contact(n))]
        assert [record["fields"]["email"] for record in found] == expected

    async def test_a_field_of_a_related_record_can_be_asked_for(self, contacts):
        found = await contacts.listed(filter={"company.name": "Company 1"})

        assert [record["fields"]["email"] for record in found] == [contact(n)["email"] for n in range(1, CONTACTS, COMPANIES)]

    @pytest.mark.parametrize("direction", ["ASC", "DESC"])
    @pytest.mark.parametrize("first", [40, 1000])
    async def test_an_order_goes_over_all_pages(self, contacts, direction, first):
        found = await contacts.listed(first=first, order={"field": "age", "direction": direction})

        ages = sorted((contact(number)["age"] for number in range(CONTACTS)), reverse=direction == "DESC")
        assert [record["fields"]["age"] for record in found] == ages
        assert len(set(ids(found))) == CONTACTS

    async def test_no_text_is_taken_for_a_part_of_the_filter(self, samples):
        made = {text: (await samples.create({"text": text}))["externalId"] for text in HOSTILE}

        for text, record in made.items():
            assert ids(await samples.listed(filter={"text": text})) == [record], text
            assert ids(await samples.listed(filter={"text": {"IN": [text, "none"]}})) == [record], text
            if not text:
                continue
            parts = [made[other] for other in HOSTILE if text.lower() in other.lower()]
            assert ids(await samples.listed(filter={"text": {"CONTAINS": text}})) == parts, text
            starts = [made[other] for other in HOSTILE if other.lower().startswith(text.lower())]
            assert ids(await samples.listed(filter={"text": {"STARTS_WITH": text}})) == starts, text

    async def test_times_may_be_given_in_any_form(self, samples):
        days = ["2026-01-01 00:00:00.000Z", "2026-01-02 12:30:00.250Z", ""]
        made = [(await samples.create({"day": day}))["externalId"] for day in days]

        assert ids(await samples.listed(filter={"day": "2026-01-02T13:30:00.25+01:00"})) == [made[1]]
        assert ids(await samples.listed(filter={"day": {"IN": ["2026-01-01T00:00:00Z", "2026-01-02T12:30:00.25Z"]}})) == made[:2]
        assert ids(await samples.listed(filter={"day": {"GT": "2026-01-01"}})) == [made[1]]
        assert ids(await samples.listed(filter={"day": {"LT": "2026-01-01T01:00:00+01:00", "NE": ""}})) == []
        assert ids(await samples.listed(filter={"day": ""})) == [made[2]]

    async def test_of_several_values_one_is_enough(self, acme, as_user, samples, pocketbase):
        firms = [record["id"] for record in pocketbase.records("companies")]
        lists = [(["a"], firms[:1]), (["a", "b"], firms[:2]), ([], [])]
        made = [(await samples.create({"some": some, "firms": some_firms}))["externalId"] for some, some_firms in lists]

        for collection in (samples, Collection(acme, as_user, "records", samples.parameters)):
            assert ids(await collection.listed(filter={"some": {"CONTAINS": "a"}})) == made[:2]
            assert ids(await collection.listed(filter={"some": {"CONTAINS": "b"}})) == [made[1]]
            assert ids(await collection.listed(filter={"firms": {"CONTAINS": firms[0]}})) == made[:2]
            assert ids(await collection.listed(filter={"firms": {"CONTAINS": firms[0][:-1]}})) == []

    @pytest.mark.parametrize(
        ("wanted", "code", "message"),
        [
            ({"filter": {"nope": 1}}, "INVALID", "Collection 'contacts' has no field 'nope'"),
            ({"filter": {'id != "" || id': "x"}}, "INVALID", "Collection 'contacts' has no field "),
            ({"order": {"field": "nope"}}, "INVALID", "Collection 'contacts' has no field 'nope'"),
            ({"order": {"field": "email,-id"}}, "INVALID", "Collection 'contacts' has no field "),
            ({"search": "tea"}, "UNSUPPORTED", "Collection 'contacts' does not support SEARCH"),
            ({"filter": {"email": {"IN": [f"{number}@example.com" for number in range(1000)]}}}, "UPSTREAM_REJECTED", TOO_MUCH[:-1]),
        ],
        ids=["field", "hostile field", "order", "hostile order", "search", "a thousand values"],
    )
    async def test_what_cannot_be_asked_is_refused_with_a_reason(self, contacts, wanted, code, message):
        found = await contacts.refused(**wanted)

        assert (found[0], found[1][: len(message)]) == (code, message)


class TestSingleRecords:
    async def test_by_id_and_by_fields(self, contacts):
        records = await contacts.listed(first=100)

        assert await contacts.record(records[42]["externalId"]) == records[42]
        assert await contacts.match(email="contact42@example.com") == records[42]
        assert await contacts.match(age=records[42]["fields"]["age"], last_name="Last 42") == records[42]
        assert await contacts.match(email="nobody@example.com") is None

    @pytest.mark.parametrize("record", ["zzzzzzzzzzzzzzz", "../companies", "..", 'x"||id!="', "a b", "x" * 300, "%2e%2e", "*"])
    async def test_an_id_that_nothing_has_is_null(self, contacts, record):
        assert await contacts.record(record) is None


class TestWrites:
    async def test_every_type_comes_back_as_it_was_written(self, samples, pocketbase):
        firms = [record["id"] for record in pocketbase.records("companies")]
        fields = {
            "id": "chosenbytheuser",
            "text": "ünïcödé 漢字 \"'\\ \u2028",
            "rich": "<p>Text</p>",
            "number": -1.5,
            "whole": 7,
            "yes": True,
            "mail": "a@example.com",
            "link": "https://example.com/?a=b",
            "day": "2026-05-06 07:08:09.123Z",
            "place": {"lon": 12.5, "lat": -3.25},
            "any": {"list": [1, None, {"deep": "x"}], "": "empty key"},
            "one": "b",
            "some": ["a", "c"],
            "firm": firms[0],
            "firms": firms[1:],
        }

        made = await samples.create(fields)
        changed = await samples.update("chosenbytheuser", {"text": "", "whole": 1, "any": None, "some": [], "firm": ""})

        kept = {"file": "", "files": []}
        assert {name: made["fields"][name] for name in (*fields, *kept)} == fields | kept
        assert changed["fields"].items() >= {"text": "", "whole": 1, "any": None, "some": [], "firm": "", "number": -1.5}.items()
        assert (await samples.record("chosenbytheuser"))["fields"] == changed["fields"]
        assert await samples.delete("chosenbytheuser") == "chosenbytheuser"
        assert await samples.record("chosenbytheuser") is None
        assert pocketbase.records("samples") == []

    async def test_what_pocketbase_refuses_is_told_by_field(self, contacts, pocketbase):
        before = pocketbase.records("contacts")

        created = await contacts.refusals(CREATE, values={"fields": {"email": "contact1@example.com", "first_name": "Copy"}})
        record = before[3]["id"]
        updated = await contacts.refusals(UPDATE, externalId=record, values={"fields": {"email": "no address", "company": "nothing"}})

        assert created == [
            ("UPSTREAM_REJECTED", "PocketBase refused the request (400): Failed to create record.", None),
            ("UPSTREAM_REJECTED", "Value must be unique", [*FIELDS, "email"]),
        ]
        assert (updated[0], sorted(updated[1:])) == (
            ("UPSTREAM_REJECTED", "PocketBase refused the request (400): Failed to update record.", None),
            [
                ("UPSTREAM_REJECTED", "Failed to find all relation records with the provided ids", [*FIELDS, "company"]),
                ("UPSTREAM_REJECTED", "Must be a valid email address", [*FIELDS, "email"]),
            ],
        )
        assert pocketbase.records("contacts") == before

    @pytest.mark.parametrize(
        ("fields", "message", "path"),
        [
            ({"email": 7}, "7 is not of type", "email"),
            ({"nope": 1}, "Collection 'contacts' has no field 'nope'", "nope"),
            ({"created": "2026-01-01"}, "", "created"),
            ({"vip": "yes"}, "'yes' is not of type", "vip"),
        ],
        ids=["type", "unknown", "read-only", "text for a boolean"],
    )
    async def test_what_cannot_be_written_is_refused_before_the_app(self, contacts, pocketbase, fields, message, path):
        before = pocketbase.records("contacts")

        for document, more in ((CREATE, {}), (UPDATE, {"externalId": before[0]["id"]})):
            ((code, told, field),) = await contacts.refusals(document, values={"fields": fields}, **more)
            assert (code, field) == ("INVALID", ["input", "values", "fields", path]), told
            assert told
        assert pocketbase.records("contacts") == before

    async def test_what_pocketbase_does_not_know_is_unsupported(self, contacts, pocketbase):
        record = pocketbase.records("contacts")[0]

        versioned = await contacts.refusals(UPDATE, externalId=record["id"], values={"fields": {"age": 1}}, ifVersion="1")
        keyed = await contacts.refusals(CREATE, values={"fields": {"email": "k@example.com"}}, idempotencyKey="k")
        chosen = await contacts.refusals(UPDATE, externalId=record["id"], values={"fields": {"id": "anotherid"}})

        assert [(code, field) for code, _, field in (*versioned, *keyed)] == [
            ("UNSUPPORTED", ["input", "ifVersion"]),
            ("UNSUPPORTED", ["input", "idempotencyKey"]),
        ]
        assert [(code, field) for code, _, field in chosen] == [("INVALID", ["input", "values", "fields", "id"])]
        assert pocketbase.records("contacts")[0] == record

    @pytest.mark.parametrize("record", ["zzzzzzzzzzzzzzz", "../contacts", "%"])
    async def test_a_record_that_is_not_there_is_not_changed_or_deleted(self, contacts, record):
        changed = await contacts.refusals(UPDATE, externalId=record, values={"fields": {"age": 1}})
        deleted = await contacts.refusals(DELETE, externalId=record)

        assert [(code, field) for code, _, field in (*changed, *deleted)] == [("NOT_FOUND", ["input", "externalId"])] * 2

    async def test_a_user_may_not_do_what_the_rules_forbid(self, acme, as_user, pocketbase):
        users = Collection(acme, as_user, "users")
        other = next(record for record in pocketbase.records("users") if record["name"] == "Otto")

        refused = await users.refusals(UPDATE, externalId=other["id"], values={"fields": {"name": "Taken"}})

        assert [code for code, _, _ in refused] == ["NOT_FOUND"]
        assert next(record for record in pocketbase.records("users") if record["id"] == other["id"])["name"] == "Otto"


class TestModels:
    async def test_records_are_read_and_written_as_models(self, acme, as_user, pocketbase):
        deals, firm = Collection(acme, as_user, "deals"), pocketbase.records("companies")[2]["id"]
        unified = {"name": "Big", "amount": 1.5, "currency": "EUR", "closeTime": "2026-07-08T09:10:11+02:00", "companyId": firm}

        made = (await acme.mutate(CREATE, **deals.target, values={"unifiedFields": unified}))["record"]
        found = await deals.listed(unified={"closeTime": {"GTE": "2026-07-08T07:10:11Z"}, "companyId": firm})
        await deals.delete(made["externalId"])

        expected = {"title": "Big", "amount": 1.5, "currency": "EUR", "close_date": "2026-07-08 07:10:11.000Z", "company": firm}
        assert made["fields"].items() >= expected.items()
        assert ids(found) == [made["externalId"]]

    async def test_a_data_source_of_a_model_points_at_the_collection_of_its_name(self, gateway, acme, as_user):
        document = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { path records(first: 1000) { nodes {
          unified { ... on UnifiedContact { fullName primaryEmail companyId company { name } } } } } } }"""
        await gateway.admin.mutate(DATA_SOURCE, key="people", name="People", udm="contacts")
        payload = await acme.mutate(CREATE_INSTANCE, connection={"id": as_user}, dataSource={"key": "people"})

        found = (await acme.execute(document, id=payload["dataSourceInstance"]["id"]))["dataSourceInstance"]

        assert found["path"] == "/data/contacts"
        people = [node["unified"] for node in found["records"]["nodes"]]
        assert [person["primaryEmail"] for person in people] == [contact(number)["email"] for number in range(CONTACTS)]
        assert [person["fullName"] for person in people] == [f"First {number} Last {number}" for number in range(CONTACTS)]
        assert [person["company"]["name"] for person in people] == [f"Company {number % COMPANIES}" for number in range(CONTACTS)]

    async def test_a_graph_of_deals_contacts_and_companies_costs_three_requests(self, gateway, acme, pocketbase):
        document = """query ($id: ID!) { connection(by: { id: $id }) { collection(key: "deals") { records { nodes {
          unified(udm: "deals") { ... on UnifiedDeal { name amount closeTime contact { primaryEmail company { name } } company { name } } }
          reference(field: "company") { name } } } } } }"""
        async with relayed(pocketbase.server) as relay:
            connection = await connect(gateway, "pocketbase", **pocketbase_inputs(relay.url, USER))
            await acme.execute(document, id=connection)
            asked = len(relay.requests)
            found = await acme.execute(document, id=connection)
            paths = [request.target.partition("?")[0] for request in relay.requests[asked:]]

        nodes = found["connection"]["collection"]["records"]["nodes"]
        assert [node["unified"] for node in nodes] == [
            {
                "name": deal(number)["title"],
                "amount": deal(number)["amount"],
                "closeTime": f"2026-03-{number + 1:02d}T12:30:00Z",
                "contact": {"primaryEmail": contact(number)["email"], "company": {"name": f"Company {number % COMPANIES}"}},
                "company": {"name": f"Company {number % COMPANIES}"},
            }
            for number in range(DEALS)
        ]
        assert [node["reference"]["name"] for node in nodes] == [f"Company {number % COMPANIES}" for number in range(DEALS)]
        assert sorted(paths) == [f"/api/collections/{name}/records" for name in ("companies", "contacts", "deals")]


async def test_the_list_is_one_request_a_page(gateway, acme, pocketbase):
    async with relayed(pocketbase.server) as relay:
        connection = await connect(gateway, "pocketbase", **pocketbase_inputs(relay.url, USER))
        before = len(relay.requests)
        await Collection(acme, connection, "contacts").execute(LIST, first=1000)

        assert [request.target for request in relay.requests[before:]] == [
            "/api/collections/contacts/records?skipTotal=1&sort=%40rowid&perPage=1000&page=1"
        ]
