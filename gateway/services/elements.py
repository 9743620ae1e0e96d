"""Whether elements can be used, and their settings in force: computed from rows and connectors, without a statement or a request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from gateway.connectors.protocol import Connector
from gateway.errors import InvalidError, NoCollectionSelectedError
from gateway.models import (
    Connection,
    ConnectionState,
    DataSource,
    DataSourceInstance,
    ElementError,
    ElementState,
    Integration,
    JsonSchema,
    Pointer,
    settings_in_force,
)
from gateway.models.settings_in_force import DefaultPointer, SettingsInForce, TypedPointer
from gateway.runtime import Runtime
from gateway.services import pointers
from gateway.udm import Models

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether an element can be used, and why not."""

    state: ElementState
    errors: tuple[ElementError, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is the same for many instances that were read together, found once; for rows that nobody changes meanwhile."""

    _found: dict[tuple[object, ...], tuple[tuple[object, ...], Any]] = field(default_factory=dict)

    def once(self, find: Callable[..., Found], *arguments: object) -> Found:
        """What the function gives for these objects: it is called once for the same ones, told by identity."""
        key = (find, *map(id, arguments))
        known = self._found.get(key)
        if known is None:
            # The objects are kept, so that no other comes to have the identity of one.
            known = self._found[key] = (arguments, find(*arguments))
        found: Found = known[1]
        return found


def integration_errors(runtime: Runtime, integration: Integration) -> tuple[ElementError, ...]:
    """Why an integration cannot be used; empty when it can."""
    if integration.archived_at is not None:
        return (ElementError(code="CONFIGURATION", message=f"Integration {integration.key!r} is archived. Restore it first."),)
    connector = runtime.connectors.get(integration.connector_key)
    if connector is None:
        return (ElementError(code="CONFIGURATION", message=_not_installed(integration)),)
    return _invalid(connector.spec.integration_schema, integration.parameters)


def connection_errors(runtime: Runtime, connection: Connection, integration: Integration) -> tuple[ElementError, ...]:
    """Why a connection cannot be used; empty when it can."""
    configuration = _connection_configuration_errors(runtime, connection, integration)
    return (*configuration, ElementError(**connection.error)) if connection.error else configuration


def connection_state(runtime: Runtime, connection: Connection, integration: Integration) -> ConnectionState:
    """Whether a connection can be used; a wrong configuration outweighs refused credentials."""
    if _connection_configuration_errors(runtime, connection, integration):
        return ConnectionState.CONFIGURATION_ERROR
    return ConnectionState.DISCONNECTED if connection.error else ConnectionState.READY


def definition_settings(
    runtime: Runtime, definition: DataSource, *, universal: DataSource | None, integration: Integration | None
) -> SettingsInForce:
    """A definition's settings; `universal` is the one that it customises, `integration` its own, if any."""
    connector = _connector(runtime, integration)
    return settings_in_force.of_definition(
        definition, universal=universal, default_pointer=_defaults_of(runtime.udm, connector), typed=_typing_of(connector)
    )


def definition_health(runtime: Runtime, definition: DataSource, *, universal: DataSource | None, integration: Integration | None) -> Health:
    """Whether a definition can be used. Without a collection it still can: only its operations cannot."""
    if universal is not None and universal.archived_at is not None:
        message = f"Its universal data source {universal.key!r} is archived. Restore it first."
        return _health([ElementError(code="CONFIGURATION", message=message, element=universal)])
    if integration is None:
        return _health([])
    dependency = integration_errors(runtime, integration)
    if dependency:
        return _health([_dependency(f"integration {integration.key!r}", integration, dependency)])
    settings = definition_settings(runtime, definition, universal=universal, integration=integration)
    return _health(_pointer_errors(runtime.connectors[integration.connector_key], settings.pointer))


def instance_settings(
    runtime: Runtime,
    instance: DataSourceInstance,
    *,
    root: DataSource,
    customization: DataSource | None,
    integration: Integration,
    known: Known | None = None,
) -> SettingsInForce:
    """An instance's settings; `customization` is the integration-level definition of `root` in `integration`, if any.

    `known` is what was found for others that were read together with it.
    """
    if known is not None and not settings_in_force.has_own(instance):
        return known.once(_inherited, runtime, root, customization, integration)
    connector = _connector(runtime, integration)
    return settings_in_force.of_instance(
        instance, root=root, customization=customization, default_pointer=_defaults_of(runtime.udm, connector), typed=_typing_of(connector)
    )


def instance_health(
    runtime: Runtime,
    instance: DataSourceInstance,
    *,
    root: DataSource,
    customization: DataSource | None,
    connection: Connection,
    integration: Integration,
    settings: SettingsInForce | None = None,
    known: Known | None = None,
) -> Health:
    """Whether an instance can be used; the first thing that stands in the way is told, with the element at fault.

    `settings` are its settings in force, where somebody has them already; `known` is what was found for others that were read with it.
    """
    known = known or Known()
    if root.archived_at is not None:
        return _health([ElementError(code="CONFIGURATION", message=archived(root), element=root)])
    dependency = known.once(connection_errors, runtime, connection, integration)
    if dependency:
        return _health([_dependency(f"connection {connection.name!r}", connection, dependency)])
    if settings is None:
        settings = instance_settings(runtime, instance, root=root, customization=customization, integration=integration, known=known)
    broken = known.once(_broken, runtime, settings.pointer, integration)
    failure = instance.setup_error
    if broken or failure is None or settings.pointer is None or failure["pointer"] != settings.pointer.as_json():
        # What failed for another collection, before its definition pointed it elsewhere, says nothing of this one.
        return _health(broken)
    return Health(state=ElementState.SETUP_FAILED, errors=(ElementError(code=failure["code"], message=failure["message"]),))


def archived(definition: DataSource) -> str:
    """What to do about an archived definition."""
    return f"Data source {definition.key!r} is archived. Restore it first."


def definition_fields_schema(runtime: Runtime, settings: SettingsInForce, integration: Integration | None) -> JsonSchema | None:
    """What field mappings of a definition build on: its model's fields when universal, else the static fields of its collection."""
    if integration is None:
        model = runtime.udm.get(settings.udm) if settings.udm is not None else None
        return model.fields_schema if model is not None else None
    connector = _connector(runtime, integration)
    if connector is None or settings.pointer is None:
        return None
    collection = connector.spec.collection(settings.pointer.key)
    return collection.fields_schema if collection is not None else None


def pointer_of(runtime: Runtime, settings: SettingsInForce, integration: Integration) -> Pointer:
    """The collection to read, valid for its connector.

    Raises NoCollectionSelectedError where the settings name none, InvalidError where they name a wrong one.
    """
    connector = _connector(runtime, integration)
    if connector is None:
        raise InvalidError(_not_installed(integration))
    if settings.pointer is None:
        raise NoCollectionSelectedError(
            f"Data source {settings.name!r} points at no collection here. Point the data source or this instance at one."
        )
    pointers.require_collection(connector, settings.pointer)
    return settings.pointer


def _connection_configuration_errors(runtime: Runtime, connection: Connection, integration: Integration) -> tuple[ElementError, ...]:
    dependency = integration_errors(runtime, integration)
    if dependency:
        return (_dependency(f"integration {integration.key!r}", integration, dependency),)
    spec = runtime.connectors[integration.connector_key].spec
    if spec.auth_method(connection.auth_method) is None:
        message = f"The connector no longer offers the auth method {connection.auth_method!r}. Connect again."
        return (ElementError(code="CONFIGURATION", message=message),)
    return _invalid(spec.connection_schema, connection.parameters)


def _inherited(runtime: Runtime, root: DataSource, customization: DataSource | None, integration: Integration) -> SettingsInForce:
    connector = _connector(runtime, integration)
    return settings_in_force.inherited(
        root=root, customization=customization, default_pointer=_defaults_of(runtime.udm, connector), typed=_typing_of(connector)
    )


def _broken(runtime: Runtime, pointer: Pointer | None, integration: Integration) -> list[ElementError]:
    return _pointer_errors(runtime.connectors[integration.connector_key], pointer)


def _connector(runtime: Runtime, integration: Integration | None) -> Connector | None:
    return runtime.connectors.get(integration.connector_key) if integration is not None else None


def _not_installed(integration: Integration) -> str:
    return f"Connector {integration.connector_key!r} is not installed in this gateway."


def _typing_of(connector: Connector | None) -> TypedPointer:
    return partial(pointers.typed, connector) if connector is not None else lambda pointer: pointer


def _defaults_of(models: Models, connector: Connector | None) -> DefaultPointer:
    """The connector's default for a model, else for the first of the model's fallbacks that has one: one level, never further."""

    def default(udm: str) -> Pointer | None:
        if connector is None:
            return None
        by_model = connector.spec.default_collections
        candidates = (udm, *(models[udm].fallbacks if udm in models else ()))
        return next((by_model[key] for key in candidates if key in by_model), None)

    return default


def _pointer_errors(connector: Connector, pointer: Pointer | None) -> list[ElementError]:
    if pointer is None:
        return []
    try:
        pointers.require_collection(connector, pointer)
    except InvalidError as error:
        return [ElementError(code=error.code, message=error.message)]
    return []


def _invalid(schema: JsonSchema, parameters: dict[str, object]) -> tuple[ElementError, ...]:
    return tuple(ElementError(code="CONFIGURATION", message=f"Parameter {problem}.") for problem in pointers.violations(schema, parameters))


def _dependency(name: str, element: object, errors: tuple[ElementError, ...]) -> ElementError:
    return ElementError(code=errors[0].code, message=f"Its {name} cannot be used: {errors[0].message}", element=element)


def _health(errors: list[ElementError]) -> Health:
    return Health(state=ElementState.CONFIGURATION_ERROR if errors else ElementState.READY, errors=tuple(errors))
