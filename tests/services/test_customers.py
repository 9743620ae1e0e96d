"""Customers: created on first sight, kept up to date by their tokens, deleted with all that is theirs."""

import pytest

from gateway.errors import AccessDeniedError, InvalidError, NotFoundError
from gateway.models.principal import SYSTEM
from gateway.services import customers
from gateway.storage.rows import RowWindow
from tests.support import runtime as given
from tests.support.runtime import counts, refused, stored


async def see(runtime, external_id="acme", *, name=None, fields=None):
    return await customers.see(runtime, external_id=external_id, name=name, fields=fields)


async def test_a_customer_is_created_when_its_first_token_comes(runtime):
    first = await see(runtime, name="Acme", fields={"plan": "free"})
    again = await see(runtime)

    assert (first.external_id, first.name, first.fields) == ("acme", "Acme", {"plan": "free"})
    assert again.model_dump() == first.model_dump()
    assert await counts(runtime) == {"Customer": 1}


async def test_what_a_token_states_replaces_what_is_stored_and_what_it_leaves_out_stays(runtime, clock):
    await see(runtime, name="Acme", fields={"plan": "free", "seats": 1})
    clock.advance(60)

    renamed = await see(runtime, name="Acme Inc")
    assert (renamed.name, renamed.fields, renamed.updated_at) == ("Acme Inc", {"plan": "free", "seats": 1}, clock.now())
    upgraded = await see(runtime, fields={"plan": "paid"})
    assert (upgraded.name, upgraded.fields) == ("Acme Inc", {"plan": "paid"})
    clock.advance(60)
    assert (await see(runtime, name="Acme Inc", fields={"plan": "paid"})).updated_at < clock.now()
    assert (await see(runtime, name=" ")).name == "Acme Inc"
    assert (await see(runtime, fields={})).fields == {}
    await see(runtime, fields={"is_trial": 1})
    await see(runtime, fields={"is_trial": True})
    assert repr((await see(runtime)).fields) == "{'is_trial': True}"


@pytest.mark.parametrize(
    ("claims", "message", "field"),
    [
        ({"external_id": " "}, "The text must not be blank.", "externalId"),
        ({"external_id": "x" * 256}, "The text has 256 characters; at most 255 are stored.", "externalId"),
        ({"name": "\x00"}, "The text holds a NUL character or half of a surrogate pair.", "name"),
        ({"fields": {"a": "\ud800"}}, "The object holds a text with a NUL character or half of a surrogate pair.", "fields"),
        ({"fields": {"a": "x" * 70_000}}, "The object takes 70008 bytes of JSON; at most 65536 are stored.", "fields"),
    ],
)
async def test_a_claim_that_cannot_be_stored_is_refused(runtime, claims, message, field):
    async with refused(runtime, InvalidError, message, field=["input", field]):
        await see(runtime, **claims)


@pytest.mark.parametrize("external_id", ["a\x00b", "a\ud800b"])
async def test_an_id_that_no_database_keeps_is_refused_and_not_found(runtime, external_id):
    async with refused(runtime, InvalidError, UNSTORABLE, field=["input", "externalId"]):
        await see(runtime, external_id)
    async with refused(runtime, InvalidError, UNSTORABLE, field=["input", "externalId"]):
        await customers.upsert(runtime, SYSTEM, external_id=external_id)


UNSTORABLE = "The text holds a NUL character or half of a surrogate pair."


async def test_an_admin_creates_and_updates_customers(runtime):
    created = await customers.upsert(runtime, SYSTEM, external_id="acme", name="Acme")
    kept = await customers.upsert(runtime, SYSTEM, external_id="acme", fields={"plan": "paid"})
    cleared = await customers.upsert(runtime, SYSTEM, external_id="acme", name=None, fields=None)

    assert created.id == kept.id == cleared.id
    assert (created.fields, kept.name, kept.fields, cleared.name, cleared.fields) == ({}, "Acme", {"plan": "paid"}, None, {})


async def test_deleting_a_customer_deletes_all_it_owns_and_nothing_else(world):
    globex = await given.customer(world.runtime, "globex")
    theirs = await given.connection(world.runtime, globex)
    await given.instance(world.runtime, globex, theirs)
    before = await stored(world.runtime)
    second = await given.connection(world.runtime, world.acme, name="Second")
    for connection in (world.connection, second):
        await given.instance(world.runtime, world.acme, connection)

    assert await customers.delete(world.runtime, SYSTEM, external_id="acme") == "acme"

    mine = {world.acme.customer_id, world.connection.id}
    assert await stored(world.runtime) == {table: [row for row in rows if row["id"] not in mine] for table, rows in before.items()}
    message = f"There is no customer '{'x' * 100}'."
    async with refused(world.runtime, NotFoundError, message, field=["input", "externalId"]):
        await customers.delete(world.runtime, SYSTEM, external_id="x" * 1_000)


async def test_a_customer_seen_again_after_its_deletion_is_a_new_one(world):
    await customers.delete(world.runtime, SYSTEM, external_id="acme")

    assert (await see(world.runtime)).id != world.acme.customer_id
    assert (await counts(world.runtime))["Customer"] == 1


async def test_only_an_admin_sees_customers(world):
    await see(world.runtime, "globex", name="100% Globex")

    async def found(search=None):
        listing = await customers.page(world.runtime, SYSTEM, window=RowWindow(first=10), search=search)
        return [row.external_id for row in listing.rows], await listing.count()

    assert await found() == (["acme", "globex"], 2)
    assert await found("GLOB") == (["globex"], 1)
    assert await found("0% g") == (["globex"], 1)
    assert (await customers.by_external_id(world.runtime, SYSTEM, external_id="acme")).id == world.acme.customer_id
    assert await customers.by_external_id(world.runtime, SYSTEM, external_id="nobody") is None
    for action in (
        customers.page(world.runtime, world.acme, window=RowWindow(first=10), search=None),
        customers.by_external_id(world.runtime, world.acme, external_id="acme"),
        customers.upsert(world.runtime, world.acme, external_id="acme", name="x"),
        customers.delete(world.runtime, world.acme, external_id="acme"),
    ):
        async with refused(world.runtime, AccessDeniedError, "Only an admin may do this."):
            await action
