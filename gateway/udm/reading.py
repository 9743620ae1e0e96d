"""Reads an app's fields as a model's. Rules are compiled once: a page has a thousand records."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.expressions import ExpressionError, Template
from gateway.models import JsonObject, JsonSchema, JsonValue
from gateway.udm.coercion import coercion, text_of
from gateway.udm.rules import FieldRule, unified_value

ObjectReader = Callable[[Any], JsonObject]
_ValueReader = Callable[[Any], JsonValue]


def object_reader(rules: Mapping[str, FieldRule], schema: JsonSchema) -> ObjectReader:
    """What reads an app's fields as an object of the schema; fields of which the app has nothing are left out."""
    properties = schema.get("properties", {})
    readers = [(name, _value_reader(rule, properties.get(name, {}))) for name, rule in rules.items()]

    def read(fields: Any) -> JsonObject:
        return {name: value for name, reader in readers if (value := reader(fields)) is not None}

    return read


def _value_reader(rule: FieldRule, schema: JsonSchema) -> _ValueReader:
    if rule.fields:
        parts = object_reader(rule.fields, schema)
        return lambda fields: parts(fields) or None
    raw = _raw_reader(rule)
    if rule.each:
        return _items_reader(raw, object_reader(rule.each, schema.get("items", {})))
    coerce = coercion(schema)
    if coerce is text_of and rule.path is not None and rule.from_ is None and not rule.values and "." not in rule.path:
        return _text_reader(rule.path)
    return lambda fields: coerce(raw(fields))


def _items_reader(raw: _ValueReader, item: ObjectReader) -> _ValueReader:
    def read(fields: Any) -> JsonValue:
        value = raw(fields)
        if value is None:
            return None
        items = value if isinstance(value, list) else [value]
        return [found for found in map(item, items) if found]

    return read


def _raw_reader(rule: FieldRule) -> _ValueReader:
    read = _nothing if rule.path is None else _path_reader(rule.path)
    if rule.from_ is not None:
        read = _template_reader(rule.from_, read)
    if not rule.values:
        return read
    return lambda fields: unified_value(rule, read(fields))


def _text_reader(path: str) -> _ValueReader:
    """What reads text, the most frequent of all, with as few steps as there can be."""

    def read(fields: Any) -> JsonValue:
        value = fields.get(path) if isinstance(fields, (dict, Mapping)) else None
        return value if type(value) is str else text_of(value)

    return read


def _path_reader(path: str) -> _ValueReader:
    first, *rest = path.split(".")

    def read(fields: Any) -> JsonValue:
        # A plain object is told at once, without a look at what is registered as a mapping.
        if not isinstance(fields, (dict, Mapping)):
            return None
        if path in fields:
            return _value(fields[path])
        value = fields.get(first)
        for name in rest:
            value = value.get(name) if isinstance(value, Mapping) else None
        return _value(value)

    return read


def _template_reader(template: Template, value: _ValueReader) -> _ValueReader:
    def read(fields: Any) -> JsonValue:
        try:
            return _value(template.render({"fields": fields, "value": value(fields)}))
        except ExpressionError:
            # One odd value of one record is nothing to lose all its other fields for.
            return None

    return read


def _nothing(_: Any) -> JsonValue:
    return None


def _value(value: Any) -> JsonValue:
    checked: JsonValue = value
    return checked
