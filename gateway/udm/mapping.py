"""How the fields of an app's collection and a universal data model translate into each other. Nothing here asks the app."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, TypeVar

from gateway.errors import InvalidError, UnsupportedError, UserError
from gateway.models import Condition, JsonObject, JsonSchema, Record
from gateway.udm.conditions import comparable_fields, native_condition
from gateway.udm.model import Models, UniversalDataModel
from gateway.udm.page_readers import PageReader
from gateway.udm.reading import ModelReader, Picked, model_reader, picking_reader
from gateway.udm.rules import FieldRule
from gateway.udm.writing import Native, native_fields

SomeUserError = TypeVar("SomeUserError", bound=UserError)


class Translation(Protocol):
    """Reads records as a model, and writes the model's fields."""

    @property
    def model(self) -> UniversalDataModel:
        """The model."""

    @property
    def comparable_fields(self) -> tuple[str, ...]:
        """The names of the model's fields that a condition can name, parts of objects with dots."""

    def read(self, record: Record) -> JsonObject:
        """The record as the model, a new object: values of the types that its schema says, nothing where the app has nothing."""

    def reading(self, picked: Mapping[str, Picked]) -> PageReader | None:
        """What reads of each record only what is picked, null where there is nothing. It is compiled each time: keep it.

        Null where values may be of other kinds than the model says.
        """

    def write(self, unified: JsonObject, *, fields_schema: JsonSchema | None) -> Native:
        """The model's fields as the app's own, of the types that the collection's schema says.

        A null empties the app's field. What the model does not have, or only the app sets, is among the unmapped.
        Raises InvalidError for a value that has no counterpart in the app; its `field` is the path within `unified`.
        """

    def condition(self, condition: Condition, *, fields_schema: JsonSchema | None = None) -> Condition:
        """A condition on a field of the model as one on the app's, with a value of the type that the collection's schema says.

        Raises UnsupportedError where it cannot be translated, and InvalidError for a value that the field never has; the `field` of both
        is the name of the model's field.
        """


@dataclass(frozen=True)
class UnifiedMapping:
    """The translation that a connector declares for a collection. Make it once: it compiles its rules when first used."""

    model: UniversalDataModel
    rules: Mapping[str, FieldRule]

    @cached_property
    def comparable_fields(self) -> tuple[str, ...]:
        """The names of the model's fields that a condition can name."""
        return tuple(comparable_fields(self.rules))

    @cached_property
    def read(self) -> ModelReader:
        """Reads a record as the model, its gaps filled; the model's times of the record are those that the app tells of it."""
        return model_reader(self.rules, self.model, mapped=self.rules)

    def reading(self, picked: Mapping[str, Picked]) -> PageReader | None:
        """What reads of each record only what is picked."""
        return picking_reader(picked, self.rules, self.model, mapped=self.rules, whole=self.read)

    def write(self, unified: JsonObject, *, fields_schema: JsonSchema | None) -> Native:
        """The model's fields as the app's own."""
        return native_fields(unified, rules=self.rules, model_schema=self.model.fields_schema, fields_schema=fields_schema)

    def condition(self, condition: Condition, *, fields_schema: JsonSchema | None = None) -> Condition:
        """A condition on the app's field."""
        return native_condition(condition, rules=self.rules, model_schema=self.model.fields_schema, fields_schema=fields_schema)

    def as_model(self, model: UniversalDataModel) -> "FallbackTranslation":
        """This mapping as one of a model like its own; the same one each time, which keeps what it has compiled."""
        return self._fallbacks.setdefault(model.key, FallbackTranslation(model, self))

    @cached_property
    def _fallbacks(self) -> dict[str, "FallbackTranslation"]:
        return {}


@dataclass(frozen=True)
class FallbackTranslation:
    """A model read and written through the mapping of a model like it."""

    model: UniversalDataModel
    mapping: UnifiedMapping

    @cached_property
    def comparable_fields(self) -> tuple[str, ...]:
        """The names of the model's fields that a condition can name."""
        shared = set(self._names.values())
        return tuple(self._own_name(name) for name in self.mapping.comparable_fields if name.partition(".")[0] in shared)

    @cached_property
    def read(self) -> ModelReader:
        """Reads a record as the other model, under the names of this one."""
        return model_reader(self._rules, self.model, mapped=self._mapped, through=self.mapping.read)

    def reading(self, picked: Mapping[str, Picked]) -> PageReader | None:
        """What reads of each record only what is picked."""
        return picking_reader(picked, self._rules, self.model, mapped=self._mapped, whole=self.read, through=self.mapping.read)

    def write(self, unified: JsonObject, *, fields_schema: JsonSchema | None) -> Native:
        """The fields of this model as the app's own; those that the other model does not have are unmapped."""
        known = {name: value for name, value in unified.items() if self._is_writable(name)}
        try:
            native = self.mapping.write({self._names[name]: value for name, value in known.items()}, fields_schema=fields_schema)
        except InvalidError as error:
            raise self._in_own_words(error) from None
        unknown = (name for name in unified if name not in known)
        return Native(fields=native.fields, unmapped=(*unknown, *map(self._own_name, native.unmapped)))

    def condition(self, condition: Condition, *, fields_schema: JsonSchema | None = None) -> Condition:
        """A condition on the field of this model as one on the app's."""
        if condition.field not in self.comparable_fields:
            known = ", ".join(self.comparable_fields) or "none"
            raise UnsupportedError(
                f"{condition.field} cannot be filtered through the model here. Fields that can: {known}.", field=[condition.field]
            )
        try:
            head, dot, rest = condition.field.partition(".")
            return self.mapping.condition(replace(condition, field=self._names[head] + dot + rest), fields_schema=fields_schema)
        except (InvalidError, UnsupportedError) as error:
            raise self._in_own_words(error) from None

    @property
    def _rules(self) -> Mapping[str, FieldRule]:
        return {name: FieldRule(path=other) for name, other in self._names.items()}

    @property
    def _mapped(self) -> list[str]:
        """The fields that the app has a place for."""
        return [name for name, other in self._names.items() if other in self.mapping.rules]

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """The fields of this model that the other one has, and what they are called there."""
        renamed = self.model.fallback_fields.get(self.mapping.model.key, {})
        claimed = set(renamed.values())
        pairs = ((name, renamed.get(name, name)) for name in self.model.properties if name != "id")
        return {
            name: other for name, other in pairs if other in self.mapping.model.properties and (name in renamed or other not in claimed)
        }

    @cached_property
    def _own_names(self) -> Mapping[str, str]:
        return {other: name for name, other in self._names.items()}

    def _is_writable(self, name: str) -> bool:
        return name in self._names and not self.model.properties[name].get("readOnly")

    def _in_own_words(self, error: SomeUserError) -> SomeUserError:
        """The error with the names of this model; its message begins with the name of the field."""
        path = error.field or [""]
        own = [self._own_name(path[0]), *path[1:]]
        return type(error)(error.message.replace(".".join(path), ".".join(own), 1), field=own)

    def _own_name(self, name: str) -> str:
        head, dot, rest = name.partition(".")
        return self._own_names.get(head, head) + dot + rest


def translation(models: Models, udm: str, mapping_of: Callable[[str], UnifiedMapping | None]) -> Translation | None:
    """How a collection's records translate into a model: by the collection's own mapping, else by that of the first fallback.

    `mapping_of` gives the collection's mapping for the key of a model. One level of fallbacks is tried, never further.
    Null for an unknown model, and where the collection has no mapping for any of them.
    """
    try:
        model = models[udm]
    except KeyError:
        return None
    mapping = mapping_of(udm)
    if mapping is not None:
        return mapping
    found = (other for key in model.fallbacks if (other := mapping_of(key)) is not None)
    return next((other.as_model(model) for other in found), None)
