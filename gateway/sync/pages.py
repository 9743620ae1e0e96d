"""One page of what an app says: asked for, compared with what was known, and committed together with how far the work is."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import ConflictError
from gateway.events.observations import (
    Met,
    Observation,
    Observed,
    PieceSize,
    Precompared,
    hashed_observations,
    observe_precompared,
    pieces_of,
    precompare,
    stage,
    tick_of,
)
from gateway.models import EventMethod, SyncGeneration
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.sync import runs
from gateway.sync.followed import Followed, FollowedApp
from gateway.sync.tasks import Task

Answer = TypeVar("Answer")
MAXIMUM_RECORDS_PER_COMMIT = 5_000
"""So that nobody waits for long: an app without pages gives everything at once."""
_MAXIMUM_READINGS = 5


class CancelledRunError(ConflictError):
    """Somebody asked to end the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What came of a page."""

    event_count: int = 0
    staged_count: int = 0
    """How many records the run had not met before."""

    def with_more(self, *, event_count: int, staged_count: int) -> "Recorded":
        """The sum."""
        return Recorded(event_count=self.event_count + event_count, staged_count=self.staged_count + staged_count)


Keep = Callable[[AsyncSession, Answer, Recorded], Awaitable[None]]
"""Writes down how far the work is, as the last step of the commit of a page."""


@dataclass(kw_only=True, eq=False)
class Work:
    """A pull or a full sync under way: what it works for, with which app, and what came of it."""

    runtime: Runtime = field(repr=False)
    task: Task
    followed: Followed
    generation: SyncGeneration
    app: FollowedApp = field(repr=False)
    method: EventMethod
    """How the changes that it finds are learned of."""
    is_silent: bool = False
    """Whether what it finds is the baseline, and no change."""
    stages_for: UUID | None = None
    """The run that notes which records it meets; null for work that need not know."""
    met: Met = field(default_factory=Met, repr=False)
    """Those that it has met."""
    piece_size: PieceSize = field(default_factory=PieceSize, repr=False)

    async def tick(self) -> int:
        """The instance's logical time: what is asked of the app from now on is at least as new."""
        async with self.runtime.database.read_once(SYSTEM) as session:
            return await tick_of(session, self.app.place.instance_id)

    async def record(self, session: AsyncSession, observations: Sequence[Observation], *, since_tick: int) -> Observed:
        """Compares observations with what was known, within a commit."""
        hashed = await hashed_observations(observations, self.app.support.volatile_fields)
        return await self._observed(session, Precompared(hashed=hashed), since_tick=since_tick)

    async def read(
        self, ask: Callable[[], Awaitable[Answer]], *, observations_of: Callable[[Answer], Sequence[Observation]], keep: Keep[Answer]
    ) -> Answer:
        """One page, recorded.

        A page that differs from what others recorded while it was asked for is read again: it may be older than that, or newer.
        Raises what the app raises, CancelledRunError after a commit, and FencedError.
        """
        for _ in range(_MAXIMUM_READINGS):
            since_tick = await self.tick()
            answer = await ask()
            if await self._recorded(answer, observations_of(answer), since_tick=since_tick, keep=keep):
                return answer
        raise ConflictError("The records change faster than they can be read. They are read again later.")

    async def _recorded(self, answer: Answer, observations: Sequence[Observation], *, since_tick: int, keep: Keep[Answer]) -> bool:
        """Whether all of the page is recorded; a long page takes several commits, and is read again when the last is not reached."""
        total, is_whole, clock = Recorded(), True, self.runtime.clock
        for start in range(0, max(len(observations), 1), MAXIMUM_RECORDS_PER_COMMIT):
            some = observations[start : start + MAXIMUM_RECORDS_PER_COMMIT]
            for piece in pieces_of(await self._precompared(some), keeps_bodies=self.app.keeps_bodies, piece_size=self.piece_size):
                is_last, begun = piece.is_last and start + MAXIMUM_RECORDS_PER_COMMIT >= len(observations), clock.monotonic()
                async with self.task.commit() as session:
                    observed = await self._observed(session, piece, since_tick=since_tick)
                    total = total.with_more(event_count=observed.event_count, staged_count=await self._staged(session, observed))
                    is_whole = is_whole and not observed.stale_ids
                    counted = {"records": len(some) if piece.is_last else 0, "pages": int(is_last and is_whole)}
                    state = await runs.count(self.task, session, events=observed.event_count, **counted)
                    if is_last and is_whole:
                        await keep(session, answer, total)
                self.piece_size.took(clock.monotonic() - begun)
                if state.is_cancelled:
                    raise CancelledRunError("The run was cancelled.")
        return is_whole

    async def _precompared(self, observations: Sequence[Observation]) -> Precompared:
        hashed = await hashed_observations(observations, self.app.support.volatile_fields)
        if not hashed.hashes:
            return Precompared(hashed=hashed)
        async with self.runtime.database.read(SYSTEM) as session:
            return await precompare(session, place=self.app.place, hashed=hashed)

    async def _observed(self, session: AsyncSession, precompared: Precompared, *, since_tick: int) -> Observed:
        return await observe_precompared(
            session,
            place=self.app.place,
            precompared=precompared,
            since_tick=since_tick,
            method=self.method,
            now=await self.task.now(session),
            keeps_bodies=self.app.keeps_bodies,
            is_silent=self.is_silent,
        )

    async def _staged(self, session: AsyncSession, observed: Observed) -> int:
        if self.stages_for is None:
            return 0
        return await stage(session, run_id=self.stages_for, numbers=observed.numbers, met=self.met)
