"""The settings of a definition or an instance, and which layer decided each: computed at every read, never stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.models.data_source import DataSource
from gateway.models.data_source_instance import DataSourceInstance
from gateway.models.json import JsonObject, JsonValue
from gateway.models.locations import Pointer

DEFAULT_PULL_UPDATES_INTERVAL_SECONDS = 300
DEFAULT_FULL_SYNC_INTERVAL_SECONDS = 10_800

DefaultPointer = Callable[[str], Pointer | None]
"""The connector's default collection for a universal data model, if it has one."""
TypedPointer = Callable[[Pointer], Pointer]
"""A pointer with its parameters typed as the connector says: a universal definition's path holds only text."""


class SettingName(StrEnum):
    """What can be set on a definition or an instance."""

    POINTER = "POINTER"
    PULL_UPDATES_INTERVAL_SECONDS = "PULL_UPDATES_INTERVAL_SECONDS"
    FULL_SYNC_INTERVAL_SECONDS = "FULL_SYNC_INTERVAL_SECONDS"
    EVENT_BODIES = "EVENT_BODIES"


class SettingOrigin(StrEnum):
    """Which layer decided a setting, from the farthest to the nearest."""

    DEFAULT = "DEFAULT"
    CONNECTOR = "CONNECTOR"
    UNIVERSAL = "UNIVERSAL"
    INTEGRATION = "INTEGRATION"
    CONNECTION = "CONNECTION"


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting, its value in force, and the layer that decided it."""

    name: SettingName
    value: JsonValue
    origin: SettingOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsInForce:
    """All settings in force; `default_pointer` is the pointer that a reset returns to."""

    name: str
    udm: str | None
    pointer: Pointer | None
    default_pointer: Pointer | None
    pull_updates_interval_seconds: int
    full_sync_interval_seconds: int
    event_bodies: bool
    settings: tuple[EffectiveSetting, ...]


_ATTRIBUTES = {name: name.value.lower() for name in SettingName}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    origin: SettingOrigin
    pointer: JsonObject | None = None
    pull_updates_interval_seconds: int | None = None
    full_sync_interval_seconds: int | None = None
    event_bodies: bool | None = None


def of_definition(
    definition: DataSource, *, universal: DataSource | None, default_pointer: DefaultPointer, typed: TypedPointer
) -> SettingsInForce:
    """The settings of a definition; `universal` is the one that it customises, if any."""
    return _in_force([], [definition, universal] if universal is not None else [definition], default_pointer, typed)


def inherited(
    *, root: DataSource, customization: DataSource | None, default_pointer: DefaultPointer, typed: TypedPointer
) -> SettingsInForce:
    """The settings of all instances of `root` that have none of their own; `customization` is that of their integration, if any."""
    return _in_force([], [customization, root] if customization is not None else [root], default_pointer, typed)


def has_own(instance: DataSourceInstance) -> bool:
    """Whether the instance sets anything itself; else its settings are those that it inherits."""
    return (
        instance.pointer is not None
        or instance.pull_updates_interval_seconds is not None
        or instance.full_sync_interval_seconds is not None
    )


def of_instance(
    instance: DataSourceInstance,
    *,
    root: DataSource,
    customization: DataSource | None,
    default_pointer: DefaultPointer,
    typed: TypedPointer,
) -> SettingsInForce:
    """The settings of an instance of `root`; `customization` is the integration-level definition of its integration, if any."""
    own = _Layer(
        origin=SettingOrigin.CONNECTION,
        pointer=instance.pointer,
        pull_updates_interval_seconds=instance.pull_updates_interval_seconds,
        full_sync_interval_seconds=instance.full_sync_interval_seconds,
    )
    return _in_force([own], [customization, root] if customization is not None else [root], default_pointer, typed)


def _in_force(
    own: Sequence[_Layer], definitions: Sequence[DataSource], default_pointer: DefaultPointer, typed: TypedPointer
) -> SettingsInForce:
    udm = next((definition.udm for definition in definitions if definition.udm is not None), None)
    inherited = [*map(_layer_of, definitions), *_connector_layer(udm, default_pointer), _DEFAULTS]
    layers = [*own, *inherited]
    settings = {name: _decide(name, layers) for name in SettingName}
    decided, inherited_pointer = settings[SettingName.POINTER], _decide(SettingName.POINTER, inherited)
    default = _typed(inherited_pointer, typed)
    pointer = settings[SettingName.POINTER] = default if decided == inherited_pointer else _typed(decided, typed)
    return SettingsInForce(
        name=next((definition.name for definition in definitions if definition.name is not None), definitions[-1].key),
        udm=udm,
        pointer=Pointer.from_json(pointer.value) if pointer.value is not None else None,
        default_pointer=Pointer.from_json(default.value) if default.value is not None else None,
        pull_updates_interval_seconds=settings[SettingName.PULL_UPDATES_INTERVAL_SECONDS].value,
        full_sync_interval_seconds=settings[SettingName.FULL_SYNC_INTERVAL_SECONDS].value,
        event_bodies=settings[SettingName.EVENT_BODIES].value,
        settings=tuple(settings.values()),
    )


def _layer_of(definition: DataSource) -> _Layer:
    return _Layer(
        origin=SettingOrigin.UNIVERSAL if definition.is_universal else SettingOrigin.INTEGRATION,
        pointer=definition.pointer,
        pull_updates_interval_seconds=definition.pull_updates_interval_seconds,
        full_sync_interval_seconds=definition.full_sync_interval_seconds,
        event_bodies=definition.event_bodies,
    )


def _connector_layer(udm: str | None, default_pointer: DefaultPointer) -> list[_Layer]:
    pointer = default_pointer(udm) if udm is not None else None
    return [_Layer(origin=SettingOrigin.CONNECTOR, pointer=pointer.as_json())] if pointer is not None else []


def _decide(name: SettingName, layers: Sequence[_Layer]) -> EffectiveSetting:
    attribute = _ATTRIBUTES[name]
    for layer in layers:
        value = getattr(layer, attribute)
        if value is not None:
            return EffectiveSetting(name, value, layer.origin)
    return EffectiveSetting(name, None, SettingOrigin.DEFAULT)


def _typed(setting: EffectiveSetting, typed: TypedPointer) -> EffectiveSetting:
    return replace(setting, value=typed(Pointer.from_json(setting.value)).as_json()) if setting.value is not None else setting


_DEFAULTS = _Layer(
    origin=SettingOrigin.DEFAULT,
    pull_updates_interval_seconds=DEFAULT_PULL_UPDATES_INTERVAL_SECONDS,
    full_sync_interval_seconds=DEFAULT_FULL_SYNC_INTERVAL_SECONDS,
    event_bodies=True,
)
