"""Changing things, through the schema: what is done, what is refused, and that a refusal changes nothing."""

from typing import Any

import pytest

from gateway.errors import UpstreamUnavailableError
from gateway.graphql.ids import global_id
from gateway.models import Connection, DataSourceInstance
from gateway.models.base import new_id
from gateway.models.principal import SYSTEM
from gateway.services import integrations
from tests.graphql.world import World
from tests.support.notes_connector import GOOD_TOKEN, NotesApp
from tests.support.runtime import connection, customer, definition, instance, stored

FIELDS = {
    "integration": "integration { key name state archivedAt }",
    "customer": "customer { externalId name fields }",
    "connection": "connection { name authMethod parameters state customer { externalId } archivedAt }",
    "dataSource": "dataSource { key name path pullUpdatesIntervalSeconds isCustomized archivedAt }",
    "dataSourceInstance": "dataSourceInstance { path isCustomized pullUpdatesIntervalSeconds instanceKey archivedAt }",
}
EXTRA = {"connectionTest": "isAccepted", "dataSourceInstanceCreate": "isCreated"}


def document(name: str, fields: str | None = None) -> str:
    noun = next((key for key in sorted(FIELDS, key=len, reverse=True) if name.startswith(key)), "")
    selection = fields or f"{FIELDS[noun]} {EXTRA.get(name, '')}"
    title = name[0].upper() + name[1:]
    return f"mutation ($input: {title}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code message field }} }} }}"


async def do(world: World, name: str, principal: Any = None, /, *, fields: str | None = None, **given: Any) -> dict[str, Any]:
    """The payload of a mutation that is done."""
    payload = (await world.ask(document(name, fields), principal, input=given))[name]
    assert payload.pop("userErrors") == []
    return payload


async def refuse(world: World, name: str, principal: Any = None, /, *, fields: str | None = None, **given: Any) -> dict[str, Any]:
    """The only user error of a mutation that is refused, and has changed nothing."""
    before = await stored(world.runtime)
    payload = (await world.ask(document(name, fields), principal, input=given))[name]
    assert await stored(world.runtime) == before
    (error,) = payload.pop("userErrors")
    assert set(payload.values()) == {None}
    return error


async def test_an_integration_lives(world: World):
    created = await do(world, "integrationCreate", SYSTEM, key="second", connectorKey="notes", parameters={"region": "eu"})
    updated = await do(world, "integrationUpdate", SYSTEM, key="second", name="Second notes", ifRevision="1")
    cleared = await do(world, "integrationUpdate", SYSTEM, key="second", name=None)
    archived = await do(world, "integrationArchive", SYSTEM, key="second", fields="integration { id archivedAt }")
    gone = await integrations.by_key(world.runtime, SYSTEM, key="second")
    restored = await do(world, "integrationRestore", SYSTEM, id=archived["integration"]["id"])

    assert created["integration"] == {"key": "second", "name": "Notes", "state": "READY", "archivedAt": None}
    assert updated["integration"]["name"] == "Second notes"
    assert cleared["integration"]["name"] == "Notes"
    assert archived["integration"]["archivedAt"] == "2026-01-01T00:00:00Z"
    assert gone is None
    assert restored["integration"] == created["integration"]


async def test_a_customer_is_kept_and_deleted(world: World):
    created = await do(world, "customerUpsert", SYSTEM, externalId="globex", name="Globex", fields="customer { externalId name fields }")
    again = await do(world, "customerUpsert", SYSTEM, externalId="globex")
    cleared = await do(world, "customerUpsert", SYSTEM, externalId="globex", name=None)
    deleted = await do(world, "customerDelete", SYSTEM, externalId="globex", fields="deletedExternalId")

    assert created["customer"] == again["customer"] == {"externalId": "globex", "name": "Globex", "fields": {}}
    assert cleared["customer"]["name"] is None
    assert deleted == {"deletedExternalId": "globex"}


async def test_a_connection_lives(world: World, notes_app: NotesApp):
    home = {"workspace": "home"}
    credentials = {"token": GOOD_TOKEN}
    created = await do(
        world,
        "connectionCreate",
        integrationKey="notes",
        parameters=home,
        authMethod="token",
        credentials=credentials,
        fields=f"{FIELDS['connection']} connection {{ id }}",
    )
    by = {"id": created["connection"].pop("id")}
    renamed = await do(world, "connectionUpdate", by={"integrationKey": "notes"}, name="Ours")
    tested = await do(world, "connectionTest", by=by)
    notes_app.accepted_tokens.clear()
    refused = await do(world, "connectionTest", by=by)
    archived = await do(world, "connectionArchive", by=by)
    restored = await do(world, "connectionRestore", **by)

    assert created["connection"] == {
        "name": "Notes",
        "authMethod": "token",
        "parameters": {"workspace": "home", "pace": 5},
        "state": "READY",
        "customer": {"externalId": "acme"},
        "archivedAt": None,
    }
    assert renamed["connection"] == {**created["connection"], "name": "Ours"}
    assert (tested["isAccepted"], tested["connection"]["state"]) == (True, "READY")
    assert (refused["isAccepted"], refused["connection"]["state"]) == (False, "DISCONNECTED")
    assert archived["connection"]["archivedAt"] == "2026-01-01T00:00:00Z"
    assert restored["connection"]["archivedAt"] is None


async def test_an_admin_connects_an_app_for_a_customer(world: World):
    created = await do(
        world,
        "connectionCreate",
        SYSTEM,
        integrationKey="notes",
        parameters={"workspace": "home"},
        authMethod="token",
        credentials={"token": GOOD_TOKEN},
        customerExternalId="acme",
    )
    named = {"customerIntegration": {"customerExternalId": "acme", "integrationKey": "notes"}}
    tested = await do(world, "connectionTest", SYSTEM, by=named)

    assert created["connection"]["customer"] == {"externalId": "acme"}
    assert tested["isAccepted"] is True


async def test_a_data_source_lives(world: World):
    created = await do(world, "dataSourceCreate", SYSTEM, key="tasks", udm="notes", pullUpdatesIntervalSeconds=120)
    applied = await do(world, "dataSourceApply", SYSTEM, key="tasks", integrationKeys=["notes"], fields="dataSources { id path }")
    by = {"keyInIntegration": {"key": "tasks", "integrationKey": "notes"}}
    pointer = {"collection": {"key": "notes", "parameters": {"isPinned": True}}}
    updated = await do(world, "dataSourceUpdate", SYSTEM, by=by, pointer=pointer, pullUpdatesIntervalSeconds=600)
    cleared = await do(world, "dataSourceUpdate", SYSTEM, by=by, pullUpdatesIntervalSeconds=None)
    reset = await do(world, "dataSourceReset", SYSTEM, by=by)
    await do(world, "dataSourceSetup", SYSTEM, by=by)
    archived = await do(world, "dataSourceArchive", SYSTEM, by=by)
    restored = await do(world, "dataSourceRestore", SYSTEM, id=applied["dataSources"][0]["id"])

    own = {"key": "tasks", "name": "tasks", "path": "/data/notes", "pullUpdatesIntervalSeconds": 120}
    assert created["dataSource"] == {**own, "path": None, "isCustomized": False, "archivedAt": None}
    assert applied["dataSources"][0]["path"] == "/data/notes"
    changed = {**own, "path": "/data/notes?isPinned=true", "isCustomized": True, "archivedAt": None}
    assert updated["dataSource"] == {**changed, "pullUpdatesIntervalSeconds": 600}
    assert cleared["dataSource"] == changed
    assert reset["dataSource"] == {**own, "isCustomized": False, "archivedAt": None}
    assert archived["dataSource"]["archivedAt"] == "2026-01-01T00:00:00Z"
    assert restored["dataSource"] == reset["dataSource"]


async def test_an_instance_lives(world: World):
    await definition(world.runtime)
    await connection(world.runtime, world.acme)
    key = {"connection": {"integrationKey": "notes"}, "dataSource": {"key": "jottings"}}
    fields = f"{FIELDS['dataSourceInstance']} isCreated dataSourceInstance {{ id }}"
    created = await do(world, "dataSourceInstanceCreate", **key, fields=fields)
    again = await do(world, "dataSourceInstanceCreate", **key, fields=fields)
    by = {"id": created["dataSourceInstance"].pop("id")}
    updated = await do(world, "dataSourceInstanceUpdate", by={"of": key}, pointer={"path": "/data/notes?notebookId=7"})
    slower = await do(world, "dataSourceInstanceUpdate", by=by, pullUpdatesIntervalSeconds=900)
    inherited = await do(world, "dataSourceInstanceUpdate", by=by, pointer=None)
    await do(world, "dataSourceInstanceSetup", by=by)
    reset = await do(world, "dataSourceInstanceReset", by=by)
    archived = await do(world, "dataSourceInstanceArchive", by=by)
    restored = await do(world, "dataSourceInstanceRestore", **by)

    plain = {"path": "/data/notes", "isCustomized": False, "pullUpdatesIntervalSeconds": 300, "instanceKey": None, "archivedAt": None}
    assert (created["dataSourceInstance"], created["isCreated"]) == (plain, True)
    assert (again["dataSourceInstance"].pop("id"), again["isCreated"]) == (by["id"], False)
    assert updated["dataSourceInstance"] == {**plain, "path": "/data/notes?notebookId=7", "isCustomized": True}
    assert slower["dataSourceInstance"]["path"] == "/data/notes?notebookId=7"
    assert inherited["dataSourceInstance"] == {**plain, "isCustomized": True, "pullUpdatesIntervalSeconds": 900}
    assert reset["dataSourceInstance"] == plain
    assert archived["dataSourceInstance"]["archivedAt"] == "2026-01-01T00:00:00Z"
    assert restored["dataSourceInstance"] == plain


async def test_a_dry_run_shows_what_would_be_and_saves_nothing(world: World):
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))
    before = await stored(world.runtime)

    shown = await do(
        world,
        "dataSourceInstanceUpdate",
        by={"id": global_id(row)},
        pointer={"path": "/data/notes?notebookId=7"},
        dryRun=True,
        fields="""dataSourceInstance { path settings { name value origin }
          connection { dataSourceInstances { nodes { path } } } }""",
    )

    assert shown["dataSourceInstance"]["path"] == "/data/notes?notebookId=7"
    pointer = {"key": "notes", "parameters": {"notebookId": 7}}
    assert shown["dataSourceInstance"]["settings"][0] == {"name": "POINTER", "value": pointer, "origin": "CONNECTION"}
    # What is stored is shown as it is stored, in the same answer.
    assert shown["dataSourceInstance"]["connection"]["dataSourceInstances"]["nodes"] == [{"path": "/data/notes"}]
    assert await stored(world.runtime) == before


async def test_pointing_at_a_directory_is_refused_and_changes_nothing(world: World):
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))

    error = await refuse(world, "dataSourceInstanceUpdate", by={"id": global_id(row)}, pointer={"path": "/data/archive"})

    assert error == {
        "code": "INVALID",
        "field": ["input", "pointer", "path"],
        "message": "Path '/data/archive' is a directory. Point the data source at a collection, such as '/data/notes?isPinned=false'.",
    }


async def test_an_id_of_another_type_is_refused_with_its_path(world: World):
    connected = await connection(world.runtime, world.acme)
    wrong = global_id(connected)
    message = f"Id {wrong!r} is the id of a Connection. Pass the `id` of a DataSourceInstance."

    direct = await refuse(world, "dataSourceInstanceRestore", id=wrong)
    selected = await refuse(world, "dataSourceInstanceSetup", by={"id": wrong})
    nested = await refuse(
        world, "dataSourceInstanceSetup", by={"of": {"connection": {"id": wrong}, "dataSource": {"id": wrong}, "instanceKey": None}}
    )

    assert direct == {"code": "INVALID", "field": ["input", "id"], "message": message}
    assert selected == {"code": "INVALID", "field": ["input", "by", "id"], "message": message}
    assert nested["field"] == ["input", "by", "of", "dataSource", "id"]


async def test_what_is_not_there_is_refused_alike_for_everybody(world: World):
    globex = await customer(world.runtime, "globex")
    theirs = global_id(await connection(world.runtime, globex))
    absent = global_id(Connection(id=new_id()))

    for name in ("connectionTest", "connectionArchive", "connectionUpdate"):
        assert await refuse(world, name, by={"id": theirs}) == await refuse(world, name, by={"id": absent})
        assert (await refuse(world, name, by={"id": theirs}))["code"] == "NOT_FOUND"
    assert (await refuse(world, "connectionRestore", id=theirs)) == (await refuse(world, "connectionRestore", id=absent))


async def test_anothers_instance_is_refused_as_if_it_did_not_exist(world: World):
    await definition(world.runtime)
    globex = await customer(world.runtime, "globex")
    connected = await connection(world.runtime, globex)
    theirs = global_id(await instance(world.runtime, globex, connected))
    absent = global_id(DataSourceInstance(id=new_id()))

    for verb in ("Update", "Setup", "Reset", "Archive"):
        error = await refuse(world, f"dataSourceInstance{verb}", by={"id": theirs})
        assert error == await refuse(world, f"dataSourceInstance{verb}", by={"id": absent})
        assert error["code"] == "NOT_FOUND"
    assert (await refuse(world, "dataSourceInstanceRestore", id=theirs))["code"] == "NOT_FOUND"
    given = {"connection": {"id": global_id(connected)}, "dataSource": {"key": "jottings"}}
    error = await refuse(world, "dataSourceInstanceCreate", **given)
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "connection", "id"])


async def test_a_stale_revision_is_refused(world: World):
    error = await refuse(world, "integrationUpdate", SYSTEM, key="notes", name="Mine", ifRevision="7")

    assert (error["code"], error["field"]) == ("CONFLICT", ["input", "ifRevision"])


async def test_credentials_that_the_app_refuses_are_a_user_error(world: World):
    error = await refuse(
        world,
        "connectionCreate",
        integrationKey="notes",
        parameters={"workspace": "home"},
        authMethod="token",
        credentials={"token": "wrong-token"},
    )

    assert error["code"] == "UPSTREAM_AUTH"
    assert "wrong-token" not in error["message"]


async def test_an_app_that_cannot_be_reached_is_no_mistake_of_the_caller(world: World, notes_app: NotesApp):
    notes_app.failure = UpstreamUnavailableError("Notes cannot be reached. Try again later.", may_have_been_received=False)
    before = await stored(world.runtime)
    given = {"integrationKey": "notes", "parameters": {"workspace": "home"}, "authMethod": "token", "credentials": {"token": GOOD_TOKEN}}

    result = await world.execute(document("connectionCreate"), input=given)

    assert result.data == {"connectionCreate": None}
    assert [(error.extensions, error.path) for error in result.errors] == [({"code": "UPSTREAM_UNAVAILABLE"}, ["connectionCreate"])]
    assert await stored(world.runtime) == before


@pytest.mark.parametrize("value", [[1], "text", 7])
async def test_parameters_must_be_an_object(world: World, value: object):
    error = await refuse(world, "integrationUpdate", SYSTEM, key="notes", parameters=value)

    assert error == {"code": "INVALID", "field": ["input", "parameters"], "message": "The value must be a JSON object."}


async def test_one_mutation_that_fails_leaves_its_neighbours(world: World, notes_app: NotesApp):
    connected = await connection(world.runtime, world.acme)
    notes_app.failure = UpstreamUnavailableError("Notes cannot be reached. Try again later.", may_have_been_received=False)
    text = """mutation ($by: ConnectionSelector!) {
      first: connectionTest(input: { by: $by }) { isAccepted }
      second: connectionUpdate(input: { by: $by, name: "Ours" }) { connection { name } }
      third: connectionArchive(input: { by: { integrationKey: "nowhere" } }) { connection { name } userErrors { code } } }"""

    result = await world.execute(text, by={"id": global_id(connected)})

    assert result.data == {
        "first": None,
        "second": {"connection": {"name": "Ours"}},
        "third": {"connection": None, "userErrors": [{"code": "NOT_FOUND"}]},
    }
    assert [error.extensions["code"] for error in result.errors] == ["UPSTREAM_UNAVAILABLE"]


async def test_each_mutation_of_a_request_shows_the_state_that_it_leaves(world: World):
    connected = await connection(world.runtime, world.acme)
    rename = (
        f'connectionUpdate(input: {{ by: {{ id: "{global_id(connected)}" }}, name: "Mine" }}) {{ connection {{ customer {{ name }} }} }}'
    )
    upsert = 'customerUpsert(input: { externalId: "acme", name: "Acme Corporation" }) { customer { name } }'

    payloads = await world.ask(f"mutation {{ before: {rename} {upsert} after: {rename} }}", SYSTEM)

    assert payloads["before"]["connection"]["customer"]["name"] is None
    assert payloads["after"]["connection"]["customer"]["name"] == "Acme Corporation"
