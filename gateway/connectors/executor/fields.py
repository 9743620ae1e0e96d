"""The fields of a collection: what the connector says, and what the app adds."""

from gateway.connectors.executor.names import kind_of, properties
from gateway.connectors.schemas import CompiledSchema, SchemaError
from gateway.errors import UpstreamResponseError
from gateway.models import JsonSchema, JsonValue


def merged_schema(static: JsonSchema | None, dynamic: JsonValue) -> JsonSchema | None:
    """The schema of both; where both name a field the app's word counts, and null from the app adds nothing.

    Raises UpstreamResponseError when the app's part is no schema of an object.
    """
    if dynamic is None:
        return static
    if not isinstance(dynamic, dict) or not isinstance(dynamic.get("properties", {}), dict):
        raise UpstreamResponseError(
            f"The app describes the fields of the collection with {kind_of(dynamic)} that is no JSON Schema of an object."
        )
    merged = _merged(static, dynamic) if static is not None else dynamic
    try:
        return CompiledSchema.compile(merged, at="the schema").schema
    except SchemaError as error:
        raise UpstreamResponseError(f"The app describes the fields of the collection in a way that cannot be used: {error}.") from error


def _merged(static: JsonSchema, dynamic: JsonSchema) -> JsonSchema:
    merged: JsonSchema = {**static, **dynamic, "properties": {**properties(static), **properties(dynamic)}}
    required = [*static.get("required", ()), *_required(dynamic)]
    return {**merged, "required": list(dict.fromkeys(required))} if required else merged


def _required(schema: JsonSchema) -> list[str]:
    names = schema.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
