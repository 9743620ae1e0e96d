"""What a connector file says of the webhooks of a collection."""

from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.webhooks import SharedTokenVerification
from gateway.models import ChangeType, WebhookSupport


def webhook_support(file: ConnectorFile, collection: Collection) -> WebhookSupport | None:
    """What the app tells by itself of a collection; null where that is nothing."""
    if collection.webhook is None:
        return None
    webhook = file.webhooks[collection.webhook]
    verify = webhook.verify
    return WebhookSupport(
        key=collection.webhook,
        types=frozenset(ChangeType(event.type.upper()) for event in webhook.events),
        is_registered=webhook.register_ is not None,
        secret_parameter=verify.query if isinstance(verify, SharedTokenVerification) else None,
    )
