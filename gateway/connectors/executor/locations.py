"""The tree of locations: what is known of it without asking the app, and what an app's items become in it."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.connectors.executor.names import Names, properties, told
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.locations import CollectionEntry, DirectoryEntry, Entry
from gateway.connectors.format.scopes import required_of
from gateway.errors import UpstreamResponseError
from gateway.models import JsonObject, JsonSchema, Location, LocationKind, Pointer

ROOT = Pointer("")
_NO_PARAMETERS: JsonSchema = {"type": "object", "additionalProperties": False}
_KNOWN = frozenset({"parameters"})


class LocationTree:
    """The locations of a connector file, by key."""

    def __init__(self, file: ConnectorFile) -> None:
        self._file = file
        self._entries = tuple(_walk(file.locations))
        self._directories = {entry.directory: entry for entry in reversed(self._entries) if isinstance(entry, DirectoryEntry)}
        self._schemas: dict[str, JsonSchema] = {key: collection.parameters for key, collection in file.collections.items()}
        self._schemas |= {key: directory.parameters_schema for key, directory in self._directories.items()}
        self._schemas[ROOT.key] = _NO_PARAMETERS
        self._shapes = {key: _Shape.of(schema) for key, schema in self._schemas.items()}
        self._standing: dict[str, list[tuple[CollectionEntry, Pointer | None]]] = {}
        """Where a collection stands in the tree, each with its pointer where that is the same in every app."""
        for entry in self._entries:
            if isinstance(entry, CollectionEntry):
                self._standing.setdefault(entry.collection, []).append((entry, self._fixed(entry)))

    @property
    def root(self) -> Location:
        """The directory that holds everything, named as the app."""
        return Location(kind=LocationKind.DIRECTORY, pointer=ROOT, name=self._file.name)

    def is_directory(self, key: str) -> bool:
        """Whether the location of that key holds locations, as the root does."""
        return key == ROOT.key or key in self._directories

    def directory(self, key: str) -> DirectoryEntry | None:
        """The directory of that key; null for the root and for collections."""
        return self._directories.get(key)

    def parameters_schema(self, key: str) -> JsonSchema | None:
        """The schema of a location's parameters; null when there is no such location."""
        return self._schemas.get(key)

    def children(self, key: str) -> Sequence[Entry]:
        """What stands in a directory, as the file says it."""
        return self._file.locations if key == ROOT.key else self._directories[key].locations

    def static_locations(self, directory: Pointer) -> tuple[Location, ...] | None:
        """What a directory holds whatever the app and the connection say; null when they decide all of it."""
        entries = self.children(directory.key)
        known = [entry for entry in entries if self._is_known(entry)]
        if entries and not known:
            return None
        try:
            return tuple(self.location_of(entry, {"parameters": directory.parameters}) for entry in known)
        except UpstreamResponseError:
            return None

    def location_of(self, entry: Entry, names: Names) -> Location:
        """The location that an entry stands for; `names` hold the parameters of its directory, and `item` where the app lists it.

        Raises UpstreamResponseError when the item lacks what tells the location from others.
        """
        pointer = self._pointer_of(entry, names)
        return Location(
            kind=LocationKind.COLLECTION if isinstance(entry, CollectionEntry) else LocationKind.DIRECTORY,
            pointer=pointer,
            name=self._name(entry, names, pointer),
            is_default=isinstance(entry, CollectionEntry) and entry.default,
        )

    def known_collection(self, pointer: Pointer, names: Callable[[], Names]) -> Location:
        """A collection as a location, by what can be told of it without asking the app; `names` are made where they are needed."""
        for entry, fixed in self._standing.get(pointer.key, ()):
            if fixed is None or fixed == pointer:
                location = self._if_same(entry, pointer, names())
                if location is not None:
                    return location
        collection = self._file.collections[pointer.key]
        name = collection.name if collection.location_name is None else self._own_name(pointer, names())
        return Location(kind=LocationKind.COLLECTION, pointer=pointer, name=name)

    def known_directory(self, entry: DirectoryEntry, pointer: Pointer, names: Names) -> Location | None:
        """A directory by what can be told of it without asking the app; null when only the app knows its name."""
        name = _name_among_parameters(entry, pointer)
        if name is None and "item" not in entry.name.names:
            name = _text(told(entry.name, {**names, "parameters": pointer.parameters}, what=f"The name of location {pointer.key!r}"))
        return Location(kind=LocationKind.DIRECTORY, pointer=pointer, name=name) if name else None

    def named_directory(self, entry: DirectoryEntry, pointer: Pointer, names: Names) -> Location:
        """A directory that the app told of: `names` hold its `item`."""
        return Location(kind=LocationKind.DIRECTORY, pointer=pointer, name=self._name(entry, names, pointer))

    def _is_known(self, entry: Entry) -> bool:
        names = [*entry.parameters.values(), *([entry.name] if entry.name is not None else [])]
        if isinstance(entry, CollectionEntry) and entry.name is None:
            location_name = self._file.collections[entry.collection].location_name
            names += [location_name] if location_name is not None else []
        return entry.list is None and all(template.names <= _KNOWN for template in names)

    def _if_same(self, entry: CollectionEntry, pointer: Pointer, names: Names) -> Location | None:
        """The location that an entry gives the pointer, where that can be told from the pointer alone."""
        if entry.list is not None:
            name = _name_among_parameters(entry, pointer)
            return Location(kind=LocationKind.COLLECTION, pointer=pointer, name=name, is_default=entry.default) if name else None
        try:
            location = self.location_of(entry, {**names, "parameters": pointer.parameters})
        except UpstreamResponseError:
            return None
        return location if location.pointer == pointer else None

    def _name(self, entry: Entry, names: Names, pointer: Pointer) -> str:
        if entry.name is not None:
            name = _text(told(entry.name, names, what=f"The name of location {pointer.key!r}"))
            # An app may leave a name empty; what tells the location from others then has to do.
            return name or " ".join(filter(None, map(_text, pointer.parameters.values()))) or pointer.key
        return self._own_name(pointer, names)

    def _own_name(self, pointer: Pointer, names: Names) -> str:
        collection, own = self._file.collections[pointer.key], {**names, "parameters": pointer.parameters}
        if collection.location_name is None:
            return collection.name
        return _text(told(collection.location_name, own, what=f"The name of location {pointer.key!r}")) or collection.name

    def _fixed(self, entry: CollectionEntry) -> Pointer | None:
        """The one collection that an entry stands for; null where an app, or what is around it, decides which."""
        if entry.list is not None or not all(template.is_constant for template in entry.parameters.values()):
            return None
        try:
            return self._pointer_of(entry, {})
        except UpstreamResponseError:
            return None

    def _pointer_of(self, entry: Entry, names: Names) -> Pointer:
        key = entry.collection if isinstance(entry, CollectionEntry) else entry.directory
        rendered = {name: told(value, names, what=f"Parameter {name!r} of location {key!r}") for name, value in entry.parameters.items()}
        return Pointer(key, self._fitting(key, rendered))

    def _fitting(self, key: str, parameters: JsonObject) -> JsonObject:
        """The parameters in the types of the location's schema: an app's number is text where the schema says so."""
        shape = self._shapes[key]
        fitting = {name: _text(value) if name in shape.texts else value for name, value in parameters.items()}
        missing = [name for name in shape.required if fitting.get(name) is None]
        if missing:
            raise UpstreamResponseError(f"The app lists a location {key!r} without {', '.join(map(repr, missing))}.")
        return fitting


@dataclass(frozen=True)
class _Shape:
    """What the parameters of a location are like."""

    texts: frozenset[str]
    required: tuple[str, ...]

    @classmethod
    def of(cls, schema: JsonSchema) -> "_Shape":
        texts = (name for name, part in properties(schema).items() if isinstance(part, dict) and part.get("type") == "string")
        return cls(frozenset(texts), tuple(required_of(schema)))


def _walk(entries: Sequence[Entry]) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        if isinstance(entry, DirectoryEntry):
            yield from _walk(entry.locations)


def _name_among_parameters(entry: Entry, pointer: Pointer) -> str | None:
    """The name, where a parameter of the location comes from the same place."""
    for name, template in entry.parameters.items():
        if template == entry.name and pointer.parameters.get(name) is not None:
            return _text(pointer.parameters[name])
    return None


def _text(value: object) -> str | None:
    """A scalar as text; null for anything else."""
    if isinstance(value, str):
        return value or None
    return json.dumps(value) if isinstance(value, bool | int | float) else None
