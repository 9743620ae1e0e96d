"""Full syncs: everything is listed and compared with what was known. The first of a generation takes its baseline."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import CursorExpiredError
from gateway.events.observations import staged_count
from gateway.models import EventMethod, JsonObject, JsonValue, SyncConclusion, SyncState, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.sync import checkpoints, endings, followed, idleness, requests, runs, sweep
from gateway.sync.confirmation import is_confirmable
from gateway.sync.listing import Pages, gathered
from gateway.sync.pages import Recorded, Work
from gateway.sync.sweep import Sweep
from gateway.sync.tasks import Task

_MAXIMUM_RESTARTS = 3


class Phase(StrEnum):
    """How far a full sync is."""

    LISTING = "LISTING"
    SWEEPING = "SWEEPING"
    """What is missing is counted, and what follows from it decided."""
    DELETING = "DELETING"
    ENDING = "ENDING"
    """All is recorded; others are still to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Where a full sync goes on after a crash."""

    generation: int
    tick: int
    """The instance's logical time when the listing began: what was found later is not looked for in it."""
    started_at: datetime
    phase: Phase = Phase.LISTING
    number: int = 1
    """What is missing and cannot be asked for one by one is listed again: only what two listings miss is taken for deleted."""
    token: JsonValue = None
    staged_count: int = 0
    """How many records the run had met: with fewer in the stage, some of it is forgotten."""
    page_count: int = 0
    idle_count: int = 0
    """How many pages in a row held no record that was not met before."""
    delta_token: JsonValue = None
    missing_count: int = 0
    """How many records it did not meet, as they were counted when it was decided to delete them."""
    deleted_to: str | None = None
    """The key up to which what is missing was deleted."""
    wakes_others: bool = False
    """Whether other tasks wait for its end."""

    def as_json(self) -> JsonObject:
        """The state as it is kept in the task's progress."""
        kept = {"generation": self.generation, "tick": self.tick, "started_at": self.started_at.isoformat(), "phase": self.phase.value}
        return {
            **kept,
            "number": self.number,
            "token": self.token,
            "staged_count": self.staged_count,
            "page_count": self.page_count,
            "idle_count": self.idle_count,
            "delta_token": self.delta_token,
            "missing_count": self.missing_count,
            "deleted_to": self.deleted_to,
            "wakes_others": self.wakes_others,
        }


def listing_of(progress: dict[str, Any]) -> Listing:
    """The state that `as_json` wrote."""
    return Listing(**{**progress, "started_at": datetime.fromisoformat(progress["started_at"]), "phase": Phase(progress["phase"])})


async def perform_full_sync(runtime: Runtime, task: Task) -> None:
    """Returns when everything that the app lists was compared with what was known, and the task is finished, or held.

    Raises what the app raises, NotFollowedError, GenerationChangedError, CancelledRunError and FencedError.
    """
    subject, generation = await followed.required(runtime, task.instance_id)
    is_silent = generation.baseline_at is None and generation.is_silent
    async with followed.opened(runtime, subject) as app:
        work = Work(
            runtime=runtime, task=task, followed=subject, generation=generation, app=app, method=EventMethod.FULL_SCAN, is_silent=is_silent
        )
        state = await endings.begin(work)
        work.stages_for = state.run_id
        await _FullSync(work=work, run_id=state.run_id, is_released=state.is_released).perform()


@dataclass(kw_only=True, eq=False)
class _FullSync:
    work: Work
    run_id: UUID
    is_released: bool
    restarts: int = 0

    async def perform(self) -> None:
        """Goes on from where the run was, to its end or until it is held."""
        listing: Listing | None = await self._resumed() or await self._begun()
        while listing is not None and listing.phase is not Phase.ENDING:
            match listing.phase:
                case Phase.LISTING:
                    listing = await self._listed(listing)
                case Phase.SWEEPING:
                    listing = await self._swept(listing)
                case Phase.DELETING:
                    listing = await self._deleted(listing)
        if listing is not None:
            await self._end(listing)

    @property
    def _is_baseline(self) -> bool:
        return self.work.generation.baseline_at is None

    async def _swept(self, listing: Listing) -> Listing | None:
        """The listing once it is decided what happens to what it did not meet; null where the run is held for it."""
        missing = await sweep.count_missing(self.work, self._sweep(listing))
        if missing.is_too_much and not self.is_released and not self._is_baseline:
            await self._hold(missing.count)
            return None
        if missing.count == 0:
            return await self._recorded(listing)
        return await self._saved(replace(listing, phase=Phase.DELETING, missing_count=missing.count))

    async def _deleted(self, listing: Listing) -> Listing:
        """The listing once what it did not meet is deleted, or at the begin of the second listing that it takes before."""
        if self._must_list_again(listing):
            again = replace(listing, phase=Phase.LISTING, number=2, token=None, idle_count=-listing.page_count)
            return await self._saved(replace(again, missing_count=0, deleted_to=None))

        async def keep(session: AsyncSession, key: str) -> None:
            await self.work.task.save(session, progress=replace(listing, deleted_to=key).as_json())

        confirms = is_confirmable(self.work.app, listing.missing_count)
        await sweep.delete_missing(self.work, self._sweep(listing), after=listing.deleted_to, confirms=confirms, keep=keep)
        return await self._recorded(listing)

    def _sweep(self, listing: Listing) -> Sweep:
        return Sweep(run_id=self.run_id, up_to_tick=listing.tick)

    def _must_list_again(self, listing: Listing) -> bool:
        """Whether the list may have shifted over a record while it was read, page by page."""
        is_doubtful = listing.page_count > 1 and not self._is_baseline
        return is_doubtful and listing.number == 1 and not is_confirmable(self.work.app, listing.missing_count)

    async def _resumed(self) -> Listing | None:
        """The listing that was interrupted; null where there is none, or what it had met is not all there."""
        progress = self.work.task.progress
        if not progress or progress.get("generation") != self.work.app.place.generation:
            return None
        listing = listing_of(progress)
        async with self.work.runtime.database.read(SYSTEM) as session:
            # More is no fault: a page whose last commit did not come has been met all the same.
            is_whole = listing.phase is Phase.ENDING or await staged_count(session, run_id=self.run_id) >= listing.staged_count
        return listing if is_whole else None

    async def _begun(self) -> Listing:
        await sweep.forget_stage(self.work.task, self.run_id)
        tick = await self.work.tick()
        async with self.work.task.commit() as session:
            now = await self.work.task.now(session)
        return await self._saved(Listing(generation=self.work.app.place.generation, tick=tick, started_at=now))

    async def _listed(self, listing: Listing) -> Listing:
        """The listing at its end; an expired page token begins it anew."""
        while listing.phase is Phase.LISTING:
            try:
                listing = await self._page(listing)
            except CursorExpiredError:
                self.restarts += 1
                if self.restarts > _MAXIMUM_RESTARTS:
                    raise
                listing = await self._begun()
        return listing

    async def _page(self, listing: Listing) -> Listing:
        """The listing after one commit: of one page, or of several that came quickly."""
        following = listing

        async def keep(session: AsyncSession, pages: Pages, recorded: Recorded) -> None:
            nonlocal following
            # Of all readings of the page: what an earlier one met, which was not the last, is met too.
            met_count = self.work.met.count
            following = replace(
                listing,
                phase=Phase.SWEEPING if pages.is_last else Phase.LISTING,
                token=pages.next_token,
                staged_count=met_count,
                page_count=listing.page_count + pages.count,
                idle_count=0 if met_count > listing.staged_count else listing.idle_count + pages.count,
                delta_token=pages.delta_token if pages.delta_token is not None else listing.delta_token,
            )
            await self.work.task.save(session, progress=following.as_json())

        async def ask() -> Pages:
            return await gathered(self.work, listing.token)

        pages = await self.work.read(ask, observations_of=lambda pages: pages.observations, keep=keep)
        if pages.error is not None:
            raise pages.error
        if not pages.is_last:
            idleness.require_end("list has", idle_count=following.idle_count)
        return following

    async def _saved(self, listing: Listing) -> Listing:
        """The listing, kept together with what people see of it."""
        async with self.work.task.commit() as session:
            await runs.count(self.work.task, session, missing=listing.missing_count)
            await self.work.task.save(session, progress=listing.as_json())
        return listing

    async def _hold(self, missing_count: int) -> None:
        """Nothing is deleted: the run lists again at its next interval, or as soon as somebody releases it."""
        await sweep.forget_stage(self.work.task, self.run_id)
        async with self.work.task.commit() as session:
            await runs.hold(self.work.task, session, missing=missing_count)
            await self.work.task.save(session, progress=None)
            now = await self.work.task.now(session)
            next_at = endings.next_at(self.work.runtime, self.work.followed, TaskKind.FULL, now=now)
            await self.work.task.hold(session, next_at)

    async def _recorded(self, listing: Listing) -> Listing:
        """All is compared: the baseline stands, and a pull that has nowhere to begin has again."""
        await sweep.forget_deleted(self.work, up_to_tick=listing.tick)
        work, values = self.work, dict[str, Any]()
        is_wanted = checkpoints.is_wanted(work.generation.checkpoint, work.app.support)
        ended = replace(listing, phase=Phase.ENDING, wakes_others=self._is_baseline or is_wanted)
        if is_wanted:
            values["checkpoint"] = checkpoints.of_baseline(work.app.support, delta_token=listing.delta_token, run_start=listing.started_at)
        async with work.task.commit() as session:
            if self._is_baseline:
                values["baseline_at"] = await work.task.now(session)
                if not work.is_silent:
                    # Of a silent one SETUP begins another when somebody asked meanwhile to be told.
                    state = update(SyncState).where(col(SyncState.instance_id) == work.app.place.instance_id)
                    await session.exec(state.values(emits_initial=False))
            if values:
                await checkpoints.change(session, work.app.place, **values)
            await work.task.save(session, progress=ended.as_json())
        return ended

    async def _end(self, listing: Listing) -> None:
        """Tells the other tasks, whose work may begin now, and then finishes: after a crash in between they are told again."""
        work = self.work
        if listing.wakes_others:
            await requests.ask_for(work.runtime, work.task.instance_id, TaskKind.SETUP, *self._waiting())
        await sweep.forget_stage(work.task, self.run_id)
        async with work.task.commit() as session:
            await runs.end(work.task, session, SyncConclusion.SUCCESS)
            now = await work.task.now(session)
            next_at = endings.next_at(work.runtime, work.followed, TaskKind.FULL, now=now)
            await endings.finish_well(work.runtime, work.task, session, next_at)

    def _waiting(self) -> list[TaskKind]:
        detection = self.work.followed.detection(self.work.runtime)
        wanted = {TaskKind.INBOX: detection.uses_webhook, TaskKind.PULL: detection.uses_pull}
        return [kind for kind, is_wanted in wanted.items() if is_wanted]
