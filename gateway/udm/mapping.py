"""How the fields of an app's collection and a universal data model translate into each other. Nothing here asks the app."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.expressions import Template
from gateway.models import Condition, JsonObject, JsonSchema, JsonValue, Record
from gateway.udm.catalog import UniversalDataModel


@dataclass(frozen=True, kw_only=True)
class FieldRule:
    """One field of a model, and where it stands in the app's own fields."""

    path: str | None = None
    from_: Template | None = None
    to: Template | None = None
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    fields: Mapping[str, "FieldRule"] = field(default_factory=dict)
    each: Mapping[str, "FieldRule"] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Native:
    """Fields of a model as the app's own fields, and the names of those that have no place there."""

    fields: JsonObject
    unmapped: tuple[str, ...]


class Translation(Protocol):
    """Reads records as a model, and writes the model's fields."""

    @property
    def model(self) -> UniversalDataModel:
        """The model."""

    def read(self, record: Record) -> JsonObject:
        """The record as the model: values of the types that its schema says, nothing where the app has nothing."""

    def write(self, unified: JsonObject, *, fields_schema: JsonSchema | None) -> Native:
        """The model's fields as the app's own, of the types that the collection's schema says."""

    def condition(self, condition: Condition) -> Condition:
        """A condition on a field of the model as one on the app's. Raises UnsupportedError where it cannot be translated."""


@dataclass(frozen=True)
class UnifiedMapping:
    """The translation that a connector declares for a collection."""

    model: UniversalDataModel
    rules: Mapping[str, FieldRule]
