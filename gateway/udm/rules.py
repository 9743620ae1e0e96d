"""Where the fields of a model stand in an app's own fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.expressions import Template
from gateway.models import JsonSchema, JsonValue
from gateway.udm.coercion import text_of


@dataclass(frozen=True, kw_only=True)
class FieldRule:
    """One field of a model, and where it stands in the app's own fields.

    A rule with a path is read and written; one with `from_` alone is only read. Every part of `values` counts both ways.
    """

    path: str | None = None
    """The app's field; dots lead into objects, unless a field has just that name."""
    from_: Template | None = None
    """What the field of the model is; names: `fields`, the app's fields or the item of a list, and `value`, that of the path."""
    to: Template | None = None
    """What the app's field is; names: `value`, and `unified`, the object of the model's fields that it is a part of."""
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    """By the app's value as text, the value of the model; other values are as they are."""
    fields: Mapping[str, "FieldRule"] = field(default_factory=dict)
    """Of an object: the rules of its parts, whose paths begin where this rule's does."""
    each: Mapping[str, "FieldRule"] = field(default_factory=dict)
    """Of a list of objects: the rules of an item's parts, whose paths begin at the item."""

    @property
    def is_computed(self) -> bool:
        """Whether what is read is more than the app's value, so that a comparison with the one says nothing of the other."""
        return self.from_ is not None and self.to is None


def unified_value(rule: FieldRule, value: JsonValue) -> JsonValue:
    """The model's value of the app's, by the rule's `values`; of a list, that of each item."""
    return [_unified(rule, item) for item in value] if isinstance(value, list) else _unified(rule, value)


def _unified(rule: FieldRule, value: JsonValue) -> JsonValue:
    text = text_of(value)
    return value if text is None else rule.values.get(text, value)


def native_values(rule: FieldRule, value: JsonValue) -> list[JsonValue]:
    """The app's values that read as this value of the model, the first of the rule first; none when no value of the app does."""
    found: list[JsonValue] = [key for key, unified in rule.values.items() if is_same(unified, value)]
    return found or ([] if text_of(value) in rule.values else [value])


def is_same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are equal as JSON, where true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def schema_at(schema: JsonSchema | None, path: str) -> JsonSchema:
    """What a schema of fields says of the field at a path; nothing where it says nothing."""
    if is_name_of(schema, path):
        return _property(schema, path)
    for name in path.split("."):
        schema = _property(schema, name)
    return schema or {}


def is_name_of(schema: JsonSchema | None, path: str) -> bool:
    """Whether a field is called just that, dots and all."""
    properties = (schema or {}).get("properties")
    return isinstance(properties, dict) and path in properties


def _property(schema: JsonSchema | None, name: str) -> JsonSchema:
    properties = (schema or {}).get("properties")
    found = properties.get(name) if isinstance(properties, dict) else None
    return found if isinstance(found, dict) else {}
