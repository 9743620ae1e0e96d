"""An instance as the sync engine finds it when it begins to work for it: its settings, who is interested, and how far it is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.connectors.protocol import Access, Connector
from gateway.errors import ConflictError, UpstreamResponseError
from gateway.events.snapshots import ObservedPlace
from gateway.models import (
    ChangePage,
    ChangeType,
    CollectionOperation,
    CollectionSpec,
    DataSourceInstance,
    EventSubscription,
    JsonValue,
    Page,
    PageRequest,
    Pointer,
    Record,
    Since,
    SyncGeneration,
    SyncState,
    SyncSupport,
    TaskKind,
)
from gateway.models.detection import Detection, detection_of
from gateway.models.principal import SYSTEM
from gateway.models.settings_in_force import SettingsInForce
from gateway.runtime import Runtime
from gateway.services import elements
from gateway.services.access import App, app_of
from gateway.services.instance_context import InstanceContext, contexts
from gateway.storage import times
from gateway.sync import schedule

PAGE_SIZE = 1_000
"""How many records an app is asked for at once; it may give fewer or more."""


class NotFollowedError(ConflictError):
    """The instance points elsewhere by now, or nobody is interested: what is under way for it is of no use."""


@dataclass(frozen=True, kw_only=True)
class Followed:
    """An instance, the rows that decide how it is synced, and how far it is."""

    context: InstanceContext
    settings: SettingsInForce
    state: SyncState
    generation: SyncGeneration | None
    """The present generation; null before the first."""
    subscriptions: tuple[EventSubscription, ...]
    """Those that are live."""
    now: datetime
    """By the clock that replicas share."""

    @property
    def types(self) -> frozenset[ChangeType]:
        """What somebody is interested in."""
        return frozenset(ChangeType(subscription.type) for subscription in self.subscriptions)

    def is_in_force(self, runtime: Runtime) -> bool:
        """Whether the present generation is that of the collection which the instance points at now, and read as it is read now.

        Raises what `usable_pointer` raises.
        """
        pointer = self.settings.pointer
        return (
            self.generation is not None
            and pointer is not None
            and self.generation.pointer == pointer.as_json()
            and self.state.instance_generation == self.context.instance.generation
            and self.generation.reading == self.reading(runtime)
        )

    def reading(self, runtime: Runtime) -> str:
        """What makes records of the same collection look different when it changes. Raises what `usable_pointer` raises."""
        volatile_fields = sorted(self.support(runtime).volatile_fields)
        connector_key = self.context.integration.connector_key
        major = runtime.connectors[connector_key].spec.version.split(".")[0]
        return " ".join([f"{connector_key}@{major}", *volatile_fields])

    def usable_pointer(self, runtime: Runtime) -> Pointer:
        """The collection, when it can be read. Raises InvalidError or NoCollectionSelectedError with what stands in the way."""
        self.context.require_in_use()
        return elements.pointer_of(runtime, self.settings, self.context.integration)

    def support(self, runtime: Runtime) -> SyncSupport:
        """How changes of its collection can be learned of."""
        return runtime.connectors[self.context.integration.connector_key].sync_support(self.usable_pointer(runtime))

    def interval_seconds(self, runtime: Runtime, kind: TaskKind) -> int | None:
        """How much lies between two starts of pulls or full syncs; null where what somebody is interested in takes none.

        Full syncs that it does not take come now and then all the same.
        """
        settings, detection = self.settings, self.detection(runtime)
        if kind is TaskKind.PULL:
            return settings.pull_updates_interval_seconds if detection.uses_pull else None
        if detection.uses_full_sync:
            return settings.full_sync_interval_seconds
        return max(settings.full_sync_interval_seconds, schedule.HEALING_INTERVAL_SECONDS)

    def detection(self, runtime: Runtime) -> Detection:
        """What it takes to learn of what somebody is interested in."""
        return detection_of(self.support(runtime), self.types, has_webhooks=runtime.settings.public_url is not None)


@dataclass(frozen=True, kw_only=True)
class FollowedApp:
    """The collection of an instance, to be read in the background."""

    connector: Connector
    access: Access
    pointer: Pointer
    support: SyncSupport
    place: ObservedPlace
    keeps_bodies: bool

    @property
    def spec(self) -> CollectionSpec | None:
        """The collection's spec as far as no app must be asked for it."""
        return self.connector.spec.collection(self.pointer.key)

    @property
    def finds_at_once(self) -> int:
        """How many records it finds by their ids with one request; 0 where it finds none."""
        spec = self.spec
        if spec is None or CollectionOperation.FIND_BY_ID not in spec.operations:
            return 0
        return spec.find_by_ids_maximum

    @property
    def app(self) -> App:
        """The app as services know it."""
        return App(connector=self.connector, access=self.access)

    async def records(self, token: JsonValue) -> Page[Record]:
        """One page of all records."""
        page = await self.connector.records(self.access, self.pointer, PageRequest(size=PAGE_SIZE, token=token))
        _require_progress(page.next_token, after=token)
        return page

    async def changes(self, since: Since, token: JsonValue) -> ChangePage:
        """One page of what changed."""
        page = await self.connector.changes(self.access, self.pointer, since, PageRequest(size=PAGE_SIZE, token=token))
        _require_progress(page.next_token, after=token)
        return page

    async def found(self, record_ids: Sequence[str]) -> dict[str, Record]:
        """The records of these ids that are there, at most `finds_at_once` of them."""
        if self.finds_at_once > 1:
            return dict(await self.connector.records_by_ids(self.access, self.pointer, record_ids))
        (record_id,) = record_ids
        record = await self.connector.record(self.access, self.pointer, record_id)
        return {record_id: record} if record is not None else {}


async def required(runtime: Runtime, instance_id: UUID) -> tuple[Followed, SyncGeneration]:
    """The instance with its present generation. Raises NotFollowedError when there is none that is of use to anybody."""
    followed = await read(runtime, instance_id)
    if followed is None or followed.generation is None or not followed.is_in_force(runtime) or not followed.subscriptions:
        raise NotFollowedError("The instance points elsewhere by now, or nobody is interested in it.")
    return followed, followed.generation


async def read(runtime: Runtime, instance_id: UUID) -> Followed | None:
    """The instance as it is at this moment; null when it, or its connection, is gone."""
    async with runtime.database.read(SYSTEM) as session:
        instance = (await session.exec(select(DataSourceInstance).where(col(DataSourceInstance.id) == instance_id))).first()
        context = (await contexts(session, [instance]))[0] if instance is not None else None
        if context is None:
            return None
        state = (await session.exec(select(SyncState).where(col(SyncState.instance_id) == instance_id))).one()
        now = await times.read(session, runtime.clock)
        return Followed(
            context=context,
            settings=context.settings(runtime),
            state=state,
            generation=await _generation(session, state),
            subscriptions=await _live(session, instance_id, now),
            now=now,
        )


@asynccontextmanager
async def opened(runtime: Runtime, followed: Followed) -> AsyncIterator[FollowedApp]:
    """The app of an instance, for its present generation; when it refuses the credentials, the connection is DISCONNECTED.

    Raises what makes the instance unusable, and what `access.app_of` raises.
    """
    pointer = followed.usable_pointer(runtime)
    context, state = followed.context, followed.state
    place = ObservedPlace(instance_id=state.instance_id, connection_id=state.connection_id, generation=state.generation)
    async with app_of(runtime, SYSTEM, context.connection, context.integration) as app:
        yield FollowedApp(
            connector=app.connector,
            access=replace(app.access, is_background=True),
            pointer=pointer,
            support=app.connector.sync_support(pointer),
            place=place,
            keeps_bodies=followed.settings.event_bodies,
        )


def _require_progress(following: JsonValue, *, after: JsonValue) -> None:
    if following is not None and following == after:
        raise UpstreamResponseError("The app named a page as the one that comes after itself. Its list has no end.")


async def _generation(session: AsyncSession, state: SyncState) -> SyncGeneration | None:
    present = (col(SyncGeneration.instance_id) == state.instance_id) & (col(SyncGeneration.generation) == state.generation)
    return (await session.exec(select(SyncGeneration).where(present))).first()


async def _live(session: AsyncSession, instance_id: UUID, now: datetime) -> tuple[EventSubscription, ...]:
    rows = await session.exec(select(EventSubscription).where(col(EventSubscription.instance_id) == instance_id))
    return tuple(row for row in rows if row.is_live(now))
