"""What must not grow for ever: the event log, old generations' snapshots, webhooks and runs of long ago."""

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from gateway.events import retention
from gateway.models import SyncRun, SyncStatus
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.storage import times
from gateway.sync import inbox

_SLICE = 1_000


async def keep_house(runtime: Runtime) -> None:
    """Deletes what is older than the settings keep, in small units of work; several processes may do so at once."""
    await retention.prune(runtime.database, runtime.clock, runtime.settings)
    await retention.sweep(runtime.database, runtime.clock)
    await inbox.forget(runtime)
    while await _forget_runs(runtime) == _SLICE:
        pass


async def _forget_runs(runtime: Runtime) -> int:
    async with runtime.database.write(SYSTEM) as session:
        before = await times.read(session, runtime.clock) - timedelta(days=runtime.settings.event_retention_days)
        is_over = (col(SyncRun.status) == SyncStatus.COMPLETED.value) & (col(SyncRun.completed_at) < before)
        # Several processes may be at it: what one of them has in hand is not waited for.
        old = select(SyncRun.id).where(is_over).limit(_SLICE).with_for_update(skip_locked=True)
        deleted = await session.exec(delete(SyncRun).where(col(SyncRun.id).in_(old)).execution_options(synchronize_session=False))
        return deleted.rowcount
