"""A connector written in Python, with its app in memory: notes in notebooks, and the people who write them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from gateway.connectors.protocol import Access
from gateway.errors import GatewayError, UpstreamAuthError
from gateway.models import (
    AuthMethod,
    AuthType,
    CollectionOperation,
    CollectionSpec,
    ConnectorSpec,
    JsonObject,
    Location,
    LocationKind,
    Page,
    PageRequest,
    Pointer,
    Record,
)

Item = TypeVar("Item")
Meanwhile = Callable[[], Awaitable[None]]

GOOD_TOKEN = "a-token-that-notes-accepts"
ROOT = Pointer("")

_NO_PARAMETERS: JsonObject = {"type": "object", "additionalProperties": False}
_OF_NOTEBOOK: JsonObject = {
    "type": "object",
    "required": ["notebookId"],
    "additionalProperties": False,
    "properties": {"notebookId": {"type": "integer", "minimum": 1}},
}
_PARAMETERS: dict[str, JsonObject] = {
    "notes": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "notebookId": {"type": "integer", "minimum": 1},
            "isPinned": {"type": "boolean"},
            "label": {"type": "string"},
        },
    },
    "people": _NO_PARAMETERS,
    "scraps": {
        "type": "object",
        "required": ["box"],
        "additionalProperties": False,
        "properties": {"box": {"type": "integer"}},
    },
    "archive": _NO_PARAMETERS,
    "attic": _NO_PARAMETERS,
    "notebook": _OF_NOTEBOOK,
}
_COLLECTIONS = ("notes", "people", "scraps")
_FIELDS: JsonObject = {"type": "object", "properties": {"text": {"type": "string"}}}

SPEC = ConnectorSpec(
    key="notes",
    name="Notes",
    version="1.0.0",
    integration_schema={
        "type": "object",
        "additionalProperties": False,
        "properties": {"region": {"type": "string", "enum": ["eu", "us"]}},
    },
    connection_schema={
        "type": "object",
        "required": ["workspace"],
        "additionalProperties": False,
        "properties": {"workspace": {"type": "string", "minLength": 1}, "pace": {"type": "integer", "default": 5}},
    },
    auth_methods=(
        AuthMethod(
            key="token",
            name="Token",
            type=AuthType.HTTP_BEARER,
            credentials_schema={
                "type": "object",
                "required": ["token"],
                "additionalProperties": False,
                "properties": {"token": {"type": "string", "minLength": 8, "writeOnly": True}},
            },
        ),
        AuthMethod(key="open", name="Nothing", type=AuthType.NONE, credentials_schema=_NO_PARAMETERS),
    ),
    collections=tuple(
        CollectionSpec(
            key=key,
            name=key.title(),
            parameters_schema=_PARAMETERS[key],
            # What is in a scrap only the app knows.
            fields_schema=None if key == "scraps" else _FIELDS,
            operations=(CollectionOperation.LIST,),
            universal_data_models=models,
        )
        for key, models in zip(_COLLECTIONS, (("notes",), ("users",), ()), strict=True)
    ),
    default_collections={"notes": Pointer("notes"), "users": Pointer("people")},
)


@dataclass
class NotesApp:
    """The app, as a test arranges it: what it holds, whom it accepts, and what goes wrong in it."""

    accepted_tokens: set[str] = field(default_factory=lambda: {GOOD_TOKEN}, repr=False)
    notebooks: dict[int, str] = field(default_factory=lambda: {7: "Garden", 8: "Kitchen", 9: "Cellar"})
    notes: list[str] = field(default_factory=lambda: [f"note {number}" for number in range(1, 8)])
    failure: GatewayError | None = None
    """What every request ends with."""
    meanwhile: Meanwhile | None = None
    """What happens, once, while the next request is under way."""
    page_size: int | None = None
    """The largest page that it gives; by default whatever is asked for."""
    requests: list[str] = field(default_factory=list)
    """The names of the methods that asked it, in order."""

    async def ask(self, request: str, access: Access) -> None:
        """Returns when the app answers."""
        self.requests.append(request)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        if self.failure is not None:
            raise self.failure
        if access.auth_method == "token" and access.credentials["token"] not in self.accepted_tokens:
            # Quotes what it must not, as a careless connector does.
            raise UpstreamAuthError(f"Notes does not know the token {access.credentials['token']}.")

    def page(self, items: Sequence[Item], request: PageRequest) -> Page[Item]:
        """A page by number, as many apps have them: another size moves the borders of all pages."""
        size = min(request.size, self.page_size or request.size)
        number = request.token or 0
        following = number + 1 if len(items) > (number + 1) * size else None
        return Page(items=tuple(items[number * size : (number + 1) * size]), next_token=following)


@dataclass
class NotesConnector:
    """Implements the connector protocol on a `NotesApp`."""

    app: NotesApp = field(default_factory=NotesApp)
    spec: ConnectorSpec = SPEC

    async def check(self, access: Access) -> None:
        await self.app.ask("check", access)

    def parameters_schema(self, key: str) -> JsonObject | None:
        return _NO_PARAMETERS if not key else _PARAMETERS.get(key)

    def is_directory(self, key: str) -> bool:
        return not key or (key in _PARAMETERS and key not in _COLLECTIONS)

    def static_locations(self, directory: Pointer) -> tuple[Location, ...] | None:
        """Every directory but the root is known by heart; the root also holds the notebooks, which only the app knows."""
        return _held(directory) if directory.key else None

    async def locations(self, access: Access, directory: Pointer, page: PageRequest) -> Page[Location]:
        await self.app.ask("locations", access)
        listed = [_notebook(number, name) for number, name in self.app.notebooks.items()] if not directory.key else []
        return self.app.page([*_held(directory), *listed], page)

    async def location(self, access: Access, pointer: Pointer) -> Location | None:
        await self.app.ask("location", access)
        if pointer.key == "notebook":
            name = self.app.notebooks.get(pointer.parameters["notebookId"])
            return _directory(pointer, name) if name is not None else None
        if not pointer.key:
            return _directory(ROOT, "Notes")
        return _directory(pointer, pointer.key.title()) if self.is_directory(pointer.key) else _collection(pointer)

    async def describe(self, access: Access, collection: Pointer) -> CollectionSpec:
        await self.app.ask("describe", access)
        known = self.spec.collection(collection.key)
        assert known is not None
        return replace(known, fields_schema=_FIELDS)

    async def records(self, access: Access, collection: Pointer, page: PageRequest) -> Page[Record]:
        await self.app.ask("records", access)
        return self.app.page([Record(external_id=note, fields={"text": note}) for note in self.app.notes], page)


def parameters(**given: Any) -> JsonObject:
    """Parameters that a connection to the app takes."""
    return {"workspace": "home", **given}


def _held(directory: Pointer) -> tuple[Location, ...]:
    locations: Mapping[str, tuple[Location, ...]] = {
        "": (_collection(Pointer("notes"), is_default=True), _collection(Pointer("people")), _directory(Pointer("archive"), "Archive")),
        "archive": (_collection(Pointer("notes", {"isPinned": False})), _directory(Pointer("attic"), "Attic")),
        "attic": (_collection(Pointer("scraps", {"box": 1})),),
        "notebook": (_collection(Pointer("notes", dict(directory.parameters))),),
    }
    return locations[directory.key]


def _notebook(number: int, name: str) -> Location:
    return _directory(Pointer("notebook", {"notebookId": number}), name)


def _directory(pointer: Pointer, name: str) -> Location:
    return Location(kind=LocationKind.DIRECTORY, pointer=pointer, name=name)


def _collection(pointer: Pointer, *, is_default: bool = False) -> Location:
    return Location(kind=LocationKind.COLLECTION, pointer=pointer, name=pointer.key.title(), is_default=is_default)
