"""Which names an expression may read, and which keys they have where that is known."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel

from gateway.documents import Place, Problem
from gateway.expressions import Expression, Template
from gateway.models import JsonSchema

Scope = Mapping[str, frozenset[str] | None]
"""By name: the keys it has; null where only the app knows."""

_MAX_LISTED = 50

ANSWER: Scope = {"body": None, "headers": None, "status": None}
"""What is known of an answer."""
ITEM: Scope = {"item": None}
PAGE: Scope = {"page": frozenset({"number", "offset", "size", "token"})}
"""What is known of a page before it is read."""
PAGES: Scope = {**ANSWER, "page": frozenset({"count", "number", "offset", "size", "token"}), "last": None}
"""What is known when the next page is sought."""
RECORD: Scope = {"record": None}
FIELDS_SCHEMA: Scope = {"schema": None}
"""What operations know of the fields, by the app's description of not long ago."""
QUERY: Scope = {"terms": None, "order": frozenset({"field", "direction"}), "search": frozenset[str]()}
"""What a list knows of the records that are wanted."""


def keys_of(schema: JsonSchema) -> frozenset[str] | None:
    """The keys of an object of that schema; null where it leaves them open."""
    properties = schema.get("properties", {})
    is_open = schema.get("additionalProperties") or not schema.keys().isdisjoint({"patternProperties", "$ref", "allOf", "anyOf", "oneOf"})
    if is_open or not isinstance(properties, dict) or ("properties" not in schema and schema.get("additionalProperties") is not False):
        return None
    return frozenset(properties)


def required_of(schema: JsonSchema) -> list[str]:
    """The names that an object of that schema must have. A file may hold anything there, which is told where the schema stands."""
    names = schema.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def names_read(part: object) -> frozenset[str]:
    """The names that all the values of a part of the file read, such as those of a request's path, query and body."""
    return frozenset(path[0] for path in paths_read(part))


def paths_read(part: object) -> frozenset[tuple[str, ...]]:
    """The same names, each with the key after it where it is plain: `page.size` gives (page, size)."""
    if isinstance(part, Template | Expression):
        return part.paths
    inner: Iterable[object] = ()
    if isinstance(part, BaseModel):
        inner = (getattr(part, name) for name in type(part).model_fields)
    elif isinstance(part, Mapping):
        inner = part.values()
    elif isinstance(part, list | tuple):
        inner = part
    return frozenset[tuple[str, ...]]().union(*map(paths_read, inner))


def misuses(place: Place, value: Template | Expression | None, scope: Scope) -> Iterator[Problem]:
    """The names of the value, and their keys, that are not there."""
    for path in sorted(value.paths) if value is not None else ():
        problem = _misuse(path, scope)
        if problem:
            yield place, problem


def selector_problems(place: Place, value: Template | None, scope: Scope) -> Iterator[Problem]:
    """What is wrong with a value that is to be found in what an app sends: the misuses, and text that finds nothing there."""
    yield from misuses(place, value, scope)
    if value is not None and value.is_constant and isinstance(value.source, str):
        yield place, f"{value.source!r} is plain text, the same whatever the app sends; an expression is written ${{...}}"


def all_misuses(place: Place, values: Mapping[str, Template], scope: Scope) -> Iterator[Problem]:
    """The same for each value of a mapping."""
    for key, value in values.items():
        yield from misuses((*place, key), value, scope)


def _misuse(path: tuple[str, ...], scope: Scope) -> str | None:
    name, *keys = path
    if name == "@":
        return "an expression may not take all names at once; say which"
    if name == "credentials" and name not in scope:
        return "credentials are known under `auth` only, so that no other part of a request can carry them elsewhere"
    if name not in scope:
        return f"there is no name {name!r} here; there are {listed(scope)}"
    known = scope[name]
    if keys and known is not None and keys[0] not in known:
        return f"{name!r} has no {keys[0]!r}; it has {listed(known, none='nothing')}"
    return None


def listed(names: Iterable[str], *, none: str = "none") -> str:
    """The names for a message, as many as anybody reads; `none` where there are none."""
    known = sorted(names)
    return (", ".join(known[:_MAX_LISTED]) or none) + (" ..." if len(known) > _MAX_LISTED else "")
