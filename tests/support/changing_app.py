"""An app in memory that changes while it is read, with a connector in Python: every way to learn of changes, and what goes wrong."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from typing import Any

from gateway.connectors.protocol import Access
from gateway.errors import CursorExpiredError, GatewayError, UnsupportedError
from gateway.models import (
    AuthMethod,
    AuthType,
    Change,
    ChangePage,
    CollectionOperation,
    CollectionSpec,
    ConnectorSpec,
    CursorOrder,
    CursorSync,
    CursorType,
    CursorValue,
    JsonObject,
    JsonValue,
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

Meanwhile = Callable[[], Awaitable[None] | None]
Truth = dict[str, JsonObject]
"""The fields of every record there is, by id."""

_NO_PARAMETERS: JsonObject = {"type": "object", "additionalProperties": False}
_BOX_PARAMETERS: JsonObject = {"type": "object", "additionalProperties": False, "properties": {"box": {"type": "string"}}}
ITEMS = Pointer("items")
LONGEST_DELAY = timedelta(days=1)
"""Later than that nothing comes into sight: beyond its look-back no connector promises anything."""
OPERATIONS = (CollectionOperation.LIST, CollectionOperation.FIND_BY_ID)

SPEC = ConnectorSpec(
    key="changing",
    name="Changing",
    version="1.0.0",
    connection_schema=_NO_PARAMETERS,
    auth_methods=(AuthMethod(key="open", name="Nothing", type=AuthType.NONE, credentials_schema=_NO_PARAMETERS),),
    collections=(
        CollectionSpec(
            key="items",
            name="Items",
            parameters_schema=_BOX_PARAMETERS,
            fields_schema={"type": "object"},
            operations=OPERATIONS,
            find_by_ids_maximum=20,
        ),
    ),
)


@dataclass(frozen=True)
class Item:
    """A record of the app, or what is left of one that was deleted."""

    id: str
    fields: JsonObject
    at: datetime
    """When it changed last, by the app's clock, as exactly as the app tells."""
    count: int
    """Where it stands in the order of all changes."""
    is_deleted: bool = False
    visible_from: int = 0
    """By which request it comes into sight."""
    before: "Item | None" = None
    """What lists show until then."""

    @property
    def record(self) -> Record:
        """The record as the app gives it."""
        return Record(external_id=self.id, fields=dict(self.fields), updated_at=self.at)


@dataclass
class ChangingApp:
    """The app, as a test arranges it. Pages are cut by position at the moment they are asked for, so that they drift."""

    support: SyncSupport = field(default_factory=SyncSupport)
    now: Callable[[], datetime] = lambda: datetime(2026, 1, 1, tzinfo=UTC)
    page_size: int = 3
    tells_seconds: bool = False
    """Whether its times are cut to whole seconds, so that changes tie."""
    finds_by_id: bool = True
    connector_version: str = SPEC.version
    items: dict[str, Item] = field(default_factory=dict)
    count: int = 0
    asked: int = 0
    """How often it was asked anything."""
    requests: list[str] = field(default_factory=list)
    """The names of what it was asked, in order."""
    sinces: list[Since] = field(default_factory=list)
    """What changes were asked for since, in order."""
    are_background: list[bool] = field(default_factory=list)
    takes_its_time: Callable[[], None] = lambda: None
    """What passes while it answers."""
    meanwhile: deque[Meanwhile | None] = field(default_factory=deque)
    """What happens before each of the next requests for a page is answered."""
    failures: deque[GatewayError | None] = field(default_factory=deque)
    """How each of the next requests ends."""
    oldest_token: int = 0
    """Delta tokens before this count are not known any more."""
    page_tokens: int = 0
    """Page tokens of an earlier age are not known any more."""

    @property
    def truth(self) -> Truth:
        """The fields of every record there is."""
        return {item.id: item.fields for item in self.items.values() if not item.is_deleted}

    def put(self, id: str, fields: JsonObject, *, hidden_for: int = 0) -> None:
        """Creates or replaces a record, which may come into sight some requests later, but within `LONGEST_DELAY`."""
        self.count += 1
        before = self._shown(self.items[id]) if hidden_for and id in self.items else None
        self.items[id] = Item(id, dict(fields), self._time(), self.count, visible_from=self.asked + hidden_for, before=before)

    def remove(self, id: str) -> None:
        """Deletes a record; what is left of it tells so where the app tells of deletions."""
        self.count += 1
        if id in self.items:
            self.items[id] = Item(id, {}, self._time(), self.count, is_deleted=True)

    def forget_delta_tokens(self) -> None:
        """No delta token that was given out so far is known any more, nor what is left of deleted records."""
        self.oldest_token = self.count + 1
        self.count += 1
        self.items = {item.id: item for item in self.items.values() if not item.is_deleted}

    def forget_page_tokens(self) -> None:
        """No page token that was given out so far is known any more."""
        self.page_tokens += 1

    async def ask(self, request: str, access: Access) -> None:
        """Returns when the app answers."""
        access.operation.spend()
        self.asked += 1
        self.requests.append(request)
        self.are_background.append(access.is_background)
        self.takes_its_time()
        happens = self.meanwhile.popleft() if self.meanwhile else None
        if happens is not None:
            done = happens()
            if isawaitable(done):
                await done
        failure = self.failures.popleft() if self.failures else None
        if failure is not None:
            raise failure

    def visible(self) -> list[Item]:
        """What is in sight, in the order of ids, deleted records included."""
        shown = [self._shown(item) for item in self.items.values()]
        return sorted((item for item in shown if item is not None), key=lambda item: item.id)

    def cut(self, items: Sequence[Item], page: PageRequest) -> tuple[Sequence[Item], JsonValue]:
        """A page by position, and the token of the page after it."""
        age, position = page.token or [self.page_tokens, 0]
        self.require_age(age)
        end = position + min(self.page_size, page.size)
        return items[position:end], [age, end] if end < len(items) else None

    def gives(self, page: ChangePage) -> ChangePage:
        """A page of changes as it leaves the app."""
        return page

    def require_age(self, age: int) -> None:
        """Returns when page tokens of that age are known."""
        if age != self.page_tokens:
            raise CursorExpiredError("The app does not know this page any more. Start again.")

    def _shown(self, item: Item) -> Item | None:
        is_in_sight = item.visible_from <= self.asked or self.now() - item.at >= LONGEST_DELAY
        return item if is_in_sight else item.before

    def _time(self) -> datetime:
        return self.now().replace(microsecond=0) if self.tells_seconds else self.now()


@dataclass
class ChangingConnector:
    """Implements the connector protocol on a `ChangingApp`."""

    app: ChangingApp = field(default_factory=ChangingApp)

    @property
    def spec(self) -> ConnectorSpec:
        (items,) = SPEC.collections
        operations = OPERATIONS if self.app.finds_by_id else (CollectionOperation.LIST,)
        return replace(SPEC, version=self.app.connector_version, collections=(replace(items, operations=operations),))

    async def check(self, access: Access) -> None:
        return None

    def parameters_schema(self, key: str) -> JsonObject | None:
        return {"": _NO_PARAMETERS, "items": _BOX_PARAMETERS}.get(key)

    def is_directory(self, key: str) -> bool:
        return not key

    def static_locations(self, directory: Pointer) -> tuple[Location, ...] | None:
        return (_location(ITEMS),)

    def mapping(self, collection: Pointer, model: str) -> UnifiedMapping | None:
        return None

    async def locations(self, access: Access, directory: Pointer, page: PageRequest) -> Page[Location]:
        return Page(items=(_location(ITEMS),))

    async def location(self, access: Access, pointer: Pointer) -> Location | None:
        return _location(pointer)

    async def describe(self, access: Access, collection: Pointer) -> CollectionSpec:
        return self.spec.collections[0]

    async def records(self, access: Access, collection: Pointer, page: PageRequest, query: RecordQuery = EVERYTHING) -> Page[Record]:
        await self.app.ask("records", access)
        items, following = self.app.cut([item for item in self.app.visible() if not item.is_deleted], page)
        return Page(items=tuple(item.record for item in items), next_token=following)

    async def record(self, access: Access, collection: Pointer, external_id: str) -> Record | None:
        await self.app.ask("record", access)
        item = self.app.items.get(external_id)
        return item.record if item is not None and not item.is_deleted else None

    async def records_by_ids(self, access: Access, collection: Pointer, external_ids: Sequence[str]) -> Mapping[str, Record]:
        await self.app.ask("records_by_ids", access)
        assert len(external_ids) <= self.spec.collections[0].find_by_ids_maximum
        found = [self.app.items[each] for each in external_ids if each in self.app.items]
        return {item.id: item.record for item in found if not item.is_deleted}

    async def changes(self, access: Access, collection: Pointer, since: Since, page: PageRequest) -> ChangePage:
        self.app.sinces.append(since)
        await self.app.ask("changes", access)
        if self.app.support.has_delta:
            return self.app.gives(self._delta(since, page))
        assert self.app.support.cursor is not None
        return self.app.gives(self._by_cursor(self.app.support.cursor, since, page))

    def _delta(self, since: Since, page: PageRequest) -> ChangePage:
        """By count; the token is that of the reading's first page, as what changes meanwhile belongs to the next one."""
        token: Any = since.delta_token
        if token is not None and token < self.app.oldest_token:
            raise CursorExpiredError("The app does not know this delta token any more.")
        age, begun, last = page.token or [self.app.page_tokens, self.app.count, token or 0]
        self.app.require_age(age)
        items = [item for item in self.app.visible() if not item.is_deleted or (token is not None and self.app.support.sees_deletions)]
        # By count and not by position: nothing is left out when a record changes meanwhile, and moves to the end.
        changed = [item for item in sorted(items, key=lambda item: item.count) if item.count > last]
        cut = changed[: min(self.app.page_size, page.size)]
        is_last = len(cut) == len(changed)
        return ChangePage(
            changes=tuple(_change(item, None) for item in cut),
            next_token=None if is_last else [age, begun, cut[-1].count],
            delta_token=begun if is_last else None,
        )

    def _by_cursor(self, cursor: CursorSync, since: Since, page: PageRequest) -> ChangePage:
        told = [item for item in self.app.visible() if not item.is_deleted or self.app.support.sees_deletions]
        chosen = [item for item in told if not cursor.is_filtered or _is_wanted(_value(item, cursor), since, cursor)]
        if cursor.order is not CursorOrder.UNSORTED:
            is_reversed = cursor.order is CursorOrder.NEWEST_FIRST
            chosen = sorted(chosen, key=lambda item: (_value(item, cursor), item.id), reverse=is_reversed)
        cut, following = self.app.cut(chosen[: cursor.maximum_records], page)
        return ChangePage(changes=tuple(_change(item, _value(item, cursor)) for item in cut), next_token=following)

    async def match(self, access: Access, collection: Pointer, fields: JsonObject) -> Record | None:
        raise UnsupportedError("The app matches nothing.")

    async def create(self, access: Access, collection: Pointer, fields: JsonObject, *, idempotency_key: str | None = None) -> Written:
        raise UnsupportedError("The app is written by its tests.")

    async def update(
        self, access: Access, collection: Pointer, external_id: str, fields: JsonObject, *, if_version: str | None = None
    ) -> Written:
        raise UnsupportedError("The app is written by its tests.")

    async def delete(self, access: Access, collection: Pointer, external_id: str, *, if_version: str | None = None) -> None:
        raise UnsupportedError("The app is written by its tests.")

    def sync_support(self, collection: Pointer) -> SyncSupport:
        return self.app.support

    async def register_webhook(self, access: Access, collection: Pointer, target: WebhookTarget) -> WebhookRegistration:
        raise UnsupportedError("The app sends no webhooks.")

    async def renew_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> WebhookRegistration:
        raise UnsupportedError("The app sends no webhooks.")

    async def remove_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> None:
        raise UnsupportedError("The app sends no webhooks.")

    def read_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, delivery: WebhookDelivery) -> WebhookReading:
        raise UnsupportedError("The app sends no webhooks.")


def _change(item: Item, value: CursorValue | None) -> Change:
    return Change(external_id=item.id, record=None if item.is_deleted else item.record, cursor=value)


def _value(item: Item, cursor: CursorSync) -> Any:
    return item.at if cursor.type is CursorType.DATETIME else item.count


def _is_wanted(value: Any, since: Since, cursor: CursorSync) -> bool:
    if since.start is not None and (value < since.start or (value == since.start and not cursor.is_inclusive)):
        return False
    return since.end is None or value <= since.end


def _location(pointer: Pointer) -> Location:
    kind = LocationKind.COLLECTION if pointer.key else LocationKind.DIRECTORY
    return Location(kind=kind, pointer=pointer, name=pointer.key.title() or "Changing")
