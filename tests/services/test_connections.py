"""Connections: checked against the app before they are saved, disconnected when it refuses them, and never telling their secrets."""

import gc
import weakref
from datetime import timedelta

import pytest

from gateway.errors import (
    AccessDeniedError,
    AmbiguousError,
    InvalidError,
    NotFoundError,
    UpstreamAuthError,
    UpstreamUnavailableError,
)
from gateway.models import ConnectionState
from gateway.models.principal import SYSTEM
from gateway.services import connections, data_source_instances, elements, integrations, places
from gateway.services.access import app_of, open_app
from gateway.services.selectors import ConnectionFilter, ConnectionSelector, DataSourceInstanceSelector
from gateway.storage.rows import RowWindow
from tests.support import runtime as given
from tests.support.notes_connector import GOOD_TOKEN, parameters
from tests.support.runtime import refused, stored


def by(connection):
    return ConnectionSelector(id=connection.id)


async def update(world, **changes):
    return await connections.update(world.runtime, world.acme, by=by(world.connection), **changes)


async def reread(world):
    return await connections.by_selector(world.runtime, world.acme, by=by(world.connection))


async def state_of(world):
    return elements.connection_state(world.runtime, await reread(world), world.integration)


async def test_a_connection_that_the_app_accepts_is_saved_sealed(world, notes_app):
    connection = world.connection

    assert notes_app.requests == ["check"]
    assert (connection.name, connection.parameters, connection.auth_method) == ("Notes", {"workspace": "home", "pace": 5}, "token")
    assert (connection.customer_id, connection.integration_id) == (world.acme.customer_id, world.integration.id)
    assert await state_of(world) == ConnectionState.READY
    assert GOOD_TOKEN.encode() not in connection.credentials
    assert open_app(world.runtime, connection, world.integration).access.credentials == {"token": GOOD_TOKEN}


async def test_no_repr_tells_a_secret(world):
    app = open_app(world.runtime, world.connection, world.integration)

    for thing in (world.connection, app, app.access, world.runtime, world):
        assert GOOD_TOKEN not in repr(thing)
        assert repr(world.connection.credentials) not in repr(thing)


async def test_a_connection_is_opened_once_for_each_state_that_it_has(world, notes_app):
    notes_app.accepted_tokens.add("another-token-that-notes-accepts")
    runtime = world.runtime.for_operation()

    async def opened(connection, runtime=runtime):
        async with app_of(runtime, world.acme, connection, world.integration) as app:
            assert app.access.operation is runtime.operation
            return app.access

    first = await opened(world.connection)
    assert (await opened(world.connection)).credentials is first.credentials
    assert (await opened(world.connection, world.runtime)).credentials is first.credentials

    renamed = await update(world, name="Notes of today", credentials={"token": "another-token-that-notes-accepts"})
    assert (await opened(renamed)).credentials == {"token": "another-token-that-notes-accepts"}
    assert (await opened(world.connection)).credentials == {"token": GOOD_TOKEN}
    archived = await connections.archive(world.runtime, world.acme, by=by(world.connection))
    async with refused(world.runtime, InvalidError, "Connection 'Notes of today' is archived. Restore it first."):
        await opened(archived)
    retired = await integrations.archive(world.runtime, SYSTEM, key="notes")
    with pytest.raises(InvalidError, match="is archived"):
        async with app_of(runtime, world.acme, world.connection, retired):
            raise AssertionError("An app was opened.")


async def test_a_row_that_has_changed_since_it_was_opened_is_looked_at_again(world):
    async def open_it():
        async with app_of(world.runtime, world.acme, world.connection, world.integration):
            pass

    await open_it()
    world.connection.error = {"code": UpstreamAuthError.code, "message": "Notes refused the token."}
    world.connection.updated_at += timedelta(seconds=1)

    async with refused(world.runtime, UpstreamAuthError, "Notes refused the token."):
        await open_it()


async def test_an_opened_connection_keeps_nothing_of_the_operation_that_opened_it_and_counts_all_that_it_holds(world):
    runtime = world.runtime.for_operation()
    answers = weakref.ref(runtime.operation)
    async with app_of(runtime, world.acme, world.connection, world.integration):
        weight = world.runtime.opened.weight
    del runtime
    gc.collect()
    assert answers() is None

    large = await given.integration(world.runtime, "large")
    connection = await given.connection(world.runtime, world.acme, integration_key="large", parameters=parameters() | {"pace": 10**9})
    async with app_of(world.runtime, world.acme, connection, large):
        assert world.runtime.opened.weight - weight == weight + 20 * (len("1000000000") - len("5"))


async def test_refused_credentials_save_nothing_and_are_not_repeated(world, notes_app):
    message = "Notes does not know the token [redacted]."
    async with refused(world.runtime, UpstreamAuthError, message):
        await given.connection(world.runtime, world.acme, credentials={"token": "wrong-token-of-acme"})
    async with refused(world.runtime, UpstreamAuthError, message):
        await update(world, credentials={"token": "wrong-token-of-acme"})

    assert await state_of(world) == ConnectionState.READY
    assert notes_app.requests == ["check", "check", "check"]


async def test_an_app_that_cannot_be_asked_saves_nothing(world, notes_app):
    notes_app.failure = UpstreamUnavailableError("Notes is down.", may_have_been_received=False)

    async with refused(world.runtime, UpstreamUnavailableError, "Notes is down."):
        await given.connection(world.runtime, world.acme)
    async with refused(world.runtime, UpstreamUnavailableError, "Notes is down."):
        await update(world, parameters=parameters(pace=1), credentials={"token": GOOD_TOKEN})
    async with refused(world.runtime, UpstreamUnavailableError, "Notes is down."):
        await connections.test(world.runtime, world.acme, by=by(world.connection))


SECRET = "s3cret"


UNSTORABLE = "The object holds a text with a NUL character or half of a surrogate pair."


BAD_TOKEN = "The credentials are not valid: token: missing, unknown or not valid."


BAD_CREDENTIALS = "The credentials are not valid: missing, unknown or not valid."


@pytest.mark.parametrize(
    ("arguments", "error", "message", "field"),
    [
        ({"integration_key": "nowhere"}, NotFoundError, "There is no integration 'nowhere'.", "integrationKey"),
        ({"auth_method": None}, InvalidError, "Choose an auth method. Notes offers 'token', 'open'.", "authMethod"),
        ({"auth_method": "magic"}, InvalidError, "There is no auth method 'magic'. Notes offers 'token', 'open'.", "authMethod"),
        ({"parameters": None}, InvalidError, 'The parameters are not valid: "workspace" is a required property.', "parameters"),
        (
            {"parameters": parameters(pace="fast")},
            InvalidError,
            'The parameters are not valid: pace: "fast" is not of type "integer".',
            "parameters",
        ),
        (
            {"parameters": parameters(url="x")},
            InvalidError,
            "The parameters are not valid: Additional properties are not allowed ('url' was unexpected).",
            "parameters",
        ),
        ({"parameters": parameters(workspace="\ud800")}, InvalidError, UNSTORABLE, "parameters"),
        ({"parameters": []}, InvalidError, "The value must be a JSON object.", "parameters"),
        ({"credentials": None}, InvalidError, BAD_CREDENTIALS, "credentials"),
        ({"credentials": {"token": SECRET}}, InvalidError, BAD_TOKEN, "credentials"),
        ({"credentials": {"token": [SECRET * 9]}}, InvalidError, BAD_TOKEN, "credentials"),
        ({"credentials": {SECRET: SECRET, "token": GOOD_TOKEN}}, InvalidError, BAD_CREDENTIALS, "credentials"),
        ({"credentials": {"token": SECRET + "\x00" * 9}}, InvalidError, UNSTORABLE, "credentials"),
        ({"credentials": {"token": 2**70}}, InvalidError, "The object holds an integer beyond 64 bits.", "credentials"),
        ({"auth_method": "open"}, InvalidError, BAD_CREDENTIALS, "credentials"),
        ({"name": "\x00"}, InvalidError, "The text holds a NUL character or half of a surrogate pair.", "name"),
        ({"name": "x" * 256}, InvalidError, "The text has 256 characters; at most 255 are stored.", "name"),
        ({"customer_external_id": "acme"}, AccessDeniedError, "Only an admin may connect an app for a customer.", "customerExternalId"),
        ({"customer_external_id": "globex"}, AccessDeniedError, "Only an admin may connect an app for a customer.", "customerExternalId"),
    ],
)
async def test_a_wrong_input_is_refused_before_the_app_is_asked(world, notes_app, arguments, error, message, field):
    notes_app.requests.clear()
    async with refused(world.runtime, error, message, field=["input", field]):
        await given.connection(world.runtime, world.acme, **arguments)

    assert notes_app.requests == []
    assert SECRET not in message


async def test_an_admin_connects_for_a_customer_by_name(world):
    connection = await given.connection(world.runtime, SYSTEM, customer_external_id="acme", name="Second")

    assert connection.customer_id == world.acme.customer_id
    field = ["input", "customerExternalId"]
    async with refused(world.runtime, InvalidError, "An admin names the customer whose connection this is.", field=field):
        await given.connection(world.runtime, SYSTEM)
    async with refused(world.runtime, NotFoundError, "There is no customer 'nobody'. Create it first.", field=field):
        await given.connection(world.runtime, SYSTEM, customer_external_id="nobody")


async def test_a_new_name_asks_nothing_and_null_returns_to_the_integrations(world, notes_app):
    notes_app.requests.clear()

    assert (await update(world, name="Mine")).name == "Mine"
    assert (await update(world, name=None)).name == "Notes"
    assert notes_app.requests == []


async def test_new_parameters_need_the_credentials_again(world, notes_app):
    notes_app.requests.clear()
    message = "New parameters need the credentials again: the stored ones were given for another app."
    async with refused(world.runtime, InvalidError, message, field=["input", "credentials"]):
        await update(world, parameters={"workspace": "of-an-attacker"})
    assert notes_app.requests == []

    updated = await update(world, parameters={"workspace": "work"}, credentials={"token": GOOD_TOKEN})
    assert (updated.parameters, updated.revision) == ({"workspace": "work", "pace": 5}, 2)
    same = await update(world, parameters=updated.parameters)
    assert notes_app.requests == ["check", "check"]
    assert open_app(world.runtime, same, world.integration).access.credentials == {"token": GOOD_TOKEN}


async def test_where_there_are_no_credentials_new_parameters_need_none(world):
    connection = await given.connection(world.runtime, world.acme, auth_method="open", credentials=None)

    moved = await connections.update(world.runtime, world.acme, by=by(connection), parameters={"workspace": "work"})

    assert moved.parameters == {"workspace": "work", "pace": 5}


async def test_archiving_takes_the_instances_along_and_a_restore_brings_exactly_those_back(world, clock):
    kept = await given.instance(world.runtime, world.acme, world.connection)
    gone = await given.instance(world.runtime, world.acme, world.connection, instance_key="gone")
    await data_source_instances.archive(world.runtime, world.acme, by=DataSourceInstanceSelector(id=gone.id))
    clock.advance(1)

    archived = await connections.archive(world.runtime, world.acme, by=by(world.connection))
    rows = {row["id"]: row for row in (await stored(world.runtime))["DataSourceInstance"]}
    assert (rows[kept.id]["archived_at"], rows[kept.id]["revision"]) == (archived.archived_at, kept.revision + 1)
    assert rows[gone.id]["archived_at"] < archived.archived_at
    assert await connections.by_selector(world.runtime, world.acme, by=ConnectionSelector(integration_key="notes")) is None
    assert (await connections.archive(world.runtime, world.acme, by=by(world.connection))).revision == archived.revision
    message = "Connection 'Notes' is archived. Restore it first."
    for action in (update(world, name="x"), connections.test(world.runtime, world.acme, by=by(world.connection))):
        async with refused(world.runtime, InvalidError, message, field=["input", "by"]):
            await action
    async with refused(world.runtime, InvalidError, message):
        await places.location(world.runtime, world.acme, connection=await reread(world), path="/")

    clock.advance(1)
    restored = await connections.restore(world.runtime, world.acme, id=world.connection.id)
    rows = {row["id"]: row for row in (await stored(world.runtime))["DataSourceInstance"]}
    assert (restored.archived_at, rows[kept.id]["archived_at"], rows[gone.id]["archived_at"] is None) == (None, None, False)
    assert (await connections.restore(world.runtime, world.acme, id=world.connection.id)).revision == restored.revision


async def test_several_connections_to_one_integration_are_told_apart_by_id(world):
    second = await given.connection(world.runtime, world.acme, name="Second")

    message = "There are several connections to 'notes'. Select one by id."
    async with refused(world.runtime, AmbiguousError, message, field=["input", "by", "integrationKey"]):
        await connections.archive(world.runtime, world.acme, by=ConnectionSelector(integration_key="notes"))
    of_acme = ConnectionSelector(integration_key="notes", customer_external_id="acme")
    async with refused(world.runtime, AmbiguousError, message, field=["input", "by", "customerIntegration"]):
        await connections.archive(world.runtime, SYSTEM, by=of_acme)
    await connections.archive(world.runtime, world.acme, by=by(second))
    of_own = ConnectionSelector(integration_key="notes")
    assert (await connections.by_selector(world.runtime, world.acme, by=of_own)).id == world.connection.id
    assert (await connections.by_selector(world.runtime, SYSTEM, by=of_acme)).id == world.connection.id


async def test_another_customers_connection_does_not_exist(world, notes_app):
    globex = await given.customer(world.runtime, "globex")
    notes_app.requests.clear()
    runtime = world.runtime

    for selector in (
        by(world.connection),
        ConnectionSelector(integration_key="notes", customer_external_id="acme"),
        ConnectionSelector(integration_key="notes"),
    ):
        assert await connections.by_selector(runtime, globex, by=selector) is None
    for action in (
        connections.update(runtime, globex, by=by(world.connection), name="x"),
        connections.test(runtime, globex, by=by(world.connection)),
        connections.archive(runtime, globex, by=by(world.connection)),
    ):
        async with refused(runtime, NotFoundError, "There is no connection of that id.", field=["input", "by", "id"]):
            await action
    async with refused(runtime, NotFoundError, "There is no connection of that id.", field=["input", "id"]):
        await connections.restore(runtime, globex, id=world.connection.id)
    assert notes_app.requests == []


async def test_a_filter_narrows_the_list(world, notes_app):
    globex = await given.customer(world.runtime, "globex")
    await given.integration(world.runtime, "other")
    second = await given.connection(world.runtime, world.acme, name="100% mine", integration_key="other")
    theirs = await given.connection(world.runtime, globex)
    notes_app.accepted_tokens.clear()
    await connections.test(world.runtime, world.acme, by=by(second))
    await integrations.archive(world.runtime, SYSTEM, key="other")
    third = await given_open(world)

    async def found(principal=SYSTEM, first=10, **given_filter):
        wanted = ConnectionFilter(**given_filter)
        listing = await connections.page(world.runtime, principal, window=RowWindow(first=first), filter=wanted, include_archived=False)
        return [row.id for row in listing.rows], listing.has_next, await listing.count()

    ids = [world.connection.id, second.id, theirs.id, third.id]
    assert await found() == (ids, False, 4)
    assert await found(world.acme) == ([ids[0], ids[1], ids[3]], False, 3)
    assert await found(globex, customer_external_id="acme") == ([], False, 0)
    assert await found(customer_external_id="globex") == ([ids[2]], False, 1)
    assert await found(integration_key="notes", first=1) == ([ids[0]], True, 3)
    assert await found(search="0% M") == ([ids[1]], False, 1)
    assert await found(states=(ConnectionState.READY,), first=2) == ([ids[0], ids[2]], True, 3)
    assert await found(states=(ConnectionState.CONFIGURATION_ERROR,)) == ([ids[1]], False, 1)
    assert await found(states=(ConnectionState.DISCONNECTED,)) == ([], False, 0)


async def given_open(world):
    return await given.connection(world.runtime, world.acme, auth_method="open", credentials=None)
