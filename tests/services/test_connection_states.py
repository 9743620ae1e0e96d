"""What the app says of a connection while it is used: disconnected, back, changed meanwhile, wrongly configured."""

import pytest

from gateway.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    UpstreamAuthError,
)
from gateway.models import ConnectionState
from gateway.models.principal import SYSTEM
from gateway.services import connections, customers, elements, integrations, places, records
from gateway.services.selectors import ConnectionSelector
from gateway.storage.rows import RowWindow
from tests.support import runtime as given
from tests.support.notes_connector import GOOD_TOKEN
from tests.support.runtime import counts, refused

OTHER_TOKEN = "another-token-that-notes-accepts"


def by(connection):
    return ConnectionSelector(id=connection.id)


async def update(world, **changes):
    return await connections.update(world.runtime, world.acme, by=by(world.connection), **changes)


async def reread(world):
    return await connections.by_selector(world.runtime, world.acme, by=by(world.connection))


async def state_of(world):
    return elements.connection_state(world.runtime, await reread(world), world.integration)


async def read_records(world):
    return await records.page(world.runtime, world.acme, place=await given.place(world.runtime, await reread(world)), first=3, after=None)


async def test_nothing_is_locked_while_the_app_is_asked(world, notes_app):
    async def somebody_else_writes():
        await customers.upsert(world.runtime, SYSTEM, external_id="initech")

    for action in (
        lambda: given.connection(world.runtime, world.acme, name="Second"),
        lambda: update(world, credentials={"token": GOOD_TOKEN}),
        lambda: connections.test(world.runtime, world.acme, by=by(world.connection)),
        lambda: read_records(world),
    ):
        notes_app.meanwhile = somebody_else_writes
        await action()
        assert notes_app.meanwhile is None


async def test_the_app_refuses_a_connection_during_a_read_and_it_is_disconnected_until_it_accepts_it_again(world, notes_app):
    notes_app.accepted_tokens.clear()
    with pytest.raises(UpstreamAuthError) as caught:
        await read_records(world)
    assert caught.value.message == "Notes does not know the token [redacted]."
    assert await state_of(world) == ConnectionState.DISCONNECTED
    assert (await reread(world)).error == {"code": "UPSTREAM_AUTH", "message": "Notes does not know the token [redacted]."}

    notes_app.requests.clear()
    async with refused(world.runtime, UpstreamAuthError, "Notes does not know the token [redacted]."):
        await read_records(world)
    assert notes_app.requests == []

    notes_app.accepted_tokens = {OTHER_TOKEN}
    assert (await connections.test(world.runtime, world.acme, by=by(world.connection))).is_accepted is False
    updated = await update(world, credentials={"token": OTHER_TOKEN})
    assert (updated.error, await state_of(world)) == (None, ConnectionState.READY)
    assert len((await read_records(world)).edges) == 3


async def test_a_test_follows_the_apps_answer(world, notes_app):
    notes_app.accepted_tokens.clear()
    result = await connections.test(world.runtime, world.acme, by=by(world.connection))
    assert (result.is_accepted, result.connection.error["code"]) == (False, "UPSTREAM_AUTH")

    notes_app.accepted_tokens.add(GOOD_TOKEN)
    result = await connections.test(world.runtime, world.acme, by=by(world.connection))
    assert (result.is_accepted, result.connection.error) == (True, None)
    assert (await connections.test(world.runtime, world.acme, by=by(world.connection))).connection.revision == result.connection.revision


async def test_refused_credentials_that_were_replaced_meanwhile_disconnect_nothing(world, notes_app):
    async def new_credentials():
        notes_app.accepted_tokens = {OTHER_TOKEN}
        await update(world, credentials={"token": OTHER_TOKEN})

    notes_app.meanwhile = new_credentials
    with pytest.raises(UpstreamAuthError):
        await read_records(world)

    assert await state_of(world) == ConnectionState.READY
    assert len((await read_records(world)).edges) == 3


async def test_a_connection_that_was_changed_while_the_app_was_asked_is_not_overwritten(world, notes_app):
    async def rename():
        await update(world, name="Mine")

    notes_app.meanwhile = rename
    with pytest.raises(ConflictError) as caught:
        await update(world, name="Yours", credentials={"token": GOOD_TOKEN})

    assert caught.value.message == "Connection 'Notes' was changed by somebody else. Read it again."
    assert ((await reread(world)).name, (await reread(world)).revision) == ("Mine", 2)
    message = "It has changed: its revision is 2, not '1'. Read it again."
    async with refused(world.runtime, ConflictError, message, field=["input", "ifRevision"]):
        await update(world, name="Yours", if_revision="1")


async def test_an_integration_that_was_changed_while_the_app_was_asked_is_not_connected_half_old(world, notes_app):
    async def move():
        await integrations.update(world.runtime, SYSTEM, key="notes", parameters={"region": "us"})

    notes_app.meanwhile = move
    with pytest.raises(ConflictError) as caught:
        await given.connection(world.runtime, world.acme)

    assert (caught.value.message, caught.value.field) == (
        "Integration 'notes' was changed by somebody else. Repeat the request.",
        ["input", "integrationKey"],
    )
    assert (await counts(world.runtime))["Connection"] == 1


async def test_a_customer_that_is_deleted_while_the_app_is_asked_gets_no_connection(world, notes_app):
    async def delete():
        await customers.delete(world.runtime, SYSTEM, external_id="acme")

    notes_app.meanwhile = delete
    with pytest.raises(NotFoundError) as caught:
        await given.connection(world.runtime, world.acme)

    assert caught.value.message == "The customer was deleted at this moment."
    assert await counts(world.runtime) == {"Integration": 1, "DataSource": 1}


async def test_a_connection_whose_configuration_is_wrong_says_so_and_asks_nothing(world, notes_app):
    await integrations.archive(world.runtime, SYSTEM, key="notes")
    archived = await integrations.page(world.runtime, SYSTEM, window=RowWindow(first=1), search=None, include_archived=True)
    notes_app.requests.clear()

    message = "Its integration 'notes' cannot be used: Integration 'notes' is archived. Restore it first."
    errors = elements.connection_errors(world.runtime, world.connection, archived.rows[0])
    assert [(error.code, error.message) for error in errors] == [("CONFIGURATION", message)]
    assert elements.connection_state(world.runtime, world.connection, archived.rows[0]) == ConnectionState.CONFIGURATION_ERROR
    async with refused(world.runtime, InvalidError, f"Connection 'Notes' cannot be used: {message}"):
        await read_records(world)
    async with refused(world.runtime, InvalidError, f"Connection 'Notes' cannot be used: {message}"):
        await places.location(world.runtime, world.acme, connection=world.connection, path="/")
    async with refused(world.runtime, InvalidError, "Integration 'notes' is archived. Restore it first.", field=["input", "by"]):
        await update(world, name="x")
    assert notes_app.requests == []


async def test_a_connection_that_was_checked_with_an_integration_as_it_was_is_not_saved(world, notes_app):
    async def reconfigure():
        await integrations.update(world.runtime, SYSTEM, key="notes", parameters={"region": "eu"})

    notes_app.meanwhile = reconfigure
    with pytest.raises(ConflictError, match="Integration 'notes' was changed by somebody else"):
        await update(world, name="New", credentials={"token": GOOD_TOKEN})

    assert (await reread(world)).model_dump() == world.connection.model_dump()
