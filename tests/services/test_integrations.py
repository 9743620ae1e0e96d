"""Integrations: the connectors that this gateway offers, set up by admins."""

import pytest

from gateway.errors import AccessDeniedError, AlreadyExistsError, ConflictError, InvalidError, NotAuthenticatedError, NotFoundError
from gateway.models.principal import ANONYMOUS, SYSTEM
from gateway.services import elements, integrations
from gateway.storage.rows import RowWindow
from tests.support import runtime as given
from tests.support.runtime import refused


async def update(world, **changes):
    return await integrations.update(world.runtime, SYSTEM, key="notes", **changes)


async def test_a_new_integration_is_named_as_its_connector_unless_it_is_given_a_name(world):
    named = await given.integration(world.runtime, "other", name="Our notes", parameters={"region": "eu"})

    assert (world.integration.name, world.integration.parameters, world.integration.revision) == ("Notes", {}, 1)
    assert (named.name, named.parameters) == ("Our notes", {"region": "eu"})
    assert elements.integration_errors(world.runtime, named) == ()


@pytest.mark.parametrize(
    ("arguments", "error", "message", "field"),
    [
        ({"key": "notes"}, AlreadyExistsError, "There is an integration 'notes' already. Choose another key.", "key"),
        ({"key": "1"}, InvalidError, "Key '1' must start with a letter and hold at most 100 letters, digits, '-' and '_'.", "key"),
        (
            {"connector_key": "magic"},
            NotFoundError,
            "There is no connector 'magic'. There are: datasette, demo, kinto, notes, pocketbase.",
            "connectorKey",
        ),
        ({"name": ""}, InvalidError, "The text must not be blank.", "name"),
        (
            {"parameters": {"region": "mars"}},
            InvalidError,
            'The parameters are not valid: region: "mars" is not one of "eu" or "us".',
            "parameters",
        ),
        ({"parameters": "eu"}, InvalidError, "The value must be a JSON object.", "parameters"),
    ],
)
async def test_a_wrong_integration_is_refused_with_the_field_at_fault(world, arguments, error, message, field):
    async with refused(world.runtime, error, message, field=["input", field]):
        await given.integration(world.runtime, **({"key": "other"} | arguments))


async def test_what_was_left_out_of_an_update_stays_and_null_returns_to_the_default(world):
    assert (await update(world, name="Ours")).name == "Ours"
    moved = await update(world, parameters={"region": "us"})
    assert (moved.name, moved.parameters) == ("Ours", {"region": "us"})
    cleared = await update(world, name=None, parameters=None)
    assert (cleared.name, cleared.parameters, cleared.revision) == ("Notes", {}, 4)

    message = "It has changed: its revision is 4, not '3'. Read it again."
    async with refused(world.runtime, ConflictError, message, field=["input", "ifRevision"]):
        await update(world, name="Mine", if_revision="3")
    async with refused(world.runtime, NotFoundError, "There is no integration 'nowhere'.", field=["input", "key"]):
        await integrations.update(world.runtime, SYSTEM, key="nowhere", name="x")


async def test_an_archived_integration_is_found_by_id_only_and_comes_back_while_its_key_is_free(world):
    archived = await integrations.archive(world.runtime, SYSTEM, key="notes")
    assert await integrations.by_key(world.runtime, world.acme, key="notes") is None
    async with refused(world.runtime, NotFoundError, "There is no integration 'notes'.", field=["input", "key"]):
        await integrations.archive(world.runtime, SYSTEM, key="notes")

    await given.integration(world.runtime)
    message = "There is an integration 'notes' again. Archive that one first."
    async with refused(world.runtime, AlreadyExistsError, message, field=["input", "id"]):
        await integrations.restore(world.runtime, SYSTEM, id=archived.id)

    await integrations.archive(world.runtime, SYSTEM, key="notes")
    restored = await integrations.restore(world.runtime, SYSTEM, id=archived.id)
    assert (restored.archived_at, (await integrations.by_key(world.runtime, world.acme, key="notes")).id) == (None, archived.id)
    assert (await integrations.restore(world.runtime, SYSTEM, id=archived.id)).revision == restored.revision
    async with refused(world.runtime, NotFoundError, "There is no integration of that id.", field=["input", "id"]):
        await integrations.restore(world.runtime, SYSTEM, id=world.connection.id)


async def test_a_connector_that_is_gone_is_told_and_its_parameters_cannot_be_changed(world):
    async with world.runtime.database.write(SYSTEM) as session:
        row = await session.merge(world.integration)
        row.connector_key = "gone"

    errors = elements.integration_errors(world.runtime, row)
    assert [(error.code, error.message) for error in errors] == [("CONFIGURATION", "Connector 'gone' is not installed in this gateway.")]
    message = "Connector 'gone' is not installed, so that no parameters can be checked."
    async with refused(world.runtime, InvalidError, message, field=["input", "parameters"]):
        await update(world, parameters={"region": "eu"})
    assert (await update(world, name=None)).name == "notes"
    await given.instance(world.runtime, world.acme, world.connection)


async def test_everybody_reads_and_only_an_admin_writes(world):
    await given.integration(world.runtime, "other", name="100% other")

    async def found(search=None, **window):
        listing = await integrations.page(
            world.runtime, world.acme, window=RowWindow(**({"first": 10} | window)), search=search, include_archived=False
        )
        return [row.key for row in listing.rows], listing.has_next, await listing.count()

    assert await found() == (["notes", "other"], False, 2)
    assert await found(first=1) == (["notes"], True, 2)
    assert await found(after=world.integration.id) == (["other"], False, 2)
    assert await found("0% O") == (["other"], False, 1)
    await integrations.archive(world.runtime, SYSTEM, key="other")
    assert await found() == (["notes"], False, 1)
    for action in (
        integrations.create(world.runtime, world.acme, key="x", name=None, connector_key="notes", parameters=None),
        integrations.update(world.runtime, world.acme, key="notes", name="x"),
        integrations.archive(world.runtime, world.acme, key="notes"),
        integrations.restore(world.runtime, world.acme, id=world.integration.id),
    ):
        async with refused(world.runtime, AccessDeniedError, "Only an admin may do this."):
            await action
    with pytest.raises(NotAuthenticatedError):
        await integrations.by_key(world.runtime, ANONYMOUS, key="notes")
    with pytest.raises(NotAuthenticatedError):
        await integrations.archive(world.runtime, ANONYMOUS, key="notes")


async def test_a_search_for_more_than_any_name_holds_is_refused(world):
    message = "The search has 256 characters; no text that is searched has more than 255."
    window = RowWindow(first=10)
    async with refused(world.runtime, InvalidError, message):
        await integrations.page(world.runtime, SYSTEM, window=window, search="n" * 256, include_archived=False)
