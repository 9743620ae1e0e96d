"""Rules for the names of a collection's own fields, and for what its fields refer to."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.connectors.format.collections import Collection
from gateway.connectors.format.scopes import keys_of, listed, required_of
from gateway.documents import Place, Problem
from gateway.models import JsonObject, JsonSchema, JsonValue
from gateway.models.json import REFERENCE

_ANY = "*"


def field_problems(place: Place, collection: Collection) -> Iterator[Problem]:
    """The fields that operations name and that records do not have; nothing where only the app knows which they have."""
    schema = known_schema(collection)
    for name, at in _named_fields(collection):
        yield from path_problems((*place, "operations", *at), name, schema)


def known_schema(collection: Collection) -> JsonSchema | None:
    """The schema of the fields, where the app adds none."""
    return collection.fields if collection.dynamic_fields is None else None


def path_problems(place: Place, path: str, schema: JsonSchema | None) -> Iterator[Problem]:
    """What is wrong with the name of a field, in which dots lead into objects; `*` stands for any field."""
    part: JsonValue = schema
    for name in _names(path, schema) if path != _ANY else ():
        known = keys_of(part) if isinstance(part, dict) else None
        if known is None:
            return
        if name not in known:
            yield place, f"there is no field {path!r}; there are {listed(known)}"
            return
        part = part.get("properties", {}).get(name) if isinstance(part, dict) else None


def items_schema(path: str, schema: JsonSchema | None) -> JsonSchema | None:
    """What the items of a field that holds a list are, where the schema tells; the same names as in `path_problems`."""
    part: JsonValue = schema
    for name in _names(path, schema):
        part = part.get("properties", {}).get(name) if isinstance(part, dict) else None
    items = part.get("items") if isinstance(part, dict) else None
    return items if isinstance(items, dict) else None


def _names(path: str, schema: JsonSchema | None) -> list[str]:
    return [path] if schema is not None and path in (keys_of(schema) or ()) else path.split(".")


def reference_problems(place: Place, collection: Collection, others: Mapping[str, Collection]) -> Iterator[Problem]:
    """What is wrong with the references of a collection's fields to records of others."""
    for at, reference in _references((*place, "fields"), collection.fields):
        name = reference.get("collection") if isinstance(reference, dict) else None
        given = reference.get("parameters", {}) if isinstance(reference, dict) else None
        if not isinstance(name, str) or not isinstance(given, dict):
            yield at, f"a reference is a mapping with a `collection`, and `parameters` where needed; there are {listed(others)}"
        elif name not in others:
            yield at, f"there is no collection {name!r}; there are {listed(others)}"
        else:
            yield from _target_problems(at, given, others[name], own=keys_of(collection.parameters))


def _target_problems(place: Place, given: JsonObject, target: Collection, *, own: frozenset[str] | None) -> Iterator[Problem]:
    known = keys_of(target.parameters)
    for name in given:
        if known is not None and name not in known:
            yield (*place, "parameters", name), f"collection {target.name!r} has no parameter {name!r}; it has {listed(known)}"
    for name in required_of(target.parameters):
        if name not in given and own is not None and name not in own:
            yield place, f"collection {target.name!r} requires the parameter {name!r}: give it, as these records have none of that name"


def _named_fields(collection: Collection) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Each field that operations name, with where they do."""
    operations = collection.operations
    for key, listing in (("list", operations.list), ("search", operations.search)):
        if listing is None:
            continue
        yield from ((name, (key, "filters", name)) for name in listing.filters)
        yield from _indexed((key, "order", "fields"), listing.order.fields if listing.order is not None else ())
    if operations.match is not None:
        yield from _indexed(("match", "fields"), operations.match.fields)
    for key, write in (("create", operations.create), ("update", operations.update)):
        for part in ("required", "excluded", "included"):
            yield from _indexed((key, part), getattr(write, part, ()))


def _indexed(place: Place, names: Sequence[str]) -> Iterator[tuple[str, Place]]:
    yield from ((name, (*place, index)) for index, name in enumerate(names))


def _references(place: Place, schema: JsonValue) -> Iterator[tuple[Place, JsonValue]]:
    if isinstance(schema, dict):
        for key, part in schema.items():
            if key == REFERENCE:
                yield (*place, key), part
            else:
                yield from _references((*place, key), part)
    elif isinstance(schema, list):
        for index, part in enumerate(schema):
            yield from _references((*place, index), part)
