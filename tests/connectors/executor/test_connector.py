import pytest

from gateway.config import Settings
from gateway.connectors.executor import ExecutorLimits
from gateway.connectors.protocol import Connector
from gateway.errors import UpstreamAuthError, UpstreamRejectedError, UpstreamResponseError
from gateway.models import (
    AuthMethod,
    AuthType,
    ChangeType,
    CollectionEventSupport,
    CollectionOperation,
    CollectionSpec,
    EventMethod,
    Pointer,
)
from tests.connectors.executor.notes import access_with

FIELDS = {"type": "object", "properties": {"id": {"type": "integer"}, "title": {"type": "string"}}, "required": ["id"]}
DYNAMIC = {"request": {"path": "/fields/${parameters.box}"}, "schema": "${body.schema}"}
BOXED = {"type": "object", "properties": {"box": {"type": "string", "default": "main"}}}


def test_the_spec_tells_what_the_file_says(connector):
    made = connector(
        description="Takes notes.",
        categories=["Notes"],
        logo_url="https://app.test/logo.svg",
        integration={"schema": {"type": "object"}},
        auth={
            "token": {"type": "http", "scheme": "bearer", "token": "x", "name": "Access token", "credentials": BOXED},
            "login": {"type": "http", "scheme": "basic", "username": "x", "password": "y"},
            "key": {"type": "apiKey", "parameter": "k", "value": "x"},
            "nobody": {"type": "none"},
        },
        collection={"description": "All.", "fields": FIELDS, "parameters": BOXED, "universal_data_models": {"notes": {}}},
    )
    protocol: Connector = made
    spec = protocol.spec

    assert (spec.key, spec.name, spec.version, spec.description) == ("notes", "Notes", "1.0.0", "Takes notes.")
    assert (spec.categories, spec.logo_url) == (("Notes",), "https://app.test/logo.svg")
    assert spec.auth_methods[0] == AuthMethod(key="token", name="Access token", type=AuthType.HTTP_BEARER, credentials_schema=BOXED)
    assert [(method.key, method.name, method.type) for method in spec.auth_methods[1:]] == [
        ("login", "login", AuthType.HTTP_BASIC),
        ("key", "key", AuthType.API_KEY),
        ("nobody", "nobody", AuthType.NONE),
    ]
    assert spec.collections == (
        CollectionSpec(
            key="notes",
            name="Notes",
            description="All.",
            fields_schema=FIELDS,
            parameters_schema=BOXED,
            operations=(CollectionOperation.LIST,),
            events=tuple(CollectionEventSupport(type=change, method=EventMethod.FULL_SCAN) for change in ChangeType),
            universal_data_models=("notes",),
        ),
    )
    assert spec.default_collections == {"notes": Pointer("notes")}


async def test_a_check_asks_with_the_credentials(app, connector, access):
    app.answer(status=204)

    await connector().check(access)

    assert (app.requests[0].target, app.requests[0].headers["authorization"]) == ("/me", "Bearer token-4711-secret")


@pytest.mark.parametrize(("status", "kind"), [(401, UpstreamAuthError), (403, UpstreamRejectedError)])
async def test_a_check_that_the_app_refuses_raises(app, connector, access, status, kind):
    app.answer(status=status)

    with pytest.raises(kind):
        await connector().check(access)


async def test_a_good_answer_is_not_enough_where_the_file_says_what_proves_the_connection(app, connector, access):
    checked = connector(connection={"check": {"request": {"path": "/"}, "when": "body.user"}})
    app.answer(json={"user": {"id": "basic:1"}})
    app.answer(json={"url": "an anonymous greeting"})

    await checked.check(access)
    with pytest.raises(UpstreamAuthError, match="Notes does not accept the credentials"):
        await checked.check(access)


async def test_a_collection_without_dynamic_fields_is_described_without_asking(app, connector):
    made = connector(collection={"fields": FIELDS})

    assert await made.describe(access_with(credentials={}), Pointer("notes")) == made.spec.collections[0]
    assert app.requests == []


async def test_the_apps_fields_join_those_of_the_file(app, connector, access):
    app.answer(
        json={"schema": {"properties": {"title": {"type": "string", "maxLength": 5}, "custom": {}}, "required": ["custom", "id", 7]}}
    )
    made = connector(collection={"fields": FIELDS, "dynamic_fields": DYNAMIC, "parameters": BOXED})

    described = await made.describe(access, Pointer("notes", {"box": "b 1"}))

    assert app.requests[0].target == "/fields/b%201"
    assert described.has_custom_fields
    assert described.fields_schema == {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "title": {"type": "string", "maxLength": 5}, "custom": {}},
        "required": ["id", "custom"],
    }


async def test_the_apps_fields_stand_alone_where_the_file_names_none(app, connector, access):
    app.answer(json={"schema": FIELDS})
    made = connector(collection={"fields": None, "dynamic_fields": DYNAMIC, "parameters": BOXED})

    assert (await made.describe(access, Pointer("notes"))).fields_schema == FIELDS
    assert app.requests[0].target == "/fields/main"


async def test_null_from_the_app_adds_no_fields(app, connector, access):
    app.answer(json={})
    made = connector(collection={"fields": FIELDS, "dynamic_fields": DYNAMIC, "parameters": BOXED})

    assert (await made.describe(access, Pointer("notes"))).fields_schema == FIELDS


@pytest.mark.parametrize(
    "schema",
    [
        "text",
        [],
        True,
        {"properties": []},
        {"properties": {"a": {"type": "no such type"}}},
        {"properties": {"a": {"$ref": "https://evil.test/schema.json"}}},
        {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
        {"properties": {"a": {"description": "x" * 600_000}}},
    ],
    ids=["text", "list", "boolean", "properties", "type", "remote", "file", "large"],
)
async def test_fields_that_cannot_be_used_are_refused(app, connector, access, schema):
    app.answer(json={"schema": schema})
    made = connector(collection={"fields": FIELDS, "dynamic_fields": DYNAMIC, "parameters": BOXED})

    with pytest.raises(UpstreamResponseError, match="describes the fields of the collection"):
        await made.describe(access, Pointer("notes"))


async def test_a_collection_that_the_app_does_not_know_cannot_be_described(app, connector, access):
    app.answer(status=404)
    made = connector(collection={"dynamic_fields": DYNAMIC, "parameters": BOXED})

    with pytest.raises(UpstreamRejectedError) as caught:
        await made.describe(access, Pointer("notes"))
    assert caught.value.status == 404


def test_the_limits_are_the_operators():
    settings = Settings(
        token_secret="t" * 32,
        encryption_keys="k",
        upstream_timeout_seconds=1,
        upstream_deadline_seconds=2,
        upstream_max_response_bytes=2048,
    )

    assert ExecutorLimits.from_settings(settings) == ExecutorLimits(timeout_seconds=1, deadline_seconds=2, max_response_bytes=2048)
