"""Reads an app's fields as a model's. Rules are compiled once: a page has a thousand records."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.expressions import ExpressionError, Template
from gateway.models import JsonObject, JsonSchema, JsonValue
from gateway.udm.coercion import LEFT_AS_THEY_ARE, coercion
from gateway.udm.rules import FieldRule, unified_value

ObjectReader = Callable[[Any], JsonObject]
_ValueReader = Callable[[Any], JsonValue]


def object_reader(rules: Mapping[str, FieldRule], schema: JsonSchema) -> ObjectReader:
    """What reads an app's fields as an object of the schema; fields of which the app has nothing are left out."""
    properties = schema.get("properties", {})
    lines = ["def read(fields):", "    get = (fields if fields.__class__ is plain else mapping_of(fields)).get", "    found = {}"]
    names: dict[str, Any] = {"__builtins__": {}, "plain": dict, "mapping_of": _mapping_of}
    for number, (name, rule) in enumerate(rules.items()):
        lines += _field_lines(number, rule, properties.get(name, {}), names)
        lines.append(f"    if value is not None: found[name{number}] = value")
        names[f"name{number}"] = name
    # No text of anybody's is in it: fields and paths stand in it by names such as `path7`.
    exec(compile("\n".join([*lines, "    return found"]), "<compiled mapping>", "exec"), names)  # noqa: S102
    read: ObjectReader = names["read"]
    return read


def _field_lines(number: int, rule: FieldRule, schema: JsonSchema, names: dict[str, Any]) -> list[str]:
    """What gives a field's value, as `value`. A field that stands under one name takes no call where it is of the right type already."""
    if not _is_plain(rule):
        names[f"read{number}"] = _value_reader(rule, schema)
        return [f"    value = read{number}(fields)"]
    make = coercion(schema)
    names |= {f"path{number}": rule.path, f"make{number}": make, f"kind{number}": LEFT_AS_THEY_ARE.get(make)}
    return [f"    value = get(path{number})", f"    if value.__class__ is not kind{number}: value = make{number}(value)"]


def _is_plain(rule: FieldRule) -> bool:
    """Whether it is a field of the app's, as it is."""
    return rule.path is not None and "." not in rule.path and not (rule.from_ or rule.values or rule.fields or rule.each)


def _mapping_of(fields: Any) -> Mapping[str, Any]:
    return fields if isinstance(fields, Mapping) else {}


def _value_reader(rule: FieldRule, schema: JsonSchema) -> _ValueReader:
    if rule.fields:
        parts = object_reader(rule.fields, schema)
        return lambda fields: parts(fields) or None
    raw = _raw_reader(rule)
    if rule.each:
        return _items_reader(raw, object_reader(rule.each, schema.get("items", {})))
    coerce = coercion(schema)
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
