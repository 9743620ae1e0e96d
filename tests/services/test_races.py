"""Many callers at once end as if they had come one after the other, on both databases."""

import asyncio
from collections import Counter

import pytest

from gateway.errors import AlreadyExistsError, ConflictError, GatewayError, InvalidError, NotFoundError, UpstreamAuthError
from gateway.models.principal import SYSTEM
from gateway.services import connections, customers, data_source_instances, data_sources, integrations, records
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector, DataSourceSelector, PointerInput
from tests.support import runtime as given
from tests.support.notes_connector import GOOD_TOKEN
from tests.support.runtime import counts, stored

JOTTINGS = DataSourceSelector(key="jottings")


@pytest.fixture
def runtime_url(database_url):
    """Every test here runs on SQLite and on PostgreSQL."""
    return database_url


async def together(*actions):
    """What the actions, all at once, ended with: results, or errors of the gateway. Anything else fails the test."""
    outcomes = await asyncio.gather(*actions, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, GatewayError):
            raise outcome
    return outcomes


def kinds(outcomes):
    return Counter(outcome.code if isinstance(outcome, GatewayError) else "OK" for outcome in outcomes)


def create_instance(world):
    return data_source_instances.create(
        world.runtime,
        world.acme,
        connection=ConnectionSelector(integration_key="notes"),
        data_source=JOTTINGS,
        instance_key=None,
    )


async def test_twenty_callers_create_one_instance_and_set_it_up_once(world, notes_app):
    outcomes = await together(*(create_instance(world) for _ in range(20)))

    assert len({instance.id for instance, _ in outcomes}) == 1
    assert Counter(is_created for _, is_created in outcomes) == {True: 1, False: 19}
    assert (await counts(world.runtime))["DataSourceInstance"] == 1
    assert notes_app.requests == ["check", "describe"]


async def test_twenty_callers_revive_one_instance(world, notes_app):
    instance, _ = await create_instance(world)
    await data_source_instances.archive(world.runtime, world.acme, by=DataSourceInstanceSelector(id=instance.id))

    outcomes = await together(*(create_instance(world) for _ in range(20)))

    assert {row.id for row, _ in outcomes} == {instance.id}
    assert Counter(is_created for _, is_created in outcomes) == {True: 1, False: 19}
    assert {row.generation for row, _ in outcomes} == {2}
    assert notes_app.requests == ["check", "describe", "describe"]


async def test_twenty_first_tokens_make_one_customer(runtime):
    outcomes = await together(
        *(customers.see(runtime, external_id="acme", name=f"Acme {number}", fields={"n": number}) for number in range(20))
    )

    assert len({row.id for row in outcomes}) == 1
    (row,) = (await stored(runtime))["Customer"]
    assert row["name"] == f"Acme {row['fields']['n']}"


async def test_a_key_is_given_to_one_of_ten_definitions_or_integrations(world):
    definitions = await together(*(given.definition(world.runtime, "other") for _ in range(10)))
    others = await together(*(given.integration(world.runtime, "other") for _ in range(10)))

    assert kinds(definitions) == kinds(others) == {"OK": 1, "ALREADY_EXISTS": 9}
    assert {type(outcome) for outcome in definitions if isinstance(outcome, Exception)} == {AlreadyExistsError}


async def test_a_key_never_becomes_universal_and_an_integrations_own_at_once(world):
    for number in range(5):
        outcomes = await together(
            given.definition(world.runtime, f"key{number}"), given.definition(world.runtime, f"key{number}", integration_key="notes")
        )
        assert kinds(outcomes) == {"OK": 1, "ALREADY_EXISTS": 1}


async def test_ten_callers_apply_one_customisation(world):
    outcomes = await together(*(data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=["notes"]) for _ in range(10)))

    assert len({row.id for (row,) in outcomes}) == 1
    assert (await counts(world.runtime))["DataSource"] == 2


async def test_no_customisation_outlives_its_archived_definition(world):
    keys = ["notes", *(f"notes{number}" for number in range(5))]
    for key in keys[1:]:
        await given.integration(world.runtime, key)

    outcomes = await together(
        *(data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=[key]) for key in keys[:3]),
        data_sources.archive(world.runtime, SYSTEM, by=JOTTINGS),
        *(data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=[key]) for key in keys[3:]),
    )

    assert {type(outcome) for outcome in outcomes if isinstance(outcome, Exception)} <= {NotFoundError}
    assert [row["key"] for row in (await stored(world.runtime))["DataSource"] if row["archived_at"] is None] == []


async def test_no_instance_outlives_its_archived_connection(world):
    def create(key):
        return given.instance(world.runtime, world.acme, world.connection, instance_key=key)

    outcomes = await together(
        *(create(f"before{number}") for number in range(6)),
        connections.archive(world.runtime, world.acme, by=ConnectionSelector(id=world.connection.id)),
        *(create(f"after{number}") for number in range(6)),
    )

    assert {type(outcome) for outcome in outcomes if isinstance(outcome, Exception)} <= {InvalidError}
    rows = await stored(world.runtime)
    assert [row["instance_key"] for row in rows["DataSourceInstance"] if row["archived_at"] is None] == []
    restored = await connections.restore(world.runtime, world.acme, id=world.connection.id)
    assert restored.archived_at is None
    active = [row for row in (await stored(world.runtime))["DataSourceInstance"] if row["archived_at"] is None]
    assert len(active) == kinds(outcomes)["OK"] - 1


async def test_archiving_many_times_at_once_archives_once(world):
    await create_instance(world)
    by = ConnectionSelector(id=world.connection.id)

    of_connection = await together(*(connections.archive(world.runtime, world.acme, by=by) for _ in range(10)))
    by_id = DataSourceSelector(id=world.jottings.id)
    of_definition = await together(*(data_sources.archive(world.runtime, SYSTEM, by=by_id) for _ in range(10)))

    assert kinds(of_connection) == kinds(of_definition) == {"OK": 10}
    assert {row.revision for row in (*of_connection, *of_definition)} == {2}


async def test_no_update_of_an_instance_is_lost(world):
    instance, _ = await create_instance(world)

    outcomes = await together(
        *(
            data_source_instances.update(
                world.runtime,
                world.acme,
                by=DataSourceInstanceSelector(id=instance.id),
                pointer=PointerInput(key="notes", parameters={"notebookId": number}),
            )
            for number in range(1, 21)
        )
    )

    done = kinds(outcomes)["OK"]
    assert done >= 1
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, Exception)} <= {ConflictError}
    (row,) = (await stored(world.runtime))["DataSourceInstance"]
    assert (row["generation"], row["revision"]) == (1 + done, 1 + done)


async def test_one_of_many_updates_of_the_same_revision_is_taken(world):
    outcomes = await together(
        *(
            data_sources.update(world.runtime, SYSTEM, by=JOTTINGS, name=f"name {number}", if_revision=str(world.jottings.revision))
            for number in range(10)
        )
    )

    assert kinds(outcomes) == {"OK": 1, "CONFLICT": 9}


async def test_a_customer_deleted_while_it_connects_leaves_nothing_behind(world):
    globex = await given.customer(world.runtime, "globex")

    outcomes = await together(
        *(given.connection(world.runtime, globex, name=f"number {number}") for number in range(4)),
        customers.delete(world.runtime, SYSTEM, external_id="globex"),
        *(given.connection(world.runtime, globex, name=f"number {number}") for number in range(4, 8)),
    )

    assert {type(outcome) for outcome in outcomes if isinstance(outcome, Exception)} <= {NotFoundError, ConflictError}
    rows = await stored(world.runtime)
    owners = {row["id"] for row in rows["Customer"]}
    assert {row["customer_id"] for row in rows["Connection"]} <= owners
    if outcomes[4] == "globex":
        assert owners == {world.acme.customer_id}


async def test_many_refused_reads_disconnect_once_and_many_tests_bring_it_back(world, notes_app):
    notes_app.accepted_tokens.clear()
    by = ConnectionSelector(id=world.connection.id)
    place = await given.place(world.runtime, world.connection)

    reads = await together(*(records.page(world.runtime, world.acme, place=place, first=1, after=None) for _ in range(10)))
    assert {type(outcome) for outcome in reads} == {UpstreamAuthError}
    disconnected = await connections.by_selector(world.runtime, world.acme, by=by)
    assert (disconnected.error["code"], disconnected.revision) == ("UPSTREAM_AUTH", 2)

    notes_app.accepted_tokens.add(GOOD_TOKEN)
    tests = await together(*(connections.test(world.runtime, world.acme, by=by) for _ in range(10)))
    assert {(test.is_accepted, test.connection.error) for test in tests} == {(True, None)}


async def test_one_restore_of_a_key_is_taken_when_another_takes_it_at_the_same_moment(world):
    archived = await integrations.archive(world.runtime, SYSTEM, key="notes")

    outcomes = await together(
        given.integration(world.runtime), integrations.restore(world.runtime, SYSTEM, id=archived.id), given.integration(world.runtime)
    )

    assert kinds(outcomes) == {"OK": 1, "ALREADY_EXISTS": 2}
