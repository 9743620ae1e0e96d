"""What is written through the gateway is known at once: it becomes an event without waiting for the app to tell of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from sqlmodel import col, select

from gateway.errors import GatewayError, UpstreamResponseError, UpstreamUnavailableError
from gateway.events import observations
from gateway.events.observations import Observation, ObservedPlace
from gateway.events.requests import request
from gateway.models import DataSourceInstance, EventMethod, Pointer, Record, SyncGeneration, SyncState, SyncSupport, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services import detection
from gateway.services.instance_context import contexts
from gateway.services.record_places import RecordPlace
from gateway.storage.faults import UNREACHABLE

logger = structlog.get_logger(__name__)

_FAULTS: tuple[type[Exception], ...] = (GatewayError, *UNREACHABLE)


@dataclass(frozen=True, kw_only=True)
class Follower:
    """An instance in sync that points at the collection which is written to, as it was before the write."""

    place: ObservedPlace
    since_tick: int
    keeps_bodies: bool


@dataclass(frozen=True, kw_only=True)
class OwnWrite:
    """A write that is under way, and who follows what it changes.

    Once the app has done it, nothing that goes wrong here is told to whoever writes: what cannot be recorded, the next sync finds.
    """

    runtime: Runtime
    support: SyncSupport
    followers: tuple[Follower, ...]

    async def record(self, changed: Mapping[str, Record | None]) -> None:
        """Records what the write made of records, by their ids; null for one that is gone."""
        seen = [Observation(external_id=external_id, record=record) for external_id, record in changed.items()]
        for follower in self.followers:
            try:
                await self._observe(follower, seen)
            except _FAULTS as error:
                # Where it begins a new generation at this moment, its next baseline holds what was written.
                _log_loss(error)
        self._ring()

    async def look(self) -> None:
        """Has the next pull begin now: something may have been written, and what it made of the record is not known."""
        if self.followers and (self.support.has_delta or self.support.cursor is not None):
            ids = [follower.place.instance_id for follower in self.followers]
            try:
                async with self.runtime.database.write(SYSTEM) as session:
                    await request(session, self.runtime.clock, instance_ids=ids, kinds=[TaskKind.PULL])
            except _FAULTS as error:
                _log_loss(error)
            self._ring()

    async def _observe(self, follower: Follower, seen: Sequence[Observation]) -> None:
        async with self.runtime.database.write(SYSTEM) as session:
            observed = await observations.observe(
                session,
                place=follower.place,
                observations=seen,
                since_tick=follower.since_tick,
                method=EventMethod.PULL,
                now=self.runtime.clock.now(),
                volatile_fields=self.support.volatile_fields,
                keeps_bodies=follower.keeps_bodies,
            )
        if observed.stale_ids:
            await self.look()

    def _ring(self) -> None:
        if self.followers:
            self.runtime.events.bell.ring()


@asynccontextmanager
async def told(runtime: Runtime, place: RecordPlace) -> AsyncIterator[OwnWrite]:
    """A write to a place, which happens in the block; when it is not known what the app did, those who follow look by themselves."""
    support = detection.support_of(runtime, place.integration, place.pointer)
    # Before the app is asked: what is seen of a record meanwhile may be newer than what the write gives back.
    write = OwnWrite(runtime=runtime, support=support, followers=tuple(await _followers(runtime, place)))
    try:
        yield write
    except (UpstreamUnavailableError, UpstreamResponseError) as error:
        if error.may_have_been_received:
            await write.look()
        raise


def _log_loss(error: Exception) -> None:
    logger.info("A write of this gateway was not recorded at once", action="own_write", error=type(error).__name__)


async def _followers(runtime: Runtime, place: RecordPlace) -> list[Follower]:
    in_sync = select(SyncState, SyncGeneration, DataSourceInstance).where(
        SyncState.connection_id == place.connection.id,
        col(SyncState.lapsed_at).is_(None),
        SyncGeneration.instance_id == SyncState.instance_id,
        SyncGeneration.generation == SyncState.generation,
        col(SyncGeneration.baseline_at).is_not(None),
        DataSourceInstance.id == SyncState.instance_id,
        col(DataSourceInstance.archived_at).is_(None),
    )
    async with runtime.database.read(SYSTEM) as session:
        rows = [row for row in await session.exec(in_sync) if Pointer.from_json(row[1].pointer) == place.pointer]
        known = await contexts(session, [instance for _, _, instance in rows])
    return [
        Follower(
            place=ObservedPlace(instance_id=state.instance_id, connection_id=state.connection_id, generation=state.generation),
            since_tick=state.tick,
            keeps_bodies=context.settings(runtime).event_bodies,
        )
        for (state, _, _), context in zip(rows, known, strict=True)
        if context is not None
    ]
