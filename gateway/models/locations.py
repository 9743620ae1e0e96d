"""Places in an external app, and the one grammar of their paths."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from urllib.parse import parse_qsl, quote, unquote

from gateway.errors import InvalidError
from gateway.models.json import JsonObject
from gateway.values import value

ROOT_PATH = "/"
_PREFIX = "/data/"


@dataclass(frozen=True)
class LocationPath:
    """A path taken apart: `/data/<key>?<parameters>`; the root `/` has an empty key. Parameters are still text."""

    key: str
    parameters: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, path: str) -> "LocationPath":
        """The parts of a path. A path may also start with `data/`. Raises InvalidError when it breaks the grammar."""
        if path in ("", ROOT_PATH):
            return cls("")
        rooted = path if path.startswith("/") else f"/{path}"
        if not rooted.startswith(_PREFIX):
            raise InvalidError(f"Path {path!r} must be '/' or start with '/data/'.")
        key, _, query = rooted.removeprefix(_PREFIX).partition("?")
        if not key or "/" in key:
            raise InvalidError(f"Path {path!r} must name one location, such as '/data/tasks?projectId=12'.")
        pairs = parse_qsl(query, keep_blank_values=True)
        if len({name for name, _ in pairs}) != len(pairs):
            raise InvalidError(f"Path {path!r} gives a parameter twice.")
        return cls(unquote(key), dict(pairs))


@value()
class Pointer:
    """A location by key and typed parameters; the same setting as a path, in its other spelling.

    A parameter that is null is the same as one left out, and is dropped.
    """

    key: str
    parameters: JsonObject = field(default_factory=dict)

    def __post_init__(self) -> None:
        if None in self.parameters.values():
            object.__setattr__(self, "parameters", {k: v for k, v in self.parameters.items() if v is not None})

    @cached_property
    def path(self) -> str:
        """The pointer as a path: parameters in the order of their names, so that equal pointers have equal paths; no texts as JSON."""
        if not self.key:
            return ROOT_PATH
        query = "&".join(f"{quote(name, safe='')}={quote(_text(value), safe='')}" for name, value in sorted(self.parameters.items()))
        return f"{_PREFIX}{quote(self.key, safe='')}" + (f"?{query}" if query else "")

    def as_json(self) -> JsonObject:
        """The pointer as it is stored and as `settings` shows it."""
        return {"key": self.key, "parameters": self.parameters}

    @classmethod
    def from_json(cls, value: JsonObject) -> "Pointer":
        """The pointer that `as_json` gave."""
        return cls(value["key"], dict(value["parameters"]))


class LocationKind(StrEnum):
    """A container of locations, or a table of records."""

    DIRECTORY = "directory"
    COLLECTION = "collection"


@value(kw_only=True)
class Location:
    """A place in an app: where it is, and what its app calls it."""

    kind: LocationKind
    pointer: Pointer
    name: str
    is_default: bool = False
    """Whether the connector names it as the app's default collection."""


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
