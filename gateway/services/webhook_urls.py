"""Addresses that somebody has to give to an app by hand, because the gateway cannot register a webhook there."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from gateway.events.webhook_addresses import WebhookSecrets
from gateway.models import DataSourceInstance, Principal, Webhook
from gateway.runtime import Runtime


async def of_instances(runtime: Runtime, principal: Principal, instance_ids: Sequence[UUID]) -> list[str | None]:
    """Where the apps of instances are to send what changed, in the order of the instances; one statement.

    Null where nothing is to be done by hand: nobody is interested, the app sends nothing, or the gateway registers there itself.
    The address is a secret: who knows it can claim changes, which are then read again from the app.
    """
    async with runtime.database.read_once(principal) as session:
        rows = (await session.exec(select(Webhook).where(col(Webhook.instance_id).in_(set(instance_ids))))).all()
    opened = {row.instance_id: WebhookSecrets.of(runtime.cipher, row) for row in rows}
    return [_shown(opened.get(instance_id)) for instance_id in instance_ids]


async def url_of(runtime: Runtime, principal: Principal, instance: DataSourceInstance) -> str | None:
    """The same for one instance."""
    return (await of_instances(runtime, principal, [instance.id]))[0]


def _shown(secrets: WebhookSecrets | None) -> str | None:
    return secrets.target.url if secrets is not None and secrets.is_by_hand else None
