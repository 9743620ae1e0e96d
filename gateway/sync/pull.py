"""Pulls of updates: what changed since a delta token, or since a mark."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import CursorExpiredError
from gateway.events.observations import Observation, staged_count
from gateway.models import Change, ChangePage, CursorOrder, CursorSync, EventMethod, JsonValue, Since, SyncConclusion, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.sync import checkpoints, endings, followed, idleness, reading, requests, runs, sweep
from gateway.sync.idleness import PAGES_WITHOUT_NOTES, Length
from gateway.sync.pages import Keep, Recorded, Work
from gateway.sync.reading import CursorReading
from gateway.sync.tasks import Task

_MAXIMUM_RESTARTS = 3


async def perform_pull(runtime: Runtime, task: Task) -> None:
    """Returns when everything that changed since the last pull is recorded, and the task is finished.

    Without a place to begin at, a full sync is asked for instead. Raises what the app raises, NotFollowedError,
    GenerationChangedError, CancelledRunError and FencedError.
    """
    subject, generation = await followed.required(runtime, task.instance_id)
    async with followed.opened(runtime, subject) as app:
        if generation.baseline_at is None or not checkpoints.is_usable(generation.checkpoint, app.support):
            await _leave_to_full_sync(runtime, task, can_pull=app.support.has_delta or app.support.cursor is not None)
            return
        method = EventMethod.DELTA if app.support.has_delta else EventMethod.PULL
        work = Work(runtime=runtime, task=task, followed=subject, generation=generation, app=app, method=method)
        await endings.begin(work)
        if app.support.has_delta:
            is_complete = await _pull_delta(work)
        else:
            assert app.support.cursor is not None  # noqa: S101 - else there was no usable checkpoint
            is_complete = await _pull_by_cursor(work, app.support.cursor)
    if not is_complete:
        await requests.ask_for(runtime, task.instance_id, TaskKind.FULL)
    # Without a checkpoint the full sync asks for the next pull.
    await _finish(work, rests=app.support.has_delta and not is_complete)


async def _leave_to_full_sync(runtime: Runtime, task: Task, *, can_pull: bool) -> None:
    if can_pull:
        # It asks for a pull when it is done.
        await requests.ask_for(runtime, task.instance_id, TaskKind.FULL)
    await _forget_notes(task)
    async with task.commit() as session:
        if task.run_id is not None:
            # Its worker died between giving the checkpoint up and ending the run.
            await runs.end(task, session, SyncConclusion.SUCCESS)
        await task.finish(session, None)


async def _finish(work: Work, *, rests: bool) -> None:
    await _forget_notes(work.task)
    async with work.task.commit() as session:
        await runs.end(work.task, session, SyncConclusion.SUCCESS)
        now = await work.task.now(session)
        next_at = None if rests else endings.next_at(work.runtime, work.followed, TaskKind.PULL, now=now)
        await endings.finish_well(work.runtime, work.task, session, next_at)


async def _forget_notes(task: Task) -> None:
    """Forgets which records a long pull has met; of most nothing was noted, and one look says so."""
    if task.run_id is None:
        return
    async with task.runtime.database.read(SYSTEM) as session:
        count = await staged_count(session, run_id=task.run_id)
    if count:
        await sweep.forget_stage(task, task.run_id)


async def _pull_delta(work: Work) -> bool:
    """Whether the app still knew the token; where it did not, there is no checkpoint any more."""
    since = checkpoints.delta_token_of(work.generation.checkpoint or {})
    progress = work.task.progress or {}
    if progress.get("generation") != work.app.place.generation or progress.get("since") != since:
        progress = {}
    token, found, length = progress.get("token"), progress.get("delta_token"), idleness.length_of(progress)

    async def keep(session: AsyncSession, page: ChangePage, recorded: Recorded) -> None:
        nonlocal length
        length = length.after_page(new_count=recorded.staged_count)
        following = page.delta_token if page.delta_token is not None else found
        if page.next_token is None:
            # An app that gives no new token is read from the old one again: equal records say nothing.
            await checkpoints.save(session, work.app.place, checkpoints.of_delta_token(following if following is not None else since))
        kept = {"generation": work.app.place.generation, "since": since, "token": page.next_token, "delta_token": following}
        goes_on = page.next_token is not None and not length.is_endless
        await work.task.save(session, progress={**kept, **length.as_json()} if goes_on else None)

    restarts = 0
    while True:
        try:
            page = await _read(work, Since(delta_token=since), token, keep, length=length)
        except CursorExpiredError:
            if token is None or restarts == _MAXIMUM_RESTARTS:
                return await _without_checkpoint(work)
            token, found, restarts, length = None, None, restarts + 1, Length()
            continue
        found = page.delta_token if page.delta_token is not None else found
        token = page.next_token
        if token is None:
            return True
        idleness.require_end("changes have", idle_count=length.idle_count)


async def _without_checkpoint(work: Work) -> bool:
    async with work.task.commit() as session:
        await checkpoints.save(session, work.app.place, None)
        await work.task.save(session, progress=None)
    return False


async def _pull_by_cursor(work: Work, cursor: CursorSync) -> bool:
    """Whether the app gave all there was."""
    state, length = await _begun(work, cursor)
    restarts, is_at_end = 0, False

    async def keep(session: AsyncSession, page: ChangePage, recorded: Recorded) -> None:
        nonlocal state, is_at_end, length
        before = state
        state, is_at_end = reading.after(state, page, cursor, event_count=recorded.event_count)
        length = length.after_page(new_count=recorded.staged_count) if _is_same_range(before, state) else Length()
        await checkpoints.save(session, work.app.place, checkpoints.of_mark(state.mark))
        kept = {"generation": work.app.place.generation, "reading": state.as_json(), **length.as_json()}
        await work.task.save(session, progress=None if is_at_end or length.is_endless else kept)

    while not is_at_end:
        before = state
        try:
            is_newest_first = cursor.order is CursorOrder.NEWEST_FIRST
            await _read(work, state.since, state.token, keep, length=length, is_newest_first=is_newest_first)
        except CursorExpiredError:
            if before.token is None or restarts == _MAXIMUM_RESTARTS:
                raise
            state, restarts, length = reading.restarted(before, cursor), restarts + 1, Length()
            continue
        if not is_at_end:
            idleness.require_end("changes have", idle_count=length.idle_count)
    return not state.is_incomplete


def _is_same_range(one: CursorReading, other: CursorReading) -> bool:
    """Whether a reading goes on with what it was at: from a later value, or with the next page."""
    return (one.passes, one.rest, one.current.end) == (other.passes, other.rest, other.current.end)


async def _begun(work: Work, cursor: CursorSync) -> tuple[CursorReading, Length]:
    progress = work.task.progress or {}
    if progress.get("generation") == work.app.place.generation and "reading" in progress:
        return reading.from_json(progress["reading"], cursor), idleness.length_of(progress)
    mark = checkpoints.mark_of(work.generation.checkpoint or {}, work.app.support)
    return reading.begin(mark, cursor, run_start=work.task.started_at), Length()


async def _read(
    work: Work, since: Since, token: JsonValue, keep: Keep[ChangePage], *, length: Length, is_newest_first: bool = False
) -> ChangePage:
    if length.page_count == PAGES_WITHOUT_NOTES:
        # What was met before is of another range, which may well hold the same records.
        await _forget_notes(work.task)
    work.stages_for = work.task.run_id if length.notes_records else None

    async def ask() -> ChangePage:
        return await work.app.changes(since, token)

    def observations_of(page: ChangePage) -> Sequence[Observation]:
        return _observations(page.changes, is_newest_first=is_newest_first)

    return await work.read(ask, observations_of=observations_of, keep=keep)


def _observations(changes: Sequence[Change], *, is_newest_first: bool) -> list[Observation]:
    """What a page says of records, the oldest first: of two sights of a record on it the later one counts."""
    ordered = reversed(changes) if is_newest_first else changes
    return [Observation(external_id=change.external_id, record=change.record) for change in ordered]
