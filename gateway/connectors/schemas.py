"""JSON Schemas from connectors and apps, compiled and used safely: nothing is fetched, patterns cannot run away, sizes are bounded."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson

from gateway.connectors.schema_work import require_bounded_work
from gateway.models import JsonObject, JsonSchema, JsonValue

MAX_SCHEMA_BYTES = 512 * 1024
"""The largest schema; the description of a table with a thousand columns takes a quarter of it."""
MAX_VALUE_DEPTH = 200
"""How deeply a value may nest. The library walks it on the machine's stack, and a hundred thousand levels end the process."""
MAX_VIOLATIONS = 50
MAX_MESSAGE_CHARACTERS = 300
_MAX_NUMBER_CHARACTERS = 300
_MAX_REFERENCES = 8
_CONTAINERS = (list, dict)

_MAY_REFER = re.compile(rb'"\$(?:ref|dynamicRef|recursiveRef)"')
_INTEGER = re.compile(r"-?(0|[1-9]\d*)", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


class SchemaError(ValueError):
    """A schema that cannot be used. Whoever holds it says whose fault that is: the operator's file or the app's answer."""


@dataclass(frozen=True)
class Violation:
    """What a value breaks: where in it, and what is expected there. Of schemas that hold secrets the message tells no value."""

    path: tuple[str | int, ...]
    message: str
    missing: str | None = None
    """The property that is required at this place, where that is what is wrong."""
    unexpected: tuple[str, ...] = ()
    """The properties that are not allowed at this place, where that is what is wrong."""


@dataclass(frozen=True)
class CompiledSchema:
    """A schema that values can be held against."""

    schema: JsonSchema
    _validator: jsonschema_rs.Validator

    @classmethod
    def compile(cls, schema: JsonValue, *, at: str) -> "CompiledSchema":
        """The schema, ready for use. Raises SchemaError that starts with `at`.

        It is raised for one that is broken, too large or too much work, or that refers to other documents.
        """
        if not isinstance(schema, dict):
            raise SchemaError(f"{at}: a JSON Schema is a mapping, such as {{type: object}}")
        try:
            text = orjson.dumps(schema)
        except orjson.JSONEncodeError as error:
            raise SchemaError(f"{at}: not JSON, or nested too deeply ({error})") from None
        if len(text) > MAX_SCHEMA_BYTES:
            raise SchemaError(f"{at}: the schema takes {len(text)} bytes; at most {MAX_SCHEMA_BYTES} are read")
        try:
            validator = _validator(schema)
            if _MAY_REFER.search(text):
                require_bounded_work(schema)
            return cls(schema, validator)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise SchemaError(f"{at}: {_problem(error)}") from None

    def violations(self, value: JsonValue) -> list[Violation]:
        """What the value breaks, at most 50 of them; nothing when it is valid."""
        if _is_too_deep(value):
            return [Violation((), f"the value nests deeper than {MAX_VALUE_DEPTH} levels")]
        try:
            if self._validator.is_valid(value):
                return []
            return [_violation(error) for error in islice(self._validator.iter_errors(value), MAX_VIOLATIONS)]
        except ValueError:
            return [Violation((), "the value is not JSON")]


def coerce_parameters(schema: JsonSchema, texts: Mapping[str, str]) -> JsonObject:
    """Parameters of a path, typed by the schema's properties. What does not fit its type stays text: validation then names it."""
    return {name: _coerced(text, property_types(schema, name)) for name, text in texts.items()}


def writable_secrets(schema: JsonSchema) -> frozenset[str]:
    """The names of the properties that are secret, or hold a secret: marked `writeOnly`."""
    properties = schema.get("properties")
    return frozenset(name for name, part in properties.items() if _holds_secret(part)) if isinstance(properties, dict) else frozenset()


def property_defaults(schema: JsonSchema) -> JsonObject:
    """The defaults of the schema's properties, by name."""
    properties = schema.get("properties")
    parts = properties.items() if isinstance(properties, dict) else ()
    return {name: part["default"] for name, part in parts if isinstance(part, dict) and "default" in part}


def _validator(schema: JsonSchema) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(
        schema,
        validate_formats=True,
        offline=True,  # By default the library fetches what a $ref names, from the network and from files.
        pattern_options=jsonschema_rs.RegexOptions(),  # Linear time; its other engine backtracks.
        mask="the value" if _holds_secret(schema) else None,
    )


def _is_too_deep(value: JsonValue) -> bool:
    containers = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(MAX_VALUE_DEPTH):
        if not containers:
            return False
        containers = [
            item for part in containers for item in (part.values() if isinstance(part, dict) else part) if isinstance(item, _CONTAINERS)
        ]
    return True


def _problem(error: Exception) -> str:
    path = ".".join(str(part) for part in error.instance_path) if isinstance(error, jsonschema_rs.ValidationError) else ""
    message = error.message if isinstance(error, jsonschema_rs.ValidationError | jsonschema_rs.ReferencingError) else str(error)
    place = f" at {path}" if path else ""
    return f"not a usable JSON Schema{place}: {_shortened(message)}"


def _violation(error: jsonschema_rs.ValidationError) -> Violation:
    return Violation(
        tuple(error.instance_path),
        _shortened(error.message),
        missing=getattr(error.kind, "property", None),
        unexpected=tuple(getattr(error.kind, "unexpected", None) or ()),
    )


def _shortened(message: str) -> str:
    # The end tells what was expected, the start shows the value.
    half = MAX_MESSAGE_CHARACTERS // 2
    return message if len(message) <= MAX_MESSAGE_CHARACTERS else f"{message[:half]} ... {message[-half:]}"


def _holds_secret(schema: object) -> bool:
    rest = [schema]
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            if part.get("writeOnly") is True:
                return True
            rest.extend(part.values())
        elif isinstance(part, list):
            rest.extend(part)
    return False


def property_types(schema: JsonSchema, name: str) -> frozenset[str]:
    """The JSON types that a schema allows a property; empty where it does not say."""
    properties = schema.get("properties")
    part = properties.get(name) if isinstance(properties, dict) else None
    return frozenset(_types_of(part, root=schema, references=0)) if part is not None else frozenset()


def _types_of(part: object, *, root: JsonSchema, references: int) -> Iterator[str]:
    """The types that a schema allows, as far as it says so plainly: by type, const, enum, $ref, anyOf, oneOf or allOf."""
    if not isinstance(part, dict) or references > _MAX_REFERENCES:
        return
    declared = part.get("type")
    if declared is not None:
        yield from [declared] if isinstance(declared, str) else declared
    elif "const" in part:
        yield _type_of(part["const"])
    elif isinstance(part.get("enum"), list):
        yield from map(_type_of, part["enum"])
    else:
        branches = [branch for key in ("anyOf", "oneOf", "allOf") for branch in part.get(key, ())]
        if isinstance(part.get("$ref"), str):
            branches.append(_local(root, part["$ref"]))
        for branch in branches:
            yield from _types_of(branch, root=root, references=references + 1)


def _local(root: JsonSchema, reference: str) -> object:
    part: Any = root
    for key in reference.removeprefix("#").strip("/").split("/"):
        part = part.get(key.replace("~1", "/").replace("~0", "~")) if isinstance(part, dict) and key else part
    return part


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "null" if value is None else "array" if isinstance(value, list) else "object"


def _coerced(text: str, types: frozenset[str]) -> JsonValue:
    if "string" in types:
        return text
    if len(text) <= _MAX_NUMBER_CHARACTERS:
        if types & {"integer", "number"} and _INTEGER.fullmatch(text):
            return int(text)
        if "number" in types and _NUMBER.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if "null" in types and text == "null":
        return None
    return _coerced_structure(text, types)


def _coerced_structure(text: str, types: frozenset[str]) -> JsonValue:
    if not types & {"array", "object"}:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, list | dict) and _type_of(value) in types else text
