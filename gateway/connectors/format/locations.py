"""The tree of places in an app."""

from typing import Annotated, Any

from pydantic import Tag, model_validator

from gateway.connectors.format.base import Key, Part, Value, one_of
from gateway.connectors.format.requests import PaginationRef, Request
from gateway.models import JsonSchema

_NO_PARAMETERS: JsonSchema = {"type": "object", "additionalProperties": False}


class LocationList(Part):
    """Asks the app for the items that become locations; each is `item` in the names of the entry beside it."""

    request: Request
    pagination: PaginationRef = "none"
    items: Value


class LocationRead(Part):
    """Asks the app for one item, so that a directory that is named directly has its name, and is known to exist."""

    request: Request
    item: Value


class CollectionEntry(Part):
    """A collection in the tree: which one, and with which parameters."""

    collection: Key
    name: Value | None = None
    """By default the collection's own location name."""
    parameters: dict[str, Value] = {}
    list: LocationList | None = None
    """Where the app says which there are; without it there is exactly one."""
    default: bool = False


class DirectoryEntry(Part):
    """A directory in the tree. `parameters` are its own, in the names of all that stands in it."""

    directory: Key
    name: Value
    parameters_schema: JsonSchema = _NO_PARAMETERS
    parameters: dict[str, Value] = {}
    list: LocationList | None = None
    read: LocationRead | None = None
    locations: tuple["Entry", ...]

    @model_validator(mode="after")
    def _listed_has_parameters(self) -> "DirectoryEntry":
        if self.list is not None and not self.parameters:
            raise ValueError("a directory that the app lists needs parameters that tell its items apart")
        return self


def _tag(value: Any) -> str | None:
    return next((f"!{kind}" for kind in ("directory", "collection") if isinstance(value, dict) and kind in value), None)


Entry = Annotated[
    Annotated[DirectoryEntry, Tag("!directory")] | Annotated[CollectionEntry, Tag("!collection")],
    one_of(_tag, message="a location has a `directory` or a `collection` key that names it"),
]

DirectoryEntry.model_rebuild()
