"""The history of changes, as it was recorded. Nothing here asks an app."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from gateway.errors import UserError
from gateway.events import bodies, log
from gateway.events.cursors import cursor_of
from gateway.events.log import LogMeta, RecordedEvent
from gateway.models import ChangeType, DataSourceInstance, JsonObject, Pointer, Principal, SyncGeneration
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime

GenerationKey = tuple[UUID, int]
"""An instance's id, and one of its generations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryWindow:
    """The first so many events of these types after a cursor, or from the oldest that is kept."""

    types: frozenset[ChangeType]
    first: int
    after: str | None = None


@dataclass(frozen=True, kw_only=True)
class HistoryPage:
    """Events of an instance, oldest first."""

    log_id: UUID
    events: tuple[RecordedEvent, ...]
    has_next: bool


async def pages(
    runtime: Runtime, principal: Principal, instances: Sequence[DataSourceInstance], *, window: HistoryWindow
) -> list[HistoryPage | UserError]:
    """A page of the history of each of the instances, which the principal must have read: whoever sees an instance sees its events.

    A cursor that is damaged or has expired is told of each instead.
    """
    async with runtime.database.read(SYSTEM) as session:
        meta = await log.log_meta(session)
        try:
            start = meta.position_of(window.after, field=["after"]) if window.after is not None else meta.floor
        except UserError as error:
            return [error for _ in instances]
        found = await log.of_each(
            session, instance_ids={each.id for each in instances}, types=window.types, after_pos=start, first=window.first + 1
        )
    return [_page_of(meta, window, found[instance.id]) for instance in instances]


async def counts(
    runtime: Runtime, principal: Principal, instance_ids: Collection[UUID], *, types: frozenset[ChangeType]
) -> dict[UUID, int]:
    """How many events of instances are kept, in one statement. The principal must have read the instances."""
    async with runtime.database.read_once(SYSTEM) as session:
        return await log.counts(session, instance_ids=instance_ids, types=types)


async def log_end(runtime: Runtime, principal: Principal) -> str:
    """The cursor of the log's end now. What was recorded until then, apps that are asked from now on show."""
    async with runtime.database.read_once(SYSTEM) as session:
        meta = await log.log_meta(session)
    runtime.operation.era.end()
    return cursor_of(meta.log_id, meta.end)


async def pointers(runtime: Runtime, principal: Principal, keys: Collection[GenerationKey]) -> dict[GenerationKey, Pointer]:
    """The collections that instances pointed at in these generations, in one statement."""
    columns = select(SyncGeneration.instance_id, SyncGeneration.generation, SyncGeneration.pointer)
    of_keys = tuple_(col(SyncGeneration.instance_id), col(SyncGeneration.generation)).in_(list(keys))
    async with runtime.database.read_once(principal) as session:
        rows = (await session.exec(columns.where(of_keys))).all()
    return {(instance_id, generation): Pointer.from_json(dict(pointer)) for instance_id, generation, pointer in rows}


def previous_fields(event: RecordedEvent) -> JsonObject | None:
    """The record's fields before a change; null when it was created, or bodies were not kept."""
    return bodies.fields_of(event.previous) if event.previous is not None else None


def changed_fields(event: RecordedEvent, *, volatile_fields: Collection[str]) -> list[str] | None:
    """The names of the fields that a change changed, without those whose change is none; null where one of the bodies is not there."""
    if event.body is None or event.previous is None:
        return None
    return [name for name in bodies.changed_fields(event.body, event.previous) if name not in volatile_fields]


def _page_of(meta: LogMeta, window: HistoryWindow, found: Sequence[RecordedEvent]) -> HistoryPage:
    return HistoryPage(log_id=meta.log_id, events=tuple(found[: window.first]), has_next=len(found) > window.first)
