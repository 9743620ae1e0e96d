"""References from a record's own fields to records of other collections."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from gateway.connectors.protocol import Connector
from gateway.errors import InvalidError, UpstreamResponseError
from gateway.models import CollectionSpec, JsonObject, JsonSchema, JsonValue, Pointer, Principal, Record
from gateway.models.json import REFERENCE
from gateway.runtime import Runtime
from gateway.services import pointers, record_specs
from gateway.services.record_places import RecordPlace

_MAXIMUM_NESTING = 5


@dataclass(frozen=True, kw_only=True)
class RecordReference:
    """A record by its place and id, not read yet."""

    place: RecordPlace
    external_id: str


async def target_of(runtime: Runtime, principal: Principal, *, place: RecordPlace, field: str) -> JsonObject:
    """What the schema of the collection at `place` says that a field refers to (`x-reference`), for `native_reference`.

    Raises InvalidError, which names the fields that do, for a field that refers to no collection; UpstreamError when the app is asked
    for the schema and cannot answer.
    """
    return await record_specs.decided_for(runtime, principal, place, partial(_target, field=field))


def native_reference(runtime: Runtime, *, place: RecordPlace, record: Record, field: str, target: JsonObject) -> RecordReference | None:
    """The record that a field of a record at `place` names; null where the field is empty.

    Raises InvalidError for a field that holds several ids, UpstreamResponseError where the target is no collection.
    """
    external_id = _external_id(_value_at(record.fields, field), field)
    if external_id is None:
        return None
    pointer = _pointer(runtime.connectors[place.integration.connector_key], target, place.pointer, field)
    found = RecordPlace(connection=place.connection, integration=place.integration, pointer=pointer)
    return RecordReference(place=found, external_id=external_id)


def _target(spec: CollectionSpec, *, field: str) -> JsonObject:
    references = dict(_references(spec.fields_schema or {}))
    if field not in references:
        known = ", ".join(references)
        do = f"These do: {known}." if known else "None of its fields does."
        raise InvalidError(f"Field {field[:100]!r} of collection {spec.key!r} refers to no collection. {do}", field=["field"])
    return references[field]


def _references(schema: JsonSchema, prefix: str = "") -> Iterator[tuple[str, JsonObject]]:
    """The fields that refer to a collection, in the order of the schema; a field in an object by its path with dots."""
    properties = schema.get("properties")
    for name, part in properties.items() if isinstance(properties, dict) else ():
        if isinstance(part, dict):
            items = part.get("items")
            target = part.get(REFERENCE) or (items.get(REFERENCE) if isinstance(items, dict) else None)
            if isinstance(target, dict) and isinstance(target.get("collection"), str):
                yield prefix + name, target
            elif prefix.count(".") < _MAXIMUM_NESTING:
                yield from _references(part, f"{prefix}{name}.")


def _value_at(fields: JsonObject, path: str) -> JsonValue:
    if path in fields:
        return fields[path]
    value: JsonValue = fields
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _external_id(value: JsonValue, field: str) -> str | None:
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, list) and len(value) == 1:
        # Some apps give a relation to one record as a list.
        return _external_id(value[0], field)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    kind = f"{len(value)} ids" if isinstance(value, list) else "no id"
    raise InvalidError(f"Field {field[:100]!r} holds {kind}, and a reference is to one record.", field=["field"])


def _pointer(connector: Connector, target: JsonObject, own: Pointer, field: str) -> Pointer:
    """The collection that is referred to; parameters that it needs and that are not given are those of the record's own collection."""
    parameters = target.get("parameters")
    given = dict(parameters) if isinstance(parameters, dict) else {}
    key = target["collection"]
    for name in (connector.parameters_schema(key) or {}).get("required", ()):
        if name not in given and name in own.parameters:
            given[name] = own.parameters[name]
    pointer = Pointer(key, given)
    try:
        pointers.require_collection(connector, pointer)
    except InvalidError as error:
        raise UpstreamResponseError(f"The schema of field {field!r} refers to a collection that there is not: {error.message}") from None
    return pointer
