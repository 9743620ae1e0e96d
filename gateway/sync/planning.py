"""When the pulls and full syncs of an instance start next, as the settings in force and those who are interested ask for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from gateway.models import SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.sync import requests, schedule
from gateway.sync.followed import Followed

_PLANNED = (TaskKind.PULL, TaskKind.FULL)
_LOOKS_AGAIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaskState:
    """How a task stands."""

    is_under_way: bool = False
    succeeded_at: datetime | None = None


async def plan(runtime: Runtime, subject: Followed, *, is_fresh: bool) -> datetime | None:
    """Returns when to plan again: what is under way is left alone, and plans its next start by what it found at its own.

    `is_fresh` tells that interest has just come back: what it takes starts at once.
    """
    # Looked at first: what begins after this finds what is planned for now.
    states = await _states(runtime, subject.state.instance_id)
    if subject.generation is not None and subject.generation.baseline_at is not None:
        for kind in _PLANNED:
            await _plan(runtime, subject, kind, states[kind], is_fresh=is_fresh)
    else:
        await _plan_baseline(runtime, subject, is_fresh=is_fresh)
    return subject.now + _LOOKS_AGAIN if any(state.is_under_way for state in states.values()) else None


async def rest(runtime: Runtime, instance_id: UUID) -> None:
    """Returns when neither is planned any more."""
    for kind in _PLANNED:
        await requests.plan(runtime, instance_id, kind, seconds=None)


async def _plan_baseline(runtime: Runtime, subject: Followed, *, is_fresh: bool) -> None:
    instance_id = subject.state.instance_id
    await requests.plan(runtime, instance_id, TaskKind.PULL, seconds=None)
    if is_fresh:
        await requests.ask_for(runtime, instance_id, TaskKind.FULL)
    await requests.plan(runtime, instance_id, TaskKind.FULL, seconds=0)


async def _plan(runtime: Runtime, subject: Followed, kind: TaskKind, state: _TaskState, *, is_fresh: bool) -> None:
    instance_id, detection = subject.state.instance_id, subject.detection(runtime)
    interval = subject.interval_seconds(runtime, kind)
    if interval is None:
        await requests.plan(runtime, instance_id, kind, seconds=None)
        return
    is_healing = kind is TaskKind.FULL and not detection.uses_full_sync
    if is_fresh and not is_healing:
        await requests.ask_for(runtime, instance_id, kind)
    seconds = _until_healing(state, interval, now=subject.now) if is_healing else interval * schedule.chance()
    await requests.plan(runtime, instance_id, kind, seconds=seconds, unless_within=interval * schedule.LONGEST_INTERVAL_SHARE)


def _until_healing(state: _TaskState, interval: int, *, now: datetime) -> float:
    """Counted from the last one, however often interest comes and goes."""
    passed = (now - state.succeeded_at).total_seconds() if state.succeeded_at is not None else 0
    return max(0, interval - passed)


async def _states(runtime: Runtime, instance_id: UUID) -> dict[TaskKind, _TaskState]:
    columns = select(SyncTask.kind, SyncTask.owner, SyncTask.succeeded_at)
    planned = columns.where(col(SyncTask.instance_id) == instance_id, col(SyncTask.kind).in_([kind.value for kind in _PLANNED]))
    async with runtime.database.read_once(SYSTEM) as session:
        rows = (await session.exec(planned)).all()
    return {TaskKind(kind): _TaskState(is_under_way=owner is not None, succeeded_at=succeeded_at) for kind, owner, succeeded_at in rows}
