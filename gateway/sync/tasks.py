"""A task that is under way: what it holds, and the only way to commit what it does."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, null, update
from sqlmodel import and_, col
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import FencedError, GatewayError, InternalError
from gateway.models import JsonObject, SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.storage import times

_LONGEST_MESSAGE = 2_000
_DEFECT = "Something went wrong inside the gateway. Its operator finds the cause in the log. It is tried again after a pause."


@dataclass(kw_only=True, eq=False)
class Task:
    """A task in the hands of one worker, for as long as nobody else has claimed it.

    Every change that its work makes goes through `commit`; nothing is committed by a worker that was taken for dead.
    """

    runtime: Runtime = field(repr=False)
    instance_id: UUID
    customer_id: UUID
    connection_id: UUID
    kind: TaskKind
    fence: int
    owner: str
    started_at: datetime
    """When it was claimed, by the clock that replicas share."""
    next_at: datetime | None
    """When it was to start by its interval."""
    run_id: UUID | None
    """The run that goes on, or that this work began."""
    progress: JsonObject | None
    """Where an interrupted run goes on; null at its beginning."""
    failures: int
    """How often it failed in a row before."""
    succeeded_at: datetime | None
    is_ended: bool = False
    """Whether it was finished or failed: then nothing more is committed."""
    _changes: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """What the commit under way writes to the task's row, at its end and in one statement."""
    _now: datetime = field(default=datetime.min, init=False, repr=False)

    @classmethod
    def from_row(cls, runtime: Runtime, row: SyncTask) -> "Task":
        """The task that a claim made this worker's."""
        if row.owner is None or row.started_at is None:
            raise InternalError(f"The task {row.kind} of instance {row.instance_id} was not claimed.")
        return cls(
            runtime=runtime,
            instance_id=row.instance_id,
            customer_id=row.customer_id,
            connection_id=row.connection_id,
            kind=TaskKind(row.kind),
            fence=row.fence,
            owner=row.owner,
            started_at=row.started_at,
            next_at=row.next_at,
            run_id=row.run_id,
            progress=row.progress,
            failures=row.failures,
            succeeded_at=row.succeeded_at,
        )

    @asynccontextmanager
    async def commit(self) -> AsyncIterator[AsyncSession]:
        """One unit of work of this task, as the gateway itself, committed when the block ends; its lease begins anew.

        Others that claim the task wait for its end, and the bell rings after it. Never ask an app inside it.
        Raises FencedError before the block when another worker has the task by now: stop then, it has gone on from the last commit.
        """
        with ExitStack() as undoing:
            undoing.callback(self._restore, run_id=self.run_id, progress=self.progress, is_ended=self.is_ended)
            async with self.runtime.database.write(SYSTEM) as session:
                self._changes = {}
                self._now = await self._lock(session)
                yield session
                if self._changes:
                    await session.exec(update(SyncTask).where(place_of(self.instance_id, self.kind)).values(**self._changes))
            undoing.pop_all()
        self.runtime.events.bell.ring()

    async def save(self, session: AsyncSession, *, progress: JsonObject | None) -> None:
        """Keeps where the run goes on after a crash, within a commit."""
        self._changes["progress"] = self.progress = progress

    async def keep_run(self, session: AsyncSession, run_id: UUID | None) -> None:
        """Keeps which run the work counts for, within a commit; `runs` calls it."""
        self._changes["run_id"] = self.run_id = run_id

    async def finish(self, session: AsyncSession, next_at: datetime | None) -> None:
        """Ends the task well, as the last step of a commit: it starts again at `next_at`, or at once when it was asked for meanwhile.

        Null for `next_at` lets it rest until somebody asks for it. Its progress and its run are forgotten, and so are its failures.
        """
        success = {"failures": 0, "error": None, "succeeded_at": times.now(session, self.runtime.clock)}
        await self._end(session, next_at, {"next_at": next_at, "progress": None, "run_id": None, **success})

    async def hold(self, session: AsyncSession, next_at: datetime | None) -> None:
        """Ends the task for now, as the last step of a commit: it goes on with its run and progress at `next_at`, or when asked for."""
        await self._end(session, next_at, {"next_at": next_at, "failures": 0, "error": None})

    async def fail(self, error: GatewayError, *, pause_seconds: float) -> None:
        """Ends the task with an error, in a commit of its own: it goes on with its run and progress after the pause, or when asked for.

        Raises FencedError when another worker has the task by now.
        """
        async with self.commit() as session:
            await self.record_failure(session, error, pause_seconds=pause_seconds)

    async def record_failure(self, session: AsyncSession, error: GatewayError, *, pause_seconds: float) -> None:
        """The same as the last step of a commit."""
        retry_at = times.later(session, self.runtime.clock, seconds=pause_seconds)
        await self._end(session, retry_at, {"failures": col(SyncTask.failures) + 1, "error": told(error)})

    async def release(self, *, pause_seconds: float = 0) -> None:
        """Gives the task back as it is, so that another worker goes on after the pause. Raises FencedError when one has already."""
        async with self.commit() as session:
            # Whose it was stays: what somebody asked for while it was under way is not answered yet.
            due_at = times.later(session, self.runtime.clock, seconds=pause_seconds)
            self._changes |= {"due_at": due_at, "fence": col(SyncTask.fence) + 1}
            self.is_ended = True

    async def now(self, session: AsyncSession) -> datetime:
        """The moment at which the commit began, by the clock that replicas share: what `next_at` is counted from."""
        return self._now

    async def _end(self, session: AsyncSession, due_at: Any, values: dict[str, Any]) -> None:
        now = times.now(session, self.runtime.clock)
        due = case((col(SyncTask.requested_at).is_not(None), now), else_=due_at if due_at is not None else null())
        self._changes |= {**values, "owner": None, "due_at": due}
        self.is_ended = True

    def _restore(self, *, run_id: UUID | None, progress: JsonObject | None, is_ended: bool) -> None:
        """What a commit that failed said of the task did not happen."""
        self.run_id, self.progress, self.is_ended = run_id, progress, is_ended

    async def _lock(self, session: AsyncSession) -> datetime:
        mine = and_(place_of(self.instance_id, self.kind), col(SyncTask.fence) == self.fence, col(SyncTask.owner).is_not(None))
        lease = times.later(session, self.runtime.clock, seconds=self.runtime.settings.sync_lease_seconds)
        locking = update(SyncTask).where(mine).values(due_at=lease).returning(times.now(session, self.runtime.clock))
        now: datetime | None = (await session.exec(locking.execution_options(synchronize_session=False))).scalar_one_or_none()
        if now is None:
            raise FencedError(f"The task {self.kind} of instance {self.instance_id} is another worker's by now.")
        return now


def told(error: GatewayError) -> JsonObject:
    """What is kept of an error, for people to see; of a defect only that there was one."""
    message = _DEFECT if isinstance(error, InternalError) else error.message[:_LONGEST_MESSAGE]
    return {"code": error.code, "message": message}


def place_of(instance_id: UUID, kind: TaskKind) -> ColumnElement[bool]:
    """The criterion of one task's row."""
    return and_(col(SyncTask.instance_id) == instance_id, col(SyncTask.kind) == kind.value)
