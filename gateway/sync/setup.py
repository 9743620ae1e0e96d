"""Looks at an instance whenever anything may have changed that decides how it is synced, and arranges what follows from it."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import GatewayError, UpstreamAuthError, UserError
from gateway.models import SyncGeneration, SyncState, Webhook
from gateway.models.principal import SYSTEM
from gateway.models.sync import LONGEST_LAPSE
from gateway.runtime import Runtime
from gateway.services.access import Redacted, open_app, require_usable
from gateway.sync import endings, followed, interest, planning, schedule, webhook_setup
from gateway.sync.followed import Followed
from gateway.sync.tasks import Task

_LOOKS_AGAIN = timedelta(seconds=schedule.LONGEST_PAUSE_SECONDS)


async def perform_setup(runtime: Runtime, task: Task) -> None:
    """Returns when pulls and full syncs are planned as the settings in force and those who are interested ask for.

    Raises what the app raises when a webhook cannot be registered, although all else is arranged; and FencedError.
    """
    subject = await followed.read(runtime, task.instance_id)
    if subject is None:
        await _finish(task, None)
    elif not subject.subscriptions:
        await _let_go(runtime, task, subject)
    else:
        obstacle = _obstacle(runtime, subject)
        if obstacle is not None:
            await _suspend(runtime, task, subject, obstacle)
        else:
            await _follow(runtime, task, subject)


def _obstacle(runtime: Runtime, subject: Followed) -> GatewayError | None:
    """What keeps the instance from being synced until somebody acts."""
    try:
        subject.usable_pointer(runtime)
        require_usable(runtime, subject.context.connection, subject.context.integration)
    except (UserError, UpstreamAuthError) as error:
        return error
    return None


async def _let_go(runtime: Runtime, task: Task, subject: Followed) -> None:
    """Nobody is interested any more."""
    async with task.commit() as session:
        state = update(SyncState).where(col(SyncState.instance_id) == task.instance_id, col(SyncState.lapsed_at).is_(None))
        await session.exec(state.values(lapsed_at=await task.now(session)))
    await planning.rest(runtime, task.instance_id)
    if await _has_webhook(runtime, task):
        await _end_webhook(runtime, task, subject)
    await _finish(task, None)


async def _suspend(runtime: Runtime, task: Task, subject: Followed, obstacle: GatewayError) -> None:
    """Nothing can be read at present: whoever puts it right asks for SETUP, which looks again every while in any case."""
    await planning.rest(runtime, task.instance_id)
    if subject.context.is_archived and await _has_webhook(runtime, task):
        await _withdraw_webhook(runtime, task, subject)
    async with task.commit() as session:
        await interest.tell_failure(session, runtime.clock, instance_id=task.instance_id, error=obstacle)
        await task.finish(session, schedule.earliest(await task.now(session) + _LOOKS_AGAIN, _first_expiry(subject)))


async def _follow(runtime: Runtime, task: Task, subject: Followed) -> None:
    has_begun, has_resumed = _begins(runtime, subject), subject.state.lapsed_at is not None
    if has_begun or has_resumed:
        async with task.commit() as session:
            await _begin(runtime, session, subject, is_new=has_begun, now=await task.now(session))
        subject, _ = await followed.required(runtime, task.instance_id)
    # Before the baseline is taken: what changes after that is sent.
    webhook = await _keep_webhook(runtime, task, subject)
    plan_again_at = await planning.plan(runtime, subject, is_fresh=has_begun or has_resumed)
    if webhook.error is not None:
        raise webhook.error
    async with task.commit() as session:
        next_at = schedule.earliest(_first_expiry(subject), webhook.look_again_at, plan_again_at)
        await endings.finish_well(runtime, task, session, next_at)


def _begins(runtime: Runtime, subject: Followed) -> bool:
    lapsed_at, generation = subject.state.lapsed_at, subject.generation
    # Of a baseline that is taken silently part is known by now, and would not be told.
    must_tell = subject.state.emits_initial and generation is not None and generation.is_silent
    has_lapsed = lapsed_at is not None and subject.now - lapsed_at > LONGEST_LAPSE
    return must_tell or has_lapsed or not subject.is_in_force(runtime)


async def _begin(runtime: Runtime, session: AsyncSession, subject: Followed, *, is_new: bool, now: datetime) -> None:
    """Interest is there again; a new generation begins where the old snapshot says nothing of what is there now."""
    state, values = subject.state, {"lapsed_at": None}
    of_instance = update(SyncState).where(col(SyncState.instance_id) == state.instance_id)
    if not is_new:
        await session.exec(of_instance.values(**values))
        return
    pointer = subject.settings.pointer
    assert pointer is not None  # noqa: S101 - without one there was an obstacle
    generation = state.generation + 1
    await session.exec(of_instance.values(**values, generation=generation, instance_generation=subject.context.instance.generation))
    session.add(
        SyncGeneration(
            instance_id=state.instance_id,
            generation=generation,
            customer_id=state.customer_id,
            pointer=pointer.as_json(),
            reading=subject.reading(runtime),
            is_silent=not state.emits_initial,
            started_at=now,
        )
    )


async def _keep_webhook(runtime: Runtime, task: Task, subject: Followed) -> webhook_setup.WebhookOutcome:
    support = subject.support(runtime).webhook
    if support is None or not subject.detection(runtime).uses_webhook:
        if await _has_webhook(runtime, task):
            await _end_webhook(runtime, task, subject)
        return webhook_setup.WebhookOutcome()
    async with followed.opened(runtime, subject) as app:
        return await webhook_setup.keep(
            runtime,
            task,
            instance=subject.context.instance,
            generation=subject.state.generation,
            pointer=app.pointer,
            support=support,
            app=app.app,
        )


async def _end_webhook(runtime: Runtime, task: Task, subject: Followed) -> None:
    if _obstacle(runtime, subject) is not None:
        await webhook_setup.end(runtime, task, app=None)
        return
    async with followed.opened(runtime, subject) as app:
        await webhook_setup.end(runtime, task, app=app.app)


async def _withdraw_webhook(runtime: Runtime, task: Task, subject: Followed) -> None:
    """Of what is archived the app need not send: what it sent would be refused, and some apps never send there again."""
    connection, integration = subject.context.connection, subject.context.integration
    if runtime.connectors.get(integration.connector_key) is None:
        return
    app = open_app(runtime, connection, integration)
    with Redacted(app.access.credentials):
        await webhook_setup.withdraw(runtime, task, app=app)


async def _has_webhook(runtime: Runtime, task: Task) -> bool:
    async with runtime.database.read_once(SYSTEM) as session:
        return (await session.exec(select(Webhook.id).where(col(Webhook.instance_id) == task.instance_id).limit(1))).first() is not None


async def _finish(task: Task, at: datetime | None) -> None:
    async with task.commit() as session:
        await task.finish(session, at)


def _first_expiry(subject: Followed) -> datetime | None:
    """When a listener's interest ends next, unless it is renewed; SETUP looks then."""
    return schedule.earliest(*(subscription.expires_at for subscription in subject.subscriptions))
