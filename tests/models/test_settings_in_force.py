"""Which layer decides a setting: the nearest that has it."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from gateway.models import DataSource, DataSourceInstance, Pointer, settings_in_force
from gateway.models.settings_in_force import EffectiveSetting, SettingName, SettingOrigin

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONNECTOR_DEFAULT = Pointer("issues")
POINTERS = {layer: Pointer(f"of-{layer}", {"n": 1}) for layer in ("universal", "integration", "connection")}


def universal(**overrides):
    return DataSource(key="tasks", created_at=NOW, updated_at=NOW, **overrides)


def customization(**overrides):
    return DataSource(key="tasks", integration_id=uuid4(), universal_id=uuid4(), created_at=NOW, updated_at=NOW, **overrides)


def instance(**overrides):
    return DataSourceInstance(
        connection_id=uuid4(), customer_id=uuid4(), data_source_id=uuid4(), created_at=NOW, updated_at=NOW, **overrides
    )


def in_force(own, *, root, child=None):
    return settings_in_force.of_instance(
        own,
        root=root,
        customization=child,
        default_pointer=lambda udm: CONNECTOR_DEFAULT if udm == "tasks" else None,
        typed=lambda pointer: pointer,
    )


def origins(settings):
    return {setting.name: setting.origin for setting in settings.settings}


def test_without_any_override_the_gateway_decides_and_there_is_no_collection():
    settings = in_force(instance(), root=universal())

    assert settings.settings == (
        EffectiveSetting(SettingName.POINTER, None, SettingOrigin.DEFAULT),
        EffectiveSetting(SettingName.PULL_UPDATES_INTERVAL_SECONDS, 300, SettingOrigin.DEFAULT),
        EffectiveSetting(SettingName.FULL_SYNC_INTERVAL_SECONDS, 10_800, SettingOrigin.DEFAULT),
        EffectiveSetting(SettingName.EVENT_BODIES, True, SettingOrigin.DEFAULT),
    )
    assert (settings.pointer, settings.default_pointer, settings.udm, settings.name) == (None, None, None, "tasks")


@pytest.mark.parametrize("has_connection", [False, True])
@pytest.mark.parametrize("has_integration", [False, True])
@pytest.mark.parametrize("has_universal", [False, True])
@pytest.mark.parametrize("has_udm", [False, True])
def test_the_nearest_layer_with_a_pointer_decides_it_and_the_rest_is_the_default(has_connection, has_integration, has_universal, has_udm):
    def pointer(layer, has):
        return {"pointer": POINTERS[layer].as_json() if has else None}

    settings = in_force(
        instance(**pointer("connection", has_connection)),
        root=universal(udm="tasks" if has_udm else None, **pointer("universal", has_universal)),
        child=customization(**pointer("integration", has_integration)),
    )

    inherited = [
        *([(POINTERS["integration"], SettingOrigin.INTEGRATION)] if has_integration else []),
        *([(POINTERS["universal"], SettingOrigin.UNIVERSAL)] if has_universal else []),
        *([(CONNECTOR_DEFAULT, SettingOrigin.CONNECTOR)] if has_udm else []),
        (None, SettingOrigin.DEFAULT),
    ]
    all_layers = [*([(POINTERS["connection"], SettingOrigin.CONNECTION)] if has_connection else []), *inherited]
    assert (settings.pointer, origins(settings)[SettingName.POINTER]) == all_layers[0]
    assert settings.default_pointer == inherited[0][0]


@pytest.mark.parametrize("name", [SettingName.PULL_UPDATES_INTERVAL_SECONDS, SettingName.FULL_SYNC_INTERVAL_SECONDS])
def test_each_interval_is_decided_by_itself(name):
    column = name.value.lower()
    other = ({*SettingName} - {name, SettingName.POINTER, SettingName.EVENT_BODIES}).pop()
    root, child, own = universal(**{column: 100}), customization(**{column: 200}), instance(**{column: 300})

    found = [
        in_force(instance(), root=root),
        in_force(instance(), root=root, child=child),
        in_force(own, root=root, child=child),
        in_force(own, root=root),
    ]

    assert [getattr(settings, column) for settings in found] == [100, 200, 300, 300]
    assert [origins(settings)[name] for settings in found] == ["UNIVERSAL", "INTEGRATION", "CONNECTION", "CONNECTION"]
    assert {origins(settings)[other] for settings in found} == {SettingOrigin.DEFAULT}


def test_bodies_that_a_definition_switches_off_are_off_and_a_customisation_switches_them_on_again():
    off = in_force(instance(), root=universal(event_bodies=False))
    on_again = in_force(instance(), root=universal(event_bodies=False), child=customization(event_bodies=True))

    assert (off.event_bodies, origins(off)[SettingName.EVENT_BODIES]) == (False, SettingOrigin.UNIVERSAL)
    assert (on_again.event_bodies, origins(on_again)[SettingName.EVENT_BODIES]) == (True, SettingOrigin.INTEGRATION)


def test_the_model_and_the_name_come_from_the_nearest_definition_too():
    settings = in_force(instance(), root=universal(name="Tasks", udm="deals"), child=customization(name="Issues", udm="tasks"))

    assert (settings.name, settings.udm, settings.pointer) == ("Issues", "tasks", CONNECTOR_DEFAULT)


def test_a_root_of_one_integration_decides_as_that_integration():
    root = DataSource(key="tasks", integration_id=uuid4(), pointer=Pointer("own").as_json(), created_at=NOW, updated_at=NOW)

    settings = in_force(instance(), root=root)

    assert (settings.pointer, origins(settings)[SettingName.POINTER]) == (Pointer("own"), SettingOrigin.INTEGRATION)


def test_a_pointer_is_one_setting_with_its_parameters():
    settings = in_force(instance(pointer=Pointer("notes").as_json()), root=universal(pointer=Pointer("notes", {"projectId": 12}).as_json()))

    assert (settings.pointer, settings.default_pointer) == (Pointer("notes"), Pointer("notes", {"projectId": 12}))


def test_text_in_a_definitions_parameters_is_typed_as_the_connector_says():
    settings = settings_in_force.of_definition(
        customization(),
        universal=universal(pointer=Pointer("notes", {"projectId": "12"}).as_json()),
        default_pointer=lambda udm: None,
        typed=lambda pointer: Pointer(pointer.key, {name: int(value) for name, value in pointer.parameters.items()}),
    )

    assert settings.pointer == settings.default_pointer == Pointer("notes", {"projectId": 12})
    assert settings.settings[0].value == {"key": "notes", "parameters": {"projectId": 12}}


@pytest.mark.parametrize("has_pointer", [False, True])
@pytest.mark.parametrize("has_child", [False, True])
def test_an_instance_that_sets_nothing_has_what_all_such_inherit(has_pointer, has_child):
    root = universal(udm="tasks", pointer=POINTERS["universal"].as_json() if has_pointer else None, event_bodies=False)
    child = customization(pull_updates_interval_seconds=60) if has_child else None

    inherited = settings_in_force.inherited(
        root=root, customization=child, default_pointer=lambda udm: CONNECTOR_DEFAULT, typed=lambda pointer: pointer
    )

    assert in_force(instance(), root=root, child=child) == inherited


@pytest.mark.parametrize(
    ("own", "sets"),
    [
        ({}, False),
        ({"setup_error": {"code": "UPSTREAM", "message": "No.", "pointer": {}}}, False),
        ({"pointer": POINTERS["connection"].as_json()}, True),
        ({"pull_updates_interval_seconds": 60}, True),
        ({"full_sync_interval_seconds": 600}, True),
    ],
)
def test_an_instance_has_settings_of_its_own_where_it_sets_any(own, sets):
    assert settings_in_force.has_own(instance(**own)) is sets
