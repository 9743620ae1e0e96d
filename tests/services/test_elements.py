"""What elements tell of themselves without a statement or a request."""

from dataclasses import replace

import pytest

from gateway.errors import InvalidError
from gateway.models import DataSourceInstance, ElementState, Pointer
from gateway.models.principal import SYSTEM
from gateway.services import data_sources, elements
from gateway.services.selectors import DataSourceSelector, PointerInput
from gateway.udm import MODELS
from tests.support import runtime as given
from tests.support.database import recorded_statements
from tests.support.runtime import context_of


def fields_schema(world, definition, *, universal=None, integration=None):
    settings = elements.definition_settings(world.runtime, definition, universal=universal, integration=integration)
    return elements.definition_fields_schema(world.runtime, settings, integration)


async def test_field_mappings_build_on_the_model_or_on_the_static_fields_of_the_collection(world):
    (child,) = await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=["notes"])
    scraps = await given.definition(
        world.runtime, "scraps", udm=None, integration_key="notes", pointer=PointerInput(path="/data/scraps?box=1")
    )
    nothing = await given.definition(world.runtime, "nothing", udm=None)

    of_notes = {"type": "object", "properties": {"text": {"type": "string"}}}
    assert fields_schema(world, world.jottings) == MODELS["notes"].fields_schema
    assert fields_schema(world, child, universal=world.jottings, integration=world.integration) == of_notes
    assert fields_schema(world, scraps, integration=world.integration) is None
    assert fields_schema(world, nothing) is None


async def test_a_customisation_says_when_its_universal_definition_is_archived(world):
    (child,) = await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=["notes"])
    archived = await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings"))

    health = elements.definition_health(world.runtime, child, universal=archived, integration=world.integration)

    assert health.state == ElementState.CONFIGURATION_ERROR
    assert [(error.code, error.message, error.element) for error in health.errors] == [
        ("CONFIGURATION", "Its universal data source 'jottings' is archived. Restore it first.", archived)
    ]


async def test_a_pointer_is_read_only_where_the_connector_is_installed(world):
    instance = await given.instance(world.runtime, world.acme, world.connection)
    context = await context_of(world.runtime, instance)
    settings = context.settings(world.runtime)
    assert elements.pointer_of(world.runtime, settings, context.integration) == Pointer("notes")

    context.integration.connector_key = "gone"
    with pytest.raises(InvalidError) as caught:
        elements.pointer_of(world.runtime, settings, context.integration)
    assert caught.value.message == "Connector 'gone' is not installed in this gateway."


async def test_settings_and_state_cost_no_statement_and_no_request(world, notes_app):
    instance = await given.instance(world.runtime, world.acme, world.connection)
    context = await context_of(world.runtime, instance)
    notes_app.requests.clear()

    with recorded_statements(world.runtime.database) as recorded:
        assert context.settings(world.runtime).pointer == Pointer("notes")
        assert context.health(world.runtime).state == ElementState.READY

    assert (recorded, notes_app.requests) == ([], [])


@pytest.mark.parametrize("wrong", ["nothing", "the connection", "the integration", "the definition", "its pointer", "its set-up"])
async def test_what_was_found_for_others_changes_nothing_of_what_an_instance_tells(world, wrong):
    other = await context_of(world.runtime, await given.instance(world.runtime, world.acme, world.connection))
    own = DataSourceInstance(**other.instance.model_dump())
    context = replace(other, instance=own)
    if wrong == "the connection":
        other.connection.error = {"code": "UPSTREAM_AUTH", "message": "Refused."}
    elif wrong == "the integration":
        other.integration.archived_at = other.integration.created_at
    elif wrong == "the definition":
        other.root.archived_at = other.root.created_at
    elif wrong == "its pointer":
        own.pointer = {"key": "nowhere", "parameters": {}}
    elif wrong == "its set-up":
        own.setup_error = {"code": "UPSTREAM", "message": "It failed.", "pointer": Pointer("notes").as_json()}
    known = elements.Known()
    others = other.settings(world.runtime, known=known), other.health(world.runtime, known=known)

    told = context.settings(world.runtime, known=known), context.health(world.runtime, known=known)

    assert others == (other.settings(world.runtime), other.health(world.runtime))
    assert told == (context.settings(world.runtime), context.health(world.runtime))
    assert (told[0] is others[0]) is (wrong != "its pointer")
    assert (told == others) is (wrong not in ("its pointer", "its set-up"))
    assert (told[1].state == ElementState.READY) is (wrong == "nothing")
