"""Webhooks that come in: known by the token of their address, proven, and kept before the app hears that they arrived."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import InvalidError, NotFoundError, RateLimitedError
from gateway.events.requests import request
from gateway.events.webhook_addresses import DELIVERY, WebhookSecrets, hash_of
from gateway.models import (
    Connection,
    DataSourceInstance,
    Integration,
    SyncState,
    TaskKind,
    Webhook,
    WebhookAnswer,
    WebhookDelivery,
    WebhookInbox,
)
from gateway.models.base import new_id
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services import access, pointers
from gateway.services.access import App
from gateway.storage import bulk

MOST_WAITING = 2_000
"""How many deliveries of one instance wait at most; what comes then is refused, and sent again by the app, or else found by a pull."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A webhook that somebody has sent to."""

    instance_id: UUID
    webhook_id: UUID
    tick: int
    """The instance's logical time before the delivery was read."""
    secrets: WebhookSecrets = field(repr=False)
    app: App


async def receiver_of(runtime: Runtime, token: str) -> Receiver:
    """The webhook whose address holds the token. Raises NotFoundError, which tells nothing of what there is."""
    statement = (
        select(Webhook, SyncState.tick, DataSourceInstance, Connection, Integration)  # type: ignore[call-overload]
        .join(SyncState, col(SyncState.instance_id) == Webhook.instance_id)
        .join(DataSourceInstance, col(DataSourceInstance.id) == Webhook.instance_id)
        .join(Connection, col(Connection.id) == DataSourceInstance.connection_id)
        .join(Integration, col(Integration.id) == Connection.integration_id)
    )
    async with runtime.database.read_once(SYSTEM) as session:
        found = (await session.exec(statement.where(col(Webhook.token_hash) == hash_of(token)))).first()
    if found is None:
        raise _unknown()
    webhook, tick, instance, connection, integration = found
    is_archived = any(row.archived_at is not None for row in (instance, connection, integration))
    if is_archived or runtime.connectors.get(integration.connector_key) is None:
        raise _unknown()
    return Receiver(
        instance_id=instance.id,
        webhook_id=webhook.id,
        tick=tick,
        secrets=WebhookSecrets.of(runtime.cipher, webhook),
        app=access.open_app(runtime, connection, integration),
    )


async def receive(runtime: Runtime, receiver: Receiver, delivery: WebhookDelivery) -> WebhookAnswer:
    """What the app is answered, once the delivery is kept; one that came before, or says nothing, is answered the same way.

    Raises WebhookRefusedError for one that proves nothing, InvalidError for one that cannot be read, RateLimitedError when too
    many wait already, and NotFoundError when its collection is no longer there.
    """
    app, secrets = receiver.app, receiver.secrets
    try:
        pointers.require_collection(app.connector, secrets.collection)
    except InvalidError:
        raise _unknown() from None
    with access.Redacted(app.access.credentials):
        reading = app.connector.read_webhook(app.access, secrets.collection, secrets.target, delivery)
    if reading.answer is not None:
        return reading.answer
    if reading.hints:
        await _keep(runtime, receiver, delivery, dedupe_key=reading.dedupe_key)
    return WebhookAnswer()


async def _keep(runtime: Runtime, receiver: Receiver, delivery: WebhookDelivery, *, dedupe_key: str | None) -> None:
    row_id = new_id()
    # Where the app names nothing that repetitions have in common, equal deliveries may still tell of different changes.
    key = hashlib.sha256(dedupe_key.encode("utf-8", "surrogatepass")).hexdigest() if dedupe_key is not None else row_id.hex
    row = WebhookInbox(
        id=row_id,
        webhook_id=receiver.webhook_id,
        instance_id=receiver.instance_id,
        dedupe_key=key,
        delivery=runtime.cipher.encrypt(_dumped(delivery), row=row_id, column=DELIVERY),
        tick=receiver.tick,
        received_at=delivery.received_at,
    )
    async with runtime.database.write(SYSTEM) as session:
        is_new = await _insert(session, row)
        if is_new and await _waiting(session, receiver.instance_id) > MOST_WAITING:
            raise RateLimitedError(f"More than {MOST_WAITING} webhooks wait to be worked through. Send this one again later.")
        if is_new:
            await request(session, runtime.clock, instance_ids=[receiver.instance_id], kinds=[TaskKind.INBOX])
    runtime.events.bell.ring()


async def _insert(session: AsyncSession, row: WebhookInbox) -> bool:
    """Whether the row is new: one of the same webhook with the same key stays as it is."""
    insert = postgresql.insert if bulk.is_postgresql(session) else sqlite.insert
    statement = insert(WebhookInbox).values(**row.model_dump()).on_conflict_do_nothing().returning(col(WebhookInbox.id))
    return (await session.exec(statement)).first() is not None


async def _waiting(session: AsyncSession, instance_id: UUID) -> int:
    waiting = select(WebhookInbox.id).where(col(WebhookInbox.instance_id) == instance_id, col(WebhookInbox.processed_at).is_(None))
    return (await session.exec(select(func.count()).select_from(waiting.limit(MOST_WAITING + 1).subquery()))).one()


def _dumped(delivery: WebhookDelivery) -> bytes:
    content = {"headers": dict(delivery.headers), "query": dict(delivery.query), "body": base64.b64encode(delivery.body).decode()}
    return json.dumps(content).encode()


def _unknown() -> NotFoundError:
    return NotFoundError("There is no such webhook.")
