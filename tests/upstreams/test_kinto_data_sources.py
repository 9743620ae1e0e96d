"""Data sources whose instances point at collections of a real Kinto."""

import pytest

from tests.support.kinto import CONTACT_SCHEMA, Kinto
from tests.upstreams.operations import CREATE_INSTANCE, DATA_SOURCE, FIELDS, POINT, SET_UP

pytestmark = pytest.mark.xdist_group("upstreams_kinto")

CONTACTS_PATH = "/data/records?bucket=crm&collection=contacts"
THINGS_PATH = "/data/records?bucket=open&collection=things"
READY = {"state": "READY", "errors": []}
NOT_FOUND = "Kinto says that there is no such thing (404): Not Found."
OPEN = {"additionalProperties": True}
"""Kinto keeps any field that a collection's schema does not exclude."""
OWN_FIELDS = {
    "id": {"type": "string", "title": "Id", "readOnly": True},
    "last_modified": {"type": "integer", "title": "Last modified", "description": "Milliseconds since 1970.", "readOnly": True},
}


@pytest.fixture(autouse=True)
async def definition(gateway, as_admin):
    """A data source of the integration, at the contacts."""
    await gateway.admin.mutate(DATA_SOURCE, key="people", name="People", integrationKey="kinto", pointer={"path": CONTACTS_PATH})


@pytest.fixture
async def instance(acme, as_admin) -> str:
    payload = await acme.mutate(CREATE_INSTANCE, connection={"id": as_admin}, dataSource={"key": "people"})
    return payload["dataSourceInstance"]["id"]


async def test_a_new_instance_points_where_its_data_source_does(acme, as_admin):
    payload = await acme.mutate(CREATE_INSTANCE, connection={"integrationKey": "kinto"}, dataSource={"key": "people"})

    assert payload["isCreated"] is True
    assert payload["dataSourceInstance"].pop("id")
    assert payload["dataSourceInstance"] == {
        "path": CONTACTS_PATH,
        "collectionKey": "records",
        "collectionParameters": {"bucket": "crm", "collection": "contacts"},
        "state": "READY",
        "errors": [],
    }


async def test_the_fields_are_those_of_the_customers_own_collection(acme, instance):
    document = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { fieldsSchema collectionSpec { fieldsSchema }
      dataSource { fieldsSchema } } }"""

    found = (await acme.execute(document, id=instance))["dataSourceInstance"]

    live = {**CONTACT_SCHEMA, **OPEN, "properties": {**OWN_FIELDS, **CONTACT_SCHEMA["properties"]}}
    static = {"type": "object", "properties": OWN_FIELDS}
    assert found == {"fieldsSchema": live, "collectionSpec": {"fieldsSchema": live}, "dataSource": {"fieldsSchema": static}}


@pytest.mark.parametrize(
    "pointer",
    [
        {"path": "/data/records?bucket=crm&collection=companies"},
        {"path": "/data/records?collection=companies&bucket=crm"},
        {"collection": {"key": "records", "parameters": {"bucket": "crm", "collection": "companies"}}},
    ],
)
async def test_an_instance_points_elsewhere_by_path_or_by_key_and_parameters(acme, instance, pointer):
    document = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { isCustomized collection { name isDefault }
      records { nodes { externalId } } collectionSpec { fieldsSchema } } }"""

    pointed = (await acme.mutate(POINT, by={"id": instance}, pointer=pointer))["dataSourceInstance"]
    found = (await acme.execute(document, id=instance))["dataSourceInstance"]

    assert (pointed["collectionKey"], pointed["state"]) == ("records", "READY")
    assert pointed["collectionParameters"] == {"bucket": "crm", "collection": "companies"}
    assert found == {
        "isCustomized": True,
        "collection": {"name": "companies", "isDefault": False},
        "records": {"nodes": [{"externalId": f"co-{number:04d}"} for number in range(3)]},
        "collectionSpec": {"fieldsSchema": {"type": "object", **OPEN, "properties": OWN_FIELDS}},
    }


@pytest.mark.parametrize(
    ("pointer", "message", "field"),
    [
        (
            {"path": "/data/bucket?bucket=crm"},
            "Path '/data/bucket?bucket=crm' is a directory. Point the data source at a collection, such as "
            "'/data/records?bucket=...&collection=...'.",
            ["input", "pointer", "path"],
        ),
        (
            {"path": "/data/records?bucket=crm"},
            "The parameters of 'records' are not valid: \"collection\" is a required property.",
            ["input", "pointer", "path"],
        ),
        (
            {"collection": {"key": "records", "parameters": {"bucket": "crm", "collection": "contacts", "age": 7}}},
            "The parameters of 'records' are not valid: Additional properties are not allowed ('age' was unexpected).",
            ["input", "pointer", "collection", "parameters"],
        ),
        (
            {"collection": {"key": "tables"}},
            "Kinto has no location 'tables'. It has '/data/records?bucket=...&collection=...'.",
            ["input", "pointer", "collection", "key"],
        ),
    ],
)
async def test_a_pointer_that_cannot_be_is_refused_and_changes_nothing(acme, instance, pointer, message, field):
    assert await acme.refusal(POINT, by={"id": instance}, pointer=pointer) == ("INVALID", message, field)

    document = "query ($id: ID!) { dataSourceInstance(by: { id: $id }) { path isCustomized revision } }"
    found = (await acme.execute(document, id=instance))["dataSourceInstance"]
    assert found == {"path": CONTACTS_PATH, "isCustomized": False, "revision": "1"}


async def test_setting_up_reads_the_schema_that_the_app_has_now(acme, kinto, instance):
    missing = (await acme.mutate(POINT, by={"id": instance}, pointer={"path": THINGS_PATH}))["dataSourceInstance"]
    put_schema(kinto, {"type": "object", "properties": {"first": {"type": "string"}}})
    made = await set_up(acme, instance)
    put_schema(kinto, {"type": "object", "properties": {"second": {"type": "integer"}}, "required": ["second"]})
    changed = await set_up(acme, instance)
    with kinto.client() as client:
        client.delete("/buckets/open/collections/things").raise_for_status()
    gone = (await acme.mutate(SET_UP, by={"id": instance}))["dataSourceInstance"]

    failed = {"state": "SETUP_FAILED", "errors": [{"code": "UPSTREAM_REJECTED", "message": NOT_FOUND}]}
    assert missing.items() >= failed.items()
    assert made == {"type": "object", **OPEN, "properties": {**OWN_FIELDS, "first": {"type": "string"}}}
    assert changed == {"type": "object", **OPEN, "properties": {**OWN_FIELDS, "second": {"type": "integer"}}, "required": ["second"]}
    assert gone.items() >= failed.items()


async def set_up(acme, instance) -> object:
    """The fields of an instance that was set up just now, without any error."""
    payload = await acme.mutate(SET_UP, by={"id": instance})
    assert payload["dataSourceInstance"].items() >= READY.items()
    return (await acme.execute(FIELDS, id=instance))["dataSourceInstance"]["fieldsSchema"]


def put_schema(kinto: Kinto, schema: dict[str, object]) -> None:
    with kinto.client() as client:
        client.put("/buckets/open/collections/things", json={"data": {"schema": schema}}).raise_for_status()
