"""Rules for the tree of locations."""

from collections.abc import Iterator, Mapping

from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.exchanges import list_problems, request_problems
from gateway.connectors.format.locations import CollectionEntry, DirectoryEntry, Entry
from gateway.connectors.format.schema_rules import constant_problems, schema_problems
from gateway.connectors.format.scopes import ANSWER, ITEM, Scope, all_misuses, keys_of, listed, misuses, required_of
from gateway.documents import Place, Problem
from gateway.expressions import Template
from gateway.models import JsonSchema

_MAX_LEVELS = 16


def problems(file: ConnectorFile, shared: Scope) -> Iterator[Problem]:
    """What is wrong with the locations."""
    if not file.locations:
        yield ("locations",), "name at least one location, or nobody can browse the app"
    yield from _Tree(file, shared).problems(("locations",), file.locations, {**shared, "parameters": frozenset[str]()})


class _Tree:
    """A walk over the locations that remembers the directories it met."""

    def __init__(self, file: ConnectorFile, shared: Scope) -> None:
        self._file = file
        self._shared = shared
        self._directories: set[str] = set()

    def problems(self, place: Place, entries: tuple[Entry, ...], scope: Scope) -> Iterator[Problem]:
        """What is wrong with the entries of a directory, whose own names `scope` holds."""
        if len(place) > 2 * _MAX_LEVELS:
            yield place, f"directories nest at most {_MAX_LEVELS} levels"
            return
        for index, entry in enumerate(entries):
            at = (*place, index)
            if isinstance(entry, CollectionEntry):
                yield from self._collection(at, entry, scope)
            else:
                yield from self._directory(at, entry, scope)

    def _collection(self, place: Place, entry: CollectionEntry, scope: Scope) -> Iterator[Problem]:
        of_item: Scope = {**scope, **ITEM} if entry.list is not None else scope
        yield from misuses((*place, "name"), entry.name, of_item)
        yield from all_misuses((*place, "parameters"), entry.parameters, of_item)
        if entry.list is not None:
            yield from list_problems((*place, "list"), entry.list, "items", self._file.pagination, scope)
        collection = self._file.collections.get(entry.collection)
        if collection is None:
            yield (*place, "collection"), f"there is no collection {entry.collection!r}; there are {listed(self._file.collections)}"
        else:
            yield from _parameter_problems(place, entry.parameters, collection.parameters, what=f"collection {entry.collection!r}")

    def _directory(self, place: Place, entry: DirectoryEntry, scope: Scope) -> Iterator[Problem]:
        yield from self._key_problems((*place, "directory"), entry.directory)
        own = keys_of(entry.parameters_schema)
        outer = scope["parameters"]
        # A directory's name and parameters are rendered with those around it, or with its own when it is named directly.
        either: Scope = {**scope, "parameters": None if own is None or outer is None else own | outer}
        of_item = {**either, **ITEM} if entry.list is not None or entry.read is not None else either
        yield from misuses((*place, "name"), entry.name, of_item)
        yield from all_misuses((*place, "parameters"), entry.parameters, {**scope, **ITEM} if entry.list is not None else scope)
        inner: Scope = {**scope, "parameters": own}
        if entry.list is not None:
            yield from list_problems((*place, "list"), entry.list, "items", self._file.pagination, scope)
        if entry.read is not None:
            yield from request_problems((*place, "read", "request"), entry.read.request, inner)
            yield from misuses((*place, "read", "item"), entry.read.item, {**inner, **ANSWER})
        yield from _parameter_problems(place, entry.parameters, entry.parameters_schema, what=f"directory {entry.directory!r}")
        yield from schema_problems((*place, "parameters_schema"), entry.parameters_schema)
        yield from self.problems((*place, "locations"), entry.locations, inner)

    def _key_problems(self, place: Place, key: str) -> Iterator[Problem]:
        if key in self._directories:
            yield place, f"there is another directory {key!r}; a path names one location"
        if key in self._file.collections:
            yield place, f"there is a collection {key!r}; a path names one location"
        self._directories.add(key)


def _parameter_problems(place: Place, given: Mapping[str, Template], schema: JsonSchema, *, what: str) -> Iterator[Problem]:
    known = keys_of(schema)
    for name in given:
        if known is not None and name not in known:
            yield (*place, "parameters", name), f"{what} has no parameter {name!r}; it has {listed(known)}"
    for name in required_of(schema):
        if name not in given:
            yield place, f"{what} requires the parameter {name!r}; give it under `parameters`"
    constant = {name: value.render({}) for name, value in given.items() if value.is_constant}
    if constant and len(constant) == len(given):
        yield from constant_problems((*place, "parameters"), constant, schema)
