"""Makes an app send what changes in an instance's collection, for as long as somebody is interested."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, update
from sqlmodel import col, select

from gateway.connectors.protocol import Access
from gateway.errors import FencedError, GatewayError, UpstreamAuthError, UpstreamError, UserError
from gateway.events.webhook_addresses import WebhookSecrets, hash_of
from gateway.models import DataSourceInstance, Pointer, Webhook, WebhookInbox, WebhookRegistration, WebhookSupport
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services.access import App
from gateway.sync.tasks import Task

_RENEWED_AFTER = 0.7
"""Which share of its life a webhook has behind it when it is renewed: the rest is for attempts that fail."""
_SHORTEST_LIFE = timedelta(minutes=1)
_log = structlog.get_logger("gateway.sync")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOutcome:
    """How an app took it."""

    look_again_at: datetime | None = None
    """When the webhook must be renewed; null for never."""
    error: GatewayError | None = None
    """Why the app does not send; changes are still polled."""


async def keep(
    runtime: Runtime, task: Task, *, instance: DataSourceInstance, generation: int, pointer: Pointer, support: WebhookSupport, app: App
) -> WebhookOutcome:
    """Returns when the app sends changes of the collection, as far as it can be told to; one that is for another is removed.

    Errors of the app are part of the outcome, but for UpstreamAuthError, which concerns all that is done for the connection.
    To be called before the baseline is taken. Raises FencedError.
    """
    wanted = WebhookSecrets(
        pointer=pointer.as_json(),
        public_url=runtime.settings.public_url or "",
        app=_digest(app.access),
        is_by_hand=not support.is_registered,
        secret_parameter=support.secret_parameter,
    )
    rows = await _rows(runtime, task)
    fitting = [row for row in rows if row.key == support.key and _fits(WebhookSecrets.of(runtime.cipher, row), wanted)]
    kept = next(iter(fitting), None)
    await _remove(runtime, task, [row for row in rows if row is not kept], app=app)
    # Known before the app is: some try the address while they are told of it.
    row = kept or await _create(runtime, task, instance=instance, generation=generation, key=support.key, secrets=wanted)
    if row.generation != generation:
        await _change(task, row, generation=generation)
    if not support.is_registered:
        return WebhookOutcome()
    if row.is_registered and (row.renew_at is None or row.renew_at > runtime.clock.now()):
        return WebhookOutcome(look_again_at=row.renew_at)
    try:
        return WebhookOutcome(look_again_at=await _tell(runtime, task, row, app=app))
    except (FencedError, UpstreamAuthError):
        raise
    except (UpstreamError, UserError) as error:
        _log.warning("webhook_not_registered", instance_id=str(task.instance_id), code=error.code, reason=error.message)
        return WebhookOutcome(error=error)


async def end(runtime: Runtime, task: Task, *, app: App | None) -> None:
    """Returns when no webhook of the instance is left; the app is told so where there is one to tell, and whatever it says.

    Raises FencedError.
    """
    await _remove(runtime, task, await _rows(runtime, task), app=app)


async def withdraw(runtime: Runtime, task: Task, *, app: App) -> None:
    """Returns when none is left of the webhooks that the app was told of; an address that was given by hand stays what it is.

    Raises FencedError.
    """
    await _remove(runtime, task, [row for row in await _rows(runtime, task) if row.is_registered], app=app)


async def _rows(runtime: Runtime, task: Task) -> Sequence[Webhook]:
    async with runtime.database.read_once(SYSTEM) as session:
        return (await session.exec(select(Webhook).where(Webhook.instance_id == task.instance_id).order_by(col(Webhook.id)))).all()


def _fits(known: WebhookSecrets, wanted: WebhookSecrets) -> bool:
    """Whether a webhook is that which is wanted, whatever its secrets are."""
    return replace(known, token="", secret="", state={}) == replace(wanted, token="", secret="", state={})


def _digest(access: Access) -> str:
    """Stands for the app that is told: after a change of the connection's address another one may stand there."""
    told = [access.parameters, access.integration_parameters]
    return hashlib.sha256(json.dumps([dict(part) for part in told], sort_keys=True, default=str).encode()).hexdigest()


async def _create(
    runtime: Runtime, task: Task, *, instance: DataSourceInstance, generation: int, key: str, secrets: WebhookSecrets
) -> Webhook:
    webhook = Webhook(
        instance_id=instance.id,
        customer_id=instance.customer_id,
        generation=generation,
        key=key,
        token_hash=hash_of(secrets.token),
        secrets=b"",
        created_at=runtime.clock.now(),
    )
    webhook.secrets = secrets.sealed_for(runtime.cipher, webhook)
    async with task.commit() as session:
        session.add(webhook)
    return webhook


async def _tell(runtime: Runtime, task: Task, row: Webhook, *, app: App) -> datetime | None:
    """When the app must be told again, which it is now, for the first time or anew."""
    secrets, connector = WebhookSecrets.of(runtime.cipher, row), app.connector
    asked_at = runtime.clock.now()
    if row.is_registered:
        told = await connector.renew_webhook(app.access, secrets.collection, secrets.target, secrets.state)
    else:
        told = await connector.register_webhook(app.access, secrets.collection, secrets.target)
    kept = replace(secrets, state=told.state, secret=told.secret or secrets.secret)
    renew_at = _renewal(told, asked_at)
    await _change(task, row, secrets=kept.sealed_for(runtime.cipher, row), is_registered=True, renew_at=renew_at)
    return renew_at


def _renewal(told: WebhookRegistration, asked_at: datetime) -> datetime | None:
    if told.expires_at is None:
        return None
    # One that is over when it begins is not renewed without end, but by and by.
    return asked_at + max(told.expires_at - asked_at, _SHORTEST_LIFE) * _RENEWED_AFTER


async def _change(task: Task, row: Webhook, **values: object) -> None:
    async with task.commit() as session:
        await session.exec(update(Webhook).where(col(Webhook.id) == row.id).values(**values))


async def _remove(runtime: Runtime, task: Task, rows: Sequence[Webhook], *, app: App | None) -> None:
    """Removes webhooks at their app first: should this end in between, it is told again."""
    for row in rows:
        secrets = WebhookSecrets.of(runtime.cipher, row)
        is_known = app is not None and app.connector.spec.collection(secrets.collection.key) is not None
        if app is not None and is_known and row.is_registered and secrets.app == _digest(app.access):
            await _withdraw(task, secrets, app=app)
        async with task.commit() as session:
            await session.exec(delete(WebhookInbox).where(col(WebhookInbox.webhook_id) == row.id))
            await session.exec(delete(Webhook).where(col(Webhook.id) == row.id))


async def _withdraw(task: Task, secrets: WebhookSecrets, *, app: App) -> None:
    try:
        await app.connector.remove_webhook(app.access, secrets.collection, secrets.target, secrets.state)
    except (UpstreamError, UserError) as error:
        # What it sends from now on is answered with 404, which ends most webhooks as well.
        _log.warning("webhook_not_removed", instance_id=str(task.instance_id), code=error.code, reason=error.message)
