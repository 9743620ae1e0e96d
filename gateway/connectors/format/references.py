"""`$ref: '#/schemas/<name>'` resolved, so that every schema of a connector stands by itself."""

from collections.abc import Mapping
from typing import Any

from gateway.connectors.format.scopes import listed
from gateway.documents import Place, Problem
from gateway.models import JsonObject, JsonValue

_PREFIX = "#/schemas/"
_MAX_PARTS = 20_000
"""How many values a schema may hold once the shared ones stand in it: sharing within sharing multiplies."""
_MAX_ALL_PARTS = 10 * _MAX_PARTS
"""How many the whole file may hold then: a schema is compiled wherever it stands."""


class References:
    """The shared schemas of one file, and what was wrong with the references to them."""

    def __init__(self, schemas: object) -> None:
        self.problems: list[Problem] = []
        self._schemas: Mapping[str, Any] = schemas if isinstance(schemas, Mapping) else {}
        self._resolved: dict[str, tuple[JsonValue, int]] = {}
        self._open: list[str] = []

    def resolved(self, content: JsonObject) -> JsonObject:
        """The content of the file with each reference replaced by what it names, and `x-secret` spelt `writeOnly`."""
        members = {key: self._resolve(value, (key,)) for key, value in content.items()}
        if sum(size for _, size in members.values()) > _MAX_ALL_PARTS:
            self._problem(("schemas",), f"the file holds more than {_MAX_ALL_PARTS} values with all that it refers to")
        return {key: value for key, (value, _) in members.items()}

    def _resolve(self, value: JsonValue, place: Place) -> tuple[JsonValue, int]:
        """The value without references, and how many values it holds."""
        if isinstance(value, list):
            items = [self._resolve(item, (*place, index)) for index, item in enumerate(value)]
            return [item for item, _ in items], 1 + sum(size for _, size in items)
        if not isinstance(value, dict):
            return value, 1
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(_PREFIX):
            return self._named(reference.removeprefix(_PREFIX), value, place)
        members = {key: self._resolve(item, (*place, key)) for key, item in value.items()}
        if value.get("x-secret") is True:
            members["writeOnly"] = (True, 1)
        return {key: item for key, (item, _) in members.items()}, 1 + sum(size for _, size in members.values())

    def _named(self, name: str, around: JsonObject, place: Place) -> tuple[JsonValue, int]:
        if name not in self._schemas:
            return self._problem(place, f"there is no schema {name!r} under `schemas`; there are {listed(self._schemas)}")
        if name in self._open:
            return self._problem(place, f"schema {name!r} refers to itself; write the repeated part out with `$defs`")
        if name not in self._resolved:
            self._open.append(name)
            self._resolved[name] = self._resolve(self._schemas[name], ("schemas", name))
            self._open.pop()
        schema, size = self._resolved[name]
        if size > _MAX_PARTS:
            return self._problem(place, f"schema {name!r} holds more than {_MAX_PARTS} values with all that it refers to")
        beside = {key: item for key, item in around.items() if key != "$ref"}
        return ({**schema, **beside} if beside and isinstance(schema, dict) else schema), size + len(beside)

    def _problem(self, place: Place, text: str) -> tuple[JsonValue, int]:
        self.problems.append((place, text))
        return {}, 1
