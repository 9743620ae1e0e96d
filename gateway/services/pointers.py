"""Pointers as callers write them, checked against a connector."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from gateway.connectors.bounded import Bounded
from gateway.connectors.protocol import Connector
from gateway.connectors.schemas import CompiledSchema, SchemaError, Violation, coerce_parameters
from gateway.errors import InvalidError
from gateway.models import JsonObject, JsonSchema, JsonValue, LocationKind, LocationPath, Pointer
from gateway.services import checks
from gateway.services.selectors import PointerInput

_MAXIMUM_PATH = 4_096
MAXIMUM_COMPILED_BYTES = 128 * 1024 * 1024
"""What compiled schemas may take. Apps describe tables of a thousand columns, and one of those takes megabytes."""
_BYTES_COMPILED = 64
"""What a compiled schema takes in memory for each byte of its JSON."""


def read_pointer(given: PointerInput, *, connector: Connector | None, field: Sequence[str]) -> Pointer:
    """The pointer that a caller means, valid for the connector; without one (a universal definition) only its grammar is checked.

    Raises InvalidError: a broken path, an unknown location, a directory, parameters that break the schema.
    """
    if (given.path is None) == (given.key is None):
        raise InvalidError("A pointer is either a `path`, or a `collection` with its key and parameters.", field=field)
    if given.path is not None:
        pointer, spelling = parse_path(given.path, connector=connector, field=[*field, "path"]), _Spelling([*field, "path"])
    else:
        pointer, spelling = _of_collection(given, field=[*field, "collection"]), _Spelling([*field, "collection"], ("key", "parameters"))
    if not pointer.key:
        raise InvalidError("Path '/' is the root directory. Point the data source at a collection.", field=spelling.of_key)
    if connector is not None:
        _require(connector, pointer, spelling, is_collection=True)
    else:
        checks.key(pointer.key, field=spelling.of_key or field)
    return pointer


def parse_path(path: str, *, connector: Connector | None, field: Sequence[str] | None = None) -> Pointer:
    """The pointer of a path; its parameters are typed by the connector's schema where one is given."""
    place = field or ["path"]
    if path:
        checks.text(path, field=place, maximum=_MAXIMUM_PATH)
    try:
        parts = LocationPath.parse(path)
    except InvalidError as error:
        raise InvalidError(error.message, field=place) from None
    schema = connector.parameters_schema(parts.key) if connector is not None else None
    parameters = coerce_parameters(schema, parts.parameters) if schema is not None else dict(parts.parameters)
    return Pointer(parts.key, checks.json_object(parameters, field=place))


def typed(connector: Connector, pointer: Pointer) -> Pointer:
    """The pointer with text parameters typed as the connector's schema says: a universal definition's path has only text."""
    if str not in map(type, pointer.parameters.values()):
        return pointer
    texts = {name: value for name, value in pointer.parameters.items() if isinstance(value, str)}
    schema = connector.parameters_schema(pointer.key)
    return pointer if schema is None else Pointer(pointer.key, {**pointer.parameters, **coerce_parameters(schema, texts)})


def require_collection(connector: Connector, pointer: Pointer) -> None:
    """Returns when the pointer names a collection of the connector with valid parameters; else raises InvalidError that says what to do."""
    _require(connector, pointer, _ANYWHERE, is_collection=True)


def require_location(connector: Connector, pointer: Pointer) -> None:
    """Returns when the pointer names a location of the connector with valid parameters; else raises InvalidError that says what to do."""
    _require(connector, pointer, _ANYWHERE, is_collection=False)


@dataclass(frozen=True)
class _Spelling:
    """Where the two halves of a pointer stand in the input: nowhere, in one place, or each in its own part."""

    place: Sequence[str] | None
    parts: tuple[str, str] | None = None

    @property
    def of_key(self) -> Sequence[str] | None:
        return [*self.place, self.parts[0]] if self.place is not None and self.parts is not None else self.place

    @property
    def of_parameters(self) -> Sequence[str] | None:
        return [*self.place, self.parts[1]] if self.place is not None and self.parts is not None else self.place


_ANYWHERE = _Spelling(None)


def _of_collection(given: PointerInput, *, field: Sequence[str]) -> Pointer:
    key = checks.key(given.key or "", field=[*field, "key"])
    return Pointer(key, checks.json_object(given.parameters, field=[*field, "parameters"]))


def _require(connector: Connector, pointer: Pointer, spelling: _Spelling, *, is_collection: bool) -> None:
    schema = connector.parameters_schema(pointer.key) if pointer.key else {"additionalProperties": False}
    if schema is None:
        raise InvalidError(
            f"{connector.spec.name} has no location {pointer.key[:100]!r}. It has {_nearest(connector, Pointer(''))}.",
            field=spelling.of_key,
        )
    found = _compiled(schema).violations(pointer.parameters)
    if is_collection and connector.is_directory(pointer.key):
        nearest = _nearest(connector, Pointer("") if found else pointer)
        raise InvalidError(
            f"Path {pointer.path!r} is a directory. Point the data source at a collection, such as {nearest}.", field=spelling.of_key
        )
    if found:
        problems = "; ".join(_told(found))
        raise InvalidError(f"The parameters of {pointer.key!r} are not valid: {problems}.", field=spelling.of_parameters)


def violations(schema: JsonSchema, value: JsonObject, *, is_secret: bool = False) -> list[str]:
    """What a value breaks in a schema, each as `name: what is wrong`; of secrets only the names are told."""
    found = found_violations(schema, value)
    if is_secret:
        return list(dict.fromkeys(_place(v.path) + "missing, unknown or not valid" for v in found))
    return _told(found)


def found_violations(schema: JsonSchema, value: JsonValue) -> list[Violation]:
    """What a value breaks in a schema, at most 50 of them, with their places. Raises SchemaError for one that cannot be used."""
    return _compiled(schema).violations(value)


def _told(found: list[Violation]) -> list[str]:
    return [_place(v.path) + v.message for v in found]


def _place(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path) + ": " if path else ""


_kept: Bounded[CompiledSchema] = Bounded(maximum_weight=MAXIMUM_COMPILED_BYTES)


_lately: dict[int, tuple[JsonSchema, CompiledSchema]] = {}
"""The same by the identity of schemas, of which the few that connectors check pointers with are asked for again and again."""
_MOST_LATELY = 256
_BYTES_LATELY = 1_024
"""The longest of those: what is held here would else go with whoever has it."""


def _compiled(schema: JsonSchema) -> CompiledSchema:
    lately = _lately.get(id(schema))
    # No schema is changed. It is held together with what is made of it: no other comes to have its identity.
    return lately[1] if lately is not None else _found(schema)


def _found(schema: JsonSchema) -> CompiledSchema:
    # Compiling costs a quarter of a millisecond, a look-up of an equal schema a few microseconds.
    try:
        text = orjson.dumps(schema)
    except orjson.JSONEncodeError as error:
        raise SchemaError(f"schema: not JSON, or nested too deeply ({error})") from None
    found = _kept.get(text)
    if found is None:
        found = CompiledSchema.compile(schema, at="schema")
        _kept.put(text, found, weight=_BYTES_COMPILED * len(text))
    if len(text) <= _BYTES_LATELY:
        if len(_lately) >= _MOST_LATELY:
            _lately.clear()
        _lately[id(schema)] = schema, found
    return found


def _nearest(connector: Connector, directory: Pointer) -> str:
    held = connector.static_locations(directory) or ()
    paths = [location.pointer.path for location in held if location.kind is LocationKind.COLLECTION]
    return ", ".join(repr(path) for path in (paths or [_example(connector, c.key) for c in connector.spec.collections])[:3])


def _example(connector: Connector, key: str) -> str:
    required = (connector.parameters_schema(key) or {}).get("required", ())
    return Pointer(key).path + ("?" + "&".join(f"{name}=..." for name in required) if required else "")
