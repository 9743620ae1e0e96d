"""Works through the webhooks that came in: each only hints at a change, and what is recorded is what the app has."""

import asyncio
import base64
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import (
    GenerationChangedError,
    InvalidError,
    UnsupportedError,
    UpstreamRejectedError,
    UpstreamResponseError,
    WebhookRefusedError,
)
from gateway.events import snapshots
from gateway.events.observations import Observation, is_followable, observe, tick_of
from gateway.events.requests import request
from gateway.events.webhook_addresses import DELIVERY, WebhookSecrets
from gateway.models import ChangeHint, ChangeType, EventMethod, SyncTask, TaskKind, Webhook, WebhookDelivery, WebhookInbox
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.storage import times
from gateway.sync import followed
from gateway.sync import hints as hinted
from gateway.sync.followed import FollowedApp
from gateway.sync.hints import ReceivedHint
from gateway.sync.tasks import Task

_AT_ONCE = 50
"""How many deliveries are read at most before what they hint at is recorded."""
_BYTES_AT_ONCE = 1024 * 1024
"""How much they may hold together, unless one alone holds more: reading them takes a second or so."""
_RECORDED_AT_ONCE = 20
"""How many records are asked for one by one before what was found is recorded: until then the lease is not renewed."""
_ROUNDS = 3
"""How often records are read again which somebody else found changed meanwhile; after that a pull finds them."""
_KEPT = timedelta(days=8)
"""For how long a repetition is known: GitHub lets people send deliveries of the last days again, Stripe tries for three."""
_FORGOTTEN_AT_ONCE = 5_000
_log = structlog.get_logger("gateway.sync")


async def process_inbox(runtime: Runtime, task: Task) -> None:
    """Returns when all that waited has been recorded, and the task is finished; before the baseline stands it waits on.

    Whoever lets the baseline stand requests INBOX. Raises what the app raises, and FencedError: what is left waits for the next time.
    """
    found = await followed.read(runtime, task.instance_id)
    if found is None or not found.subscriptions or found.generation is None:
        await _drop(task)
        return
    if found.generation.baseline_at is None or not found.is_in_force(runtime):
        await _rest(task)
        return
    async with followed.opened(runtime, found) as app:
        worker = _Inbox(runtime, task, app)
        with suppress(GenerationChangedError):
            # What is left then waits for the baseline of the new one.
            while await worker.work():
                pass
    await _rest(task)


async def forget(runtime: Runtime) -> None:
    """Forgets deliveries that came in long ago, in short units of work: no app repeats them any more. For the housekeeping."""
    before = runtime.clock.now() - _KEPT
    while True:
        async with runtime.database.write(SYSTEM) as session:
            oldest = select(WebhookInbox.id).order_by(col(WebhookInbox.id)).limit(_FORGOTTEN_AT_ONCE)
            is_old = col(WebhookInbox.received_at) < before
            forgotten = await session.exec(delete(WebhookInbox).where(col(WebhookInbox.id).in_(oldest), is_old))
            if forgotten.rowcount < _FORGOTTEN_AT_ONCE:
                return


async def _next_rows(session: AsyncSession, instance_id: UUID) -> Sequence[WebhookInbox]:
    """The oldest deliveries that wait, as many as are worked through together."""
    is_waiting = (col(WebhookInbox.instance_id) == instance_id) & col(WebhookInbox.processed_at).is_(None)
    sizes = select(WebhookInbox.id, func.length(WebhookInbox.delivery)).where(is_waiting).order_by(col(WebhookInbox.id)).limit(_AT_ONCE)
    some: list[UUID] = []
    total = 0
    for row_id, size in (await session.exec(sizes)).all():
        total += size or 0
        if some and total > _BYTES_AT_ONCE:
            break
        some.append(row_id)
    return (await session.exec(select(WebhookInbox).where(col(WebhookInbox.id).in_(some)).order_by(col(WebhookInbox.id)))).all()


async def _rest(task: Task) -> None:
    async with task.commit() as session:
        await task.finish(session, None)


async def _drop(task: Task) -> None:
    """Forgets what came in: nobody is interested, and who will be begins with what the app has then."""
    async with task.commit() as session:
        waiting = (col(WebhookInbox.instance_id) == task.instance_id) & col(WebhookInbox.processed_at).is_(None)
        await session.exec(update(WebhookInbox).where(waiting).values(delivery=None, processed_at=times.now(session, task.runtime.clock)))
        await task.finish(session, None)


@dataclass(frozen=True)
class _Batch:
    """Deliveries that are worked through together."""

    rows: Sequence[WebhookInbox]
    hints: dict[str, ReceivedHint]
    """One of each record."""
    is_doubtful: bool
    """Whether one could not be read, so that only a pull can tell what changed."""


@dataclass
class _Inbox:
    """Works for one instance."""

    runtime: Runtime
    task: Task
    app: FollowedApp

    async def work(self) -> bool:
        """Whether there may be more."""
        batch = await self._batch()
        if not batch.rows:
            return False
        is_doubtful = batch.is_doubtful
        at_once = max(self.app.finds_at_once, _RECORDED_AT_ONCE)
        told = list(batch.hints.values())
        for start in range(0, len(told), at_once):
            is_doubtful |= not await self._settled({each.hint.external_id: each for each in told[start : start + at_once]})
        await self._done(batch.rows, needs_pull=is_doubtful)
        return True

    async def _settled(self, hints: dict[str, ReceivedHint]) -> bool:
        """Whether what the app has of these records is recorded; else a pull must tell."""
        is_certain = True
        for _ in range(_ROUNDS):
            since_tick = await self._tick()
            observations, unknown_ids = await self._observations(hints)
            is_certain = is_certain and not unknown_ids
            stale_ids = await self._record(observations, since_tick=since_tick)
            # What they hold may be older or newer than what somebody else has recorded meanwhile: only the app can tell.
            hints = {record_id: replace(hints[record_id], hint=hinted.thin(hints[record_id].hint)) for record_id in stale_ids}
            if not hints:
                return is_certain
        return False

    async def _batch(self) -> _Batch:
        async with self.runtime.database.read(SYSTEM) as session:
            rows = await _next_rows(session, self.task.instance_id)
            webhooks = {row.id: row for row in await session.exec(select(Webhook).where(Webhook.instance_id == self.task.instance_id))}
        hints: dict[str, ReceivedHint] = {}
        is_doubtful = False
        for row in rows:
            # A long one takes a while to read: everybody else gets their turn in between.
            await asyncio.sleep(0)
            try:
                for hint in self._hints(row, webhooks.get(row.webhook_id)):
                    hinted.add(hints, hint, tick=row.tick, finds=bool(self.app.finds_at_once))
            except (WebhookRefusedError, InvalidError, UnsupportedError) as error:
                # It could be read when it came in: its connector was changed since.
                _log.warning("webhook_unreadable", instance_id=str(self.task.instance_id), code=error.code, reason=error.message)
                is_doubtful = True
        return _Batch(rows, {key: each for key, each in hints.items() if is_followable(key)}, is_doubtful)

    def _hints(self, row: WebhookInbox, webhook: Webhook | None) -> Sequence[ChangeHint]:
        secrets = WebhookSecrets.of(self.runtime.cipher, webhook) if webhook is not None else None
        if secrets is None or row.delivery is None or secrets.collection != self.app.pointer:
            # Of a collection that the instance pointed at before.
            return ()
        content = json.loads(self.runtime.cipher.decrypt(row.delivery, row=row.id, column=DELIVERY))
        delivery = WebhookDelivery(
            headers=content["headers"], query=content["query"], body=base64.b64decode(content["body"]), received_at=row.received_at
        )
        return self.app.connector.read_webhook(self.app.access, self.app.pointer, secrets.target, delivery).hints

    async def _tick(self) -> int:
        async with self.runtime.database.read_once(SYSTEM) as session:
            return await tick_of(session, self.task.instance_id)

    async def _observations(self, hints: dict[str, ReceivedHint]) -> tuple[list[Observation], set[str]]:
        """What the app has of these records, in the order of the hints, and the ids of those of which that cannot be told."""
        taken = await self._taken(hints)
        read, unknown_ids = await self._read([record_id for record_id in hints if record_id not in taken])
        told = taken | read
        return [told[record_id] for record_id in hints if record_id in told], unknown_ids

    async def _taken(self, hints: dict[str, ReceivedHint]) -> dict[str, Observation]:
        """What is taken as the webhook says it."""
        finds = bool(self.app.finds_at_once)
        telling = [each for each in hints.values() if hinted.updated_at(each.hint) is not None or not finds]
        if not telling:
            return {}
        async with self.runtime.database.read(SYSTEM) as session:
            stored = await snapshots.stored(session, place=self.app.place, record_ids=[each.hint.external_id for each in telling])
        taken = [each.hint for each in telling if hinted.is_taken(each, stored.get(each.hint.external_id), finds=finds)]
        return {
            hint.external_id: Observation(external_id=hint.external_id, record=hint.record if hint.type is not ChangeType.DELETED else None)
            for hint in taken
        }

    async def _read(self, record_ids: Sequence[str]) -> tuple[dict[str, Observation], set[str]]:
        """What the app answers of these records, and the ids of those of which it tells nothing."""
        at_once = self.app.finds_at_once
        if not at_once:
            return {}, set(record_ids)
        read: dict[str, Observation] = {}
        unknown_ids: set[str] = set()
        for start in range(0, len(record_ids), at_once):
            some = list(record_ids[start : start + at_once])
            try:
                found = await self.app.found(some)
            except (UpstreamRejectedError, UpstreamResponseError, UnsupportedError) as error:
                # It would refuse them again and again, and hold up what came after them.
                _log.warning("webhook_not_confirmed", instance_id=str(self.task.instance_id), code=error.code, reason=error.message)
                unknown_ids.update(some)
                continue
            read |= {record_id: Observation(external_id=record_id, record=found.get(record_id)) for record_id in some}
        return read, unknown_ids

    async def _record(self, observations: Sequence[Observation], *, since_tick: int) -> Sequence[str]:
        """The ids of records that must be read again."""
        if not observations:
            return ()
        async with self.task.commit() as session:
            observed = await observe(
                session,
                place=self.app.place,
                observations=observations,
                since_tick=since_tick,
                method=EventMethod.WEBHOOK,
                now=await self.task.now(session),
                volatile_fields=self.app.support.volatile_fields,
                keeps_bodies=self.app.keeps_bodies,
            )
        return observed.stale_ids

    async def _done(self, rows: Sequence[WebhookInbox], *, needs_pull: bool) -> None:
        """Forgets the deliveries; where the app names what repetitions have in common, that they came stays known."""
        nameless = [row.id for row in rows if row.dedupe_key == row.id.hex]
        named = [row.id for row in rows if row.dedupe_key != row.id.hex]
        async with self.task.commit() as session:
            if needs_pull:
                await self._request_pull(session)
            done = {"delivery": None, "processed_at": times.now(session, self.runtime.clock)}
            await session.exec(delete(WebhookInbox).where(col(WebhookInbox.id).in_(nameless)))
            await session.exec(update(WebhookInbox).where(col(WebhookInbox.id).in_(named)).values(**done))

    async def _request_pull(self, session: AsyncSession) -> None:
        if self.app.support.has_delta or self.app.support.cursor is not None:
            await request(session, self.runtime.clock, instance_ids=[self.task.instance_id], kinds=[TaskKind.PULL])
            return
        # A whole list is not read for each webhook.
        seconds = self.runtime.settings.minimum_full_sync_interval_seconds
        is_long_ago = col(SyncTask.succeeded_at) < times.later(session, self.runtime.clock, seconds=-seconds)
        of_task = (col(SyncTask.instance_id) == self.task.instance_id) & (col(SyncTask.kind) == TaskKind.FULL.value)
        due = select(SyncTask.instance_id).where(of_task, is_long_ago)
        await request(session, self.runtime.clock, instance_ids=due, kinds=[TaskKind.FULL])
