"""A connector written in Python, with its app in memory: notes in notebooks, cards, and the people who write them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from gateway.connectors.protocol import Access
from gateway.errors import GatewayError, UnsupportedError, UpstreamAuthError
from gateway.models import (
    AuthMethod,
    AuthType,
    ChangePage,
    CollectionFilter,
    CollectionOperation,
    CollectionSpec,
    ConnectorSpec,
    FilterOperator,
    JsonObject,
    Location,
    LocationKind,
    Page,
    PageRequest,
    Pointer,
    Record,
    RecordQuery,
    Since,
    SyncSupport,
    WebhookDelivery,
    WebhookReading,
    WebhookRegistration,
    WebhookTarget,
    Written,
)
from gateway.models.queries import EVERYTHING
from gateway.udm import UnifiedMapping
from tests.support.notes_cards import CARDS, MAPPINGS, PEOPLE, Table, cards, people, require_plain

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
    "cards": CARDS.parameters_schema or {},
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
_COLLECTIONS = ("notes", "people", "scraps", "cards")
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
    collections=(
        CollectionSpec(
            key="notes",
            name="Notes",
            parameters_schema=_PARAMETERS["notes"],
            fields_schema=_FIELDS,
            operations=(CollectionOperation.LIST,),
            universal_data_models=("notes",),
        ),
        PEOPLE,
        # What is in a scrap only the app knows.
        CollectionSpec(key="scraps", name="Scraps", parameters_schema=_PARAMETERS["scraps"], operations=(CollectionOperation.LIST,)),
        CARDS,
    ),
    default_collections={"notes": Pointer("notes"), "users": Pointer("people")},
)


@dataclass
class NotesApp:
    """The app, as a test arranges it: what it holds, whom it accepts, and what goes wrong in it."""

    accepted_tokens: set[str] = field(default_factory=lambda: {GOOD_TOKEN}, repr=False)
    notebooks: dict[int, str] = field(default_factory=lambda: {7: "Garden", 8: "Kitchen", 9: "Cellar"})
    notes: list[str] = field(default_factory=lambda: [f"note {number}" for number in range(1, 8)])
    tables: dict[str, Table] = field(default_factory=lambda: {"cards": cards(), "people": people()})
    """The collections whose records are more than a text."""
    answers_records: bool = True
    """Whether it answers a write with the record; else only with the id."""
    custom_fields: dict[str, JsonObject] = field(default_factory=dict)
    """Fields that somebody added to cards, which only the app knows, by their names."""
    failure: GatewayError | None = None
    """What every request ends with."""
    failures: dict[str, GatewayError] = field(default_factory=dict)
    """What requests of one method end with, by its name."""
    sync_support: SyncSupport = field(default_factory=SyncSupport)
    """What its connector says of how changes are learned of."""
    meanwhile: Meanwhile | None = None
    """What happens, once, while the next request is under way."""
    page_size: int | None = None
    """The largest page that it gives; by default whatever is asked for."""
    requests: list[str] = field(default_factory=list)
    """The names of the methods that asked it, in order."""
    queries: list[RecordQuery] = field(default_factory=list)
    """What lists were asked for, in order."""
    parts: list[frozenset[str]] = field(default_factory=list)
    """Which parts of their records, in order."""
    ids: list[tuple[str, ...]] = field(default_factory=list)
    """The ids that records were asked for by, request by request."""

    async def ask(self, request: str, access: Access) -> None:
        """Returns when the app answers."""
        access.operation.spend()
        self.requests.append(request)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        failure = self.failures.get(request, self.failure)
        if failure is not None:
            raise failure
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
    mappings: dict[tuple[str, str], UnifiedMapping] = field(default_factory=lambda: dict(MAPPINGS))

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
        return (
            _with_custom_fields(known, self.app.custom_fields)
            if known.key == CARDS.key
            else replace(known, fields_schema=known.fields_schema or _FIELDS)
        )

    def mapping(self, collection: Pointer, model: str) -> UnifiedMapping | None:
        return self.mappings.get((collection.key, model))

    async def records(self, access: Access, collection: Pointer, page: PageRequest, query: RecordQuery = EVERYTHING) -> Page[Record]:
        await self.app.ask("records", access)
        self.app.queries.append(query)
        self.app.parts.append(page.parts)
        if collection.key in self.app.tables:
            return self.app.page(self.app.tables[collection.key].select(query), page)
        require_plain(query)
        return self.app.page([Record(external_id=note, fields={"text": note}) for note in self.app.notes], page)

    async def record(self, access: Access, collection: Pointer, external_id: str) -> Record | None:
        await self.app.ask("record", access)
        self.app.ids.append((external_id,))
        return self.app.tables[collection.key].record(external_id)

    async def records_by_ids(self, access: Access, collection: Pointer, external_ids: Sequence[str]) -> Mapping[str, Record]:
        await self.app.ask("records_by_ids", access)
        self.app.ids.append(tuple(external_ids))
        return self.app.tables[collection.key].some(external_ids)

    async def match(self, access: Access, collection: Pointer, fields: JsonObject) -> Record | None:
        await self.app.ask("match", access)
        return self.app.tables[collection.key].first(fields)

    async def create(self, access: Access, collection: Pointer, fields: JsonObject, *, idempotency_key: str | None = None) -> Written:
        await self.app.ask("create", access)
        return self._written(collection, self.app.tables[collection.key].create(fields, idempotency_key))

    async def update(
        self, access: Access, collection: Pointer, external_id: str, fields: JsonObject, *, if_version: str | None = None
    ) -> Written:
        await self.app.ask("update", access)
        self.app.tables[collection.key].update(external_id, fields, if_version)
        return self._written(collection, external_id)

    async def delete(self, access: Access, collection: Pointer, external_id: str, *, if_version: str | None = None) -> None:
        await self.app.ask("delete", access)
        self.app.tables[collection.key].delete(external_id, if_version)

    def _written(self, collection: Pointer, external_id: str) -> Written:
        record = self.app.tables[collection.key].record(external_id) if self.app.answers_records else None
        return Written(external_id=external_id, record=record)

    def sync_support(self, collection: Pointer) -> SyncSupport:
        return self.app.sync_support

    async def changes(self, access: Access, collection: Pointer, since: Since, page: PageRequest) -> ChangePage:
        raise UnsupportedError("The notes app tells of no changes.")

    async def register_webhook(self, access: Access, collection: Pointer, target: WebhookTarget) -> WebhookRegistration:
        raise UnsupportedError("The notes app sends no webhooks.")

    async def renew_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> WebhookRegistration:
        raise UnsupportedError("The notes app sends no webhooks.")

    async def remove_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> None:
        raise UnsupportedError("The notes app sends no webhooks.")

    def read_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, delivery: WebhookDelivery) -> WebhookReading:
        raise UnsupportedError("The notes app sends no webhooks.")


def parameters(**given: Any) -> JsonObject:
    """Parameters that a connection to the app takes."""
    return {"workspace": "home", **given}


def _with_custom_fields(spec: CollectionSpec, custom: Mapping[str, JsonObject]) -> CollectionSpec:
    """The spec with fields that can be read, written and filtered by equality."""

    def extended(schema: JsonObject | None) -> JsonObject:
        return {**(schema or {}), "properties": {**(schema or {})["properties"], **custom}}

    return replace(
        spec,
        fields_schema=extended(spec.fields_schema),
        create_fields_schema=extended(spec.create_fields_schema),
        update_fields_schema=extended(spec.update_fields_schema),
        filters=(*spec.filters, *(CollectionFilter(field=name, operators=(FilterOperator.EQ,)) for name in custom)),
        has_custom_fields=bool(custom),
    )


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
