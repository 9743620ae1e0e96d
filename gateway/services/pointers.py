"""Pointers as callers write them, checked against a connector."""

from collections.abc import Sequence
from functools import lru_cache

import orjson

from gateway.connectors.protocol import Connector
from gateway.connectors.schemas import CompiledSchema, coerce_parameters
from gateway.errors import InvalidError
from gateway.models import JsonObject, JsonSchema, LocationKind, LocationPath, Pointer
from gateway.services import checks
from gateway.services.selectors import PointerInput

_MAXIMUM_PATH = 4_096


def read_pointer(given: PointerInput, *, connector: Connector | None, field: Sequence[str]) -> Pointer:
    """The pointer that a caller means, valid for the connector; without one (a universal definition) only its grammar is checked.

    Raises InvalidError: a broken path, an unknown location, a directory, parameters that break the schema.
    """
    if given.path is not None:
        pointer, field = parse_path(given.path, connector=connector, field=[*field, "path"]), [*field, "path"]
    else:
        parameters = checks.json_object(given.parameters, field=[*field, "collection", "parameters"])
        pointer, field = Pointer(checks.key(given.key or "", field=[*field, "collection", "key"]), parameters), [*field, "collection"]
    if not pointer.key:
        raise InvalidError("Path '/' is the root directory. Point the data source at a collection.", field=field)
    if connector is not None:
        require_collection(connector, pointer, field=field)
    return pointer


def parse_path(path: str, *, connector: Connector | None, field: Sequence[str] | None = None) -> Pointer:
    """The pointer of a path; its parameters are typed by the connector's schema where one is given."""
    if len(path) > _MAXIMUM_PATH:
        raise InvalidError(f"The path has {len(path)} characters; at most {_MAXIMUM_PATH} are read.", field=field)
    try:
        parts = LocationPath.parse(path)
    except InvalidError as error:
        raise InvalidError(error.message, field=field) from None
    checks.json_object(parts.parameters, field=field or ["path"])
    schema = connector.parameters_schema(parts.key) if connector is not None else None
    return Pointer(parts.key, coerce_parameters(schema, parts.parameters) if schema is not None else dict(parts.parameters))


def typed(connector: Connector, pointer: Pointer) -> Pointer:
    """The pointer with text parameters typed as the connector's schema says: a universal definition's path has only text."""
    texts = {name: value for name, value in pointer.parameters.items() if isinstance(value, str)}
    schema = connector.parameters_schema(pointer.key) if texts else None
    return pointer if schema is None else Pointer(pointer.key, {**pointer.parameters, **coerce_parameters(schema, texts)})


def require_collection(connector: Connector, pointer: Pointer, *, field: Sequence[str] | None = None) -> None:
    """Returns when the pointer names a collection of the connector with valid parameters; else raises InvalidError that says what to do."""
    require_location(connector, pointer, field=field)
    if connector.is_directory(pointer.key):
        raise InvalidError(
            f"Path {pointer.path!r} is a directory. Point the data source at a collection, such as {_nearest(connector, pointer)}.",
            field=field,
        )


def require_location(connector: Connector, pointer: Pointer, *, field: Sequence[str] | None = None) -> None:
    """Returns when the pointer names a location of the connector with valid parameters; else raises InvalidError that says what to do."""
    schema = connector.parameters_schema(pointer.key) if pointer.key else {}
    if schema is None:
        raise InvalidError(
            f"{connector.spec.name} has no location {pointer.key!r}. It has {_nearest(connector, Pointer(''))}.", field=field
        )
    problems = violations(schema, pointer.parameters)
    if problems:
        raise InvalidError(f"The parameters of {pointer.key!r} are not valid: {'; '.join(problems)}.", field=field)


def violations(schema: JsonSchema, value: JsonObject, *, is_secret: bool = False) -> list[str]:
    """What a value breaks in a schema, each as `name: what is wrong`; of secrets only the names are told."""
    found = _compiled(orjson.dumps(schema)).violations(value)
    if is_secret:
        return list(dict.fromkeys(_place(v.path) + "missing, unknown or not valid" for v in found))
    return [_place(v.path) + v.message for v in found]


def _place(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path) + ": " if path else ""


@lru_cache(maxsize=1024)
def _compiled(schema: bytes) -> CompiledSchema:
    # Compiling costs a quarter of a millisecond, a look-up of an equal schema a few microseconds.
    return CompiledSchema.compile(orjson.loads(schema), at="schema")


def _nearest(connector: Connector, directory: Pointer) -> str:
    held = connector.static_locations(directory) or ()
    paths = [location.pointer.path for location in held if location.kind is LocationKind.COLLECTION]
    return ", ".join(repr(path) for path in (paths or [_example(connector, c.key) for c in connector.spec.collections])[:3])


def _example(connector: Connector, key: str) -> str:
    required = (connector.parameters_schema(key) or {}).get("required", ())
    return Pointer(key).path + ("?" + "&".join(f"{name}=..." for name in required) if required else "")
