"""Rules for how collections translate into universal data models."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.connectors.format.collections import Collection
from gateway.connectors.format.field_rules import items_schema, known_schema, path_problems
from gateway.connectors.format.mappings import FieldMapping
from gateway.connectors.format.schema_rules import value_problems
from gateway.connectors.format.scopes import Scope, keys_of, listed, misuses
from gateway.documents import Place, Problem
from gateway.models import JsonSchema
from gateway.udm import Models


def mapping_problems(place: Place, collection: Collection, models: Models) -> Iterator[Problem]:
    """What is wrong with the mappings of a collection: both sides must have what they name."""
    for key, mapping in collection.universal_data_models.items():
        at = (*place, "universal_data_models", key)
        if key not in models:
            yield at, f"there is no universal data model {key!r}; there are {listed(models)}"
            continue
        yield from _fields_problems((*at, "fields"), mapping.fields, models[key].fields_schema, native=known_schema(collection), model=key)


def _fields_problems(
    place: Place, fields: Mapping[str, str | FieldMapping], schema: JsonSchema, *, native: JsonSchema | None, model: str
) -> Iterator[Problem]:
    known = schema.get("properties", {})
    for name, mapping in fields.items():
        if known and name not in known:
            yield (*place, name), f"the model {model} has no field {name!r} there; it has {listed(known)}"
        elif isinstance(mapping, str):
            yield from path_problems((*place, name), mapping, native)
        else:
            yield from _field_problems((*place, name), mapping, known.get(name, {}), beside=frozenset(known), native=native, model=model)


def _field_problems(
    place: Place, mapping: FieldMapping, schema: JsonSchema, *, beside: frozenset[str], native: JsonSchema | None, model: str
) -> Iterator[Problem]:
    if mapping.field is None and mapping.from_ is None and not mapping.fields:
        yield place, "say where the field comes from: by `field`, by `from`, or by the `fields` of an object"
    if mapping.to is not None and mapping.field is None:
        yield (*place, "to"), "a field that is written needs `field`, the app's field to write"
    if mapping.field is not None:
        yield from path_problems((*place, "field"), mapping.field, native)
    of_app = keys_of(native) if native is not None else None
    reading: Scope = {"fields": of_app, "value": None}
    writing: Scope = {"value": None, "unified": beside or None}
    yield from misuses((*place, "from"), mapping.from_, reading)
    yield from misuses((*place, "to"), mapping.to, writing)
    single = schema.get("items", {}) if "array" in _types(schema) else schema
    for value, unified in mapping.values.items():
        yield from value_problems((*place, "values", value), unified, single)
    yield from _inner_problems(place, mapping, schema, native=native, model=model)


def _inner_problems(place: Place, mapping: FieldMapping, schema: JsonSchema, *, native: JsonSchema | None, model: str) -> Iterator[Problem]:
    for part, key in _ignored(mapping):
        yield (*place, key), f"`{part}` says all of what is read and written here, so `{key}` would be ignored; leave it out"
    if mapping.fields:
        if "array" in _types(schema):
            yield (*place, "fields"), "this is a list; map what its items hold by `each`"
        elif not _may_hold_parts(schema):
            yield (*place, "fields"), "this is a single value, which has no parts; map it by `field`"
        yield from _fields_problems((*place, "fields"), mapping.fields, schema, native=native, model=model)
    if mapping.each:
        items: Any = schema.get("items", {})
        if "array" not in _types(schema):
            yield (*place, "each"), "this is no list; map what it holds by `fields`"
        elif not _may_hold_parts(items):
            yield (*place, "each"), "the items of this list are single values, which have no parts; map the list by `field`"
        # What an expression makes of the app's list is known to nobody.
        items_of_app = items_schema(mapping.field, native) if mapping.field is not None and mapping.from_ is None else None
        yield from _fields_problems((*place, "each"), mapping.each, items, native=items_of_app, model=model)


def _ignored(mapping: FieldMapping) -> Iterator[tuple[str, str]]:
    """The keys of a mapping that say nothing beside others, each with the one that is heard instead."""
    said = {"field": mapping.field, "from": mapping.from_, "to": mapping.to, "values": mapping.values or None, "each": mapping.each or None}
    if mapping.fields:
        yield from (("fields", key) for key, value in said.items() if value is not None)
    elif mapping.each:
        yield from (("each", key) for key in ("to", "values") if said[key] is not None)


def _may_hold_parts(schema: JsonSchema) -> bool:
    return not schema.get("type") or "object" in _types(schema)


def _types(schema: JsonSchema) -> list[str]:
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else list(declared)
