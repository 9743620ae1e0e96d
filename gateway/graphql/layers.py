"""A definition or an instance together with all that decides its settings, each computed once for an answer."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from gateway.models import DataSource, Integration, JsonSchema
from gateway.models.settings_in_force import SettingsInForce
from gateway.runtime import Runtime
from gateway.services import elements
from gateway.services.elements import Health, Known
from gateway.services.instance_context import InstanceContext
from gateway.udm import UniversalDataModel


class Layers(Protocol):
    """What definitions and instances have in common."""

    @property
    def settings(self) -> SettingsInForce:
        """The settings in force."""

    @property
    def health(self) -> Health:
        """Whether it can be used, and why not."""

    @property
    def model(self) -> UniversalDataModel | None:
        """The universal data model in force; null where there is none, or none of that key (any more)."""


@dataclass(frozen=True)
class DefinitionLayers:
    """A definition, the universal one that it customises, and its integration."""

    runtime: Runtime
    definition: DataSource
    universal: DataSource | None
    integration: Integration | None

    @cached_property
    def settings(self) -> SettingsInForce:
        """The settings in force."""
        return elements.definition_settings(self.runtime, self.definition, universal=self.universal, integration=self.integration)

    @cached_property
    def health(self) -> Health:
        """Whether it can be used, and why not."""
        return elements.definition_health(self.runtime, self.definition, universal=self.universal, integration=self.integration)

    @property
    def model(self) -> UniversalDataModel | None:
        """The universal data model in force."""
        return self.runtime.udm.get(self.settings.udm) if self.settings.udm is not None else None

    @property
    def fields_schema(self) -> JsonSchema | None:
        """What field mappings build on."""
        return elements.definition_fields_schema(self.runtime, self.settings, self.integration)


@dataclass(frozen=True)
class InstanceLayers:
    """An instance with its context, and what was found for those that were read together with it."""

    runtime: Runtime
    context: InstanceContext
    known: Known

    @cached_property
    def settings(self) -> SettingsInForce:
        """The settings in force."""
        return self.context.settings(self.runtime, known=self.known)

    @cached_property
    def health(self) -> Health:
        """Whether it can be used, and why not."""
        return self.context.health(self.runtime, settings=self.settings, known=self.known)

    @property
    def model(self) -> UniversalDataModel | None:
        """The universal data model in force."""
        return self.runtime.udm.get(self.settings.udm) if self.settings.udm is not None else None
