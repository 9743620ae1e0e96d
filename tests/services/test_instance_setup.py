"""Whether an instance can be used: what a setup finds, what stands in its way, and how it recovers."""

import pytest

from gateway.errors import (
    ConfigurationError,
    NoCollectionSelectedError,
    UnsupportedError,
    UpstreamCallsExceededError,
    UpstreamUnavailableError,
)
from gateway.models import ElementState, Pointer
from gateway.models.principal import SYSTEM
from gateway.services import connections, data_source_instances, data_sources, elements, integrations
from gateway.services.selectors import ConnectionSelector, DataSourceSelector, PointerInput
from tests.services.instances import by, health_of, settings_of, update
from tests.support import runtime as given
from tests.support.notes_connector import GOOD_TOKEN
from tests.support.runtime import context_of

DOWN = UpstreamUnavailableError("Notes is down.", may_have_been_received=False)


async def test_an_app_that_is_down_makes_a_new_instance_setup_failed_until_it_is_set_up_again(world, notes_app):
    notes_app.failure = DOWN
    instance = await given.instance(world.runtime, world.acme, world.connection)

    health = await health_of(world, instance)
    assert health.state == ElementState.SETUP_FAILED
    assert [(error.code, error.message, error.element) for error in health.errors] == [("UPSTREAM_UNAVAILABLE", "Notes is down.", None)]
    failed_again = await data_source_instances.setup(world.runtime, world.acme, by=by(instance))
    assert failed_again.revision == instance.revision

    notes_app.failure = None
    ready = await data_source_instances.setup(world.runtime, world.acme, by=by(instance))
    assert (await health_of(world, instance)) == elements.Health(state=ElementState.READY, errors=())
    assert ready.setup_error is None
    assert (await data_source_instances.setup(world.runtime, world.acme, by=by(instance))).revision == ready.revision


async def test_a_failed_setup_tells_nothing_of_the_collection_that_it_is_pointed_at_afterwards(world, notes_app):
    notes_app.failure = DOWN
    instance = await given.instance(world.runtime, world.acme, world.connection)
    notes_app.failure = None
    assert (await health_of(world, instance)).state == ElementState.SETUP_FAILED

    await data_sources.update(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings"), pointer=PointerInput(path="/data/people"))
    assert (await health_of(world, instance)).state == ElementState.READY
    await data_sources.update(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings"), pointer=None)
    assert (await health_of(world, instance)).state == ElementState.SETUP_FAILED
    await update(world, instance, pointer=PointerInput(path="/data/people"))
    assert (await health_of(world, instance)).state == ElementState.READY


async def test_refused_credentials_are_told_of_the_connection_and_gone_when_it_is_back(world, notes_app):
    notes_app.accepted_tokens.clear()
    instance = await given.instance(world.runtime, world.acme, world.connection)

    health = await health_of(world, instance)
    assert (health.state, [(error.code, error.message) for error in health.errors]) == (
        ElementState.CONFIGURATION_ERROR,
        [("UPSTREAM_AUTH", "Its connection 'Notes' cannot be used: Notes does not know the token [redacted].")],
    )
    assert health.errors[0].element.id == world.connection.id

    notes_app.accepted_tokens.add(GOOD_TOKEN)
    await connections.test(world.runtime, world.acme, by=ConnectionSelector(id=world.connection.id))
    assert (await health_of(world, instance)) == elements.Health(state=ElementState.READY, errors=())


async def test_an_archived_integration_is_told_with_the_element_at_fault_and_gone_when_it_is_restored(world, instance):
    await integrations.archive(world.runtime, SYSTEM, key="notes")
    set_up = await data_source_instances.setup(world.runtime, world.acme, by=by(instance))

    health = await health_of(world, instance)
    assert (health.state, [(error.code, error.message) for error in health.errors]) == (
        ElementState.CONFIGURATION_ERROR,
        [
            (
                "CONFIGURATION",
                "Its connection 'Notes' cannot be used: Its integration 'notes' cannot be used: "
                "Integration 'notes' is archived. Restore it first.",
            )
        ],
    )
    assert set_up.setup_error is None
    await integrations.restore(world.runtime, SYSTEM, id=world.integration.id)
    assert (await health_of(world, instance)).state == ElementState.READY


async def test_an_instance_without_a_collection_is_ready_and_its_operations_say_what_to_do(world, notes_app):
    await given.definition(world.runtime, "anything", udm=None)
    notes_app.requests.clear()
    instance = await given.instance(world.runtime, world.acme, world.connection, "anything")

    context = await context_of(world.runtime, instance)
    assert context.health(world.runtime) == elements.Health(state=ElementState.READY, errors=())
    with pytest.raises(NoCollectionSelectedError) as caught:
        elements.pointer_of(world.runtime, context.settings(world.runtime), context.integration)
    assert caught.value.message == "Data source 'anything' points at no collection here. Point the data source or this instance at one."
    assert notes_app.requests == []


async def test_a_re_pointing_while_the_app_is_asked_keeps_what_came_last(world, instance, notes_app):
    async def point_at_people():
        await update(world, instance, pointer=PointerInput(path="/data/people"))

    notes_app.meanwhile = point_at_people
    seen = await update(world, instance, pointer=PointerInput(path="/data/notes?label=x"))

    assert seen.pointer == {"key": "people", "parameters": {}}
    assert (await settings_of(world, instance)).pointer == Pointer("people")
    assert (await health_of(world, instance)).state == ElementState.READY


@pytest.mark.parametrize(
    "failure", [UnsupportedError("Notes cannot tell."), UpstreamCallsExceededError("Too many pages."), ConfigurationError("No key.")]
)
async def test_whatever_keeps_a_new_instance_from_being_set_up_is_remembered_and_not_answered_as_a_refusal(world, notes_app, failure):
    notes_app.failure = failure

    instance = await given.instance(world.runtime, world.acme, world.connection)

    assert instance.setup_error["code"] == failure.code
    assert (await health_of(world, instance)).state == ElementState.SETUP_FAILED
