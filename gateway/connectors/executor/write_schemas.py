"""Which fields creations and updates take, out of the schema of all fields."""

from gateway.connectors.executor.names import properties
from gateway.connectors.format.operations import UpdateOperation, WriteOperation
from gateway.models import JsonObject, JsonSchema, JsonValue

_OPENNESS = frozenset({"additionalProperties", "patternProperties", "unevaluatedProperties"})
_OF_WHOLE_RECORDS = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "minProperties"}
)
"""What a schema says of a record as a whole: a part of one may break it."""
_CREATE_ONLY = "x-create-only"
"""Marks a field that a creation may give and no update can change, such as a key that the caller chooses."""
_MAX_DEPTH = 32


def write_schema(operation: WriteOperation | None, fields: JsonSchema | None) -> JsonSchema | None:
    """The JSON Schema of the fields that a write takes; null where it is not supported, or the fields are not known.

    Fields that the app sets itself, and those that the connector leaves out, are not among them. A schema that says what else
    a record may hold keeps saying so, one that names no fields takes all; every other takes the named ones only.
    """
    if operation is None or fields is None:
        return None
    is_open = not properties(fields) or not _OPENNESS.isdisjoint(fields)
    kept = {key: value for key, value in fields.items() if key not in ("required", "properties")}
    if isinstance(operation, UpdateOperation):
        kept = {key: value for key, value in kept.items() if key not in _OF_WHOLE_RECORDS}
    taken = _taken(operation, properties(fields), is_open=is_open)
    required = _required(operation, fields, taken)
    return {
        **kept,
        "type": "object",
        **({"properties": taken} if taken or not is_open else {}),
        **({"required": required} if required else {}),
        **({} if is_open else {"additionalProperties": False}),
    }


def _taken(operation: WriteOperation, known: JsonObject, *, is_open: bool) -> JsonObject:
    taken: JsonObject = {}
    for name, part in known.items():
        if name in operation.included:
            taken[name] = {key: value for key, value in part.items() if key != "readOnly"} if isinstance(part, dict) else part
        elif name in operation.excluded or _is_read_only(part) or (isinstance(operation, UpdateOperation) and _is_create_only(part)):
            _leave_out(taken, name, is_open=is_open)
        else:
            taken[name] = _without_read_only(part)
    for name in operation.excluded:
        if name not in known:
            _leave_out(taken, name, is_open=is_open)
    return taken


def _leave_out(taken: JsonObject, name: str, *, is_open: bool) -> None:
    if is_open:
        # Not naming it would let it in.
        taken[name] = False


def _required(operation: WriteOperation, fields: JsonSchema, taken: JsonObject) -> list[str]:
    names = fields.get("required")
    of_fields = [name for name in names if isinstance(name, str)] if "*" in operation.required and isinstance(names, list) else []
    named = [name for name in operation.required if name != "*"]
    return [*dict.fromkeys([*named, *(name for name in of_fields if taken.get(name, False) is not False)])]


def _is_read_only(part: JsonValue) -> bool:
    return isinstance(part, dict) and part.get("readOnly") is True


def _is_create_only(part: JsonValue) -> bool:
    return isinstance(part, dict) and part.get(_CREATE_ONLY) is True


def _without_read_only(part: JsonValue, depth: int = 0) -> JsonValue:
    """The schema of a part, in which nothing that is read-only can be given, however deep it stands."""
    if not isinstance(part, dict) or depth > _MAX_DEPTH:
        return part
    changed = dict(part)
    if isinstance(part.get("properties"), dict):
        changed["properties"] = {
            name: False if _is_read_only(inner) else _without_read_only(inner, depth + 1) for name, inner in part["properties"].items()
        }
    if isinstance(part.get("items"), dict):
        changed["items"] = _without_read_only(part["items"], depth + 1)
    return changed
