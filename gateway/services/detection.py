"""How changes of a collection are learned of in this gateway."""

from collections.abc import Collection

from gateway.errors import InvalidError
from gateway.models import ChangeType, Integration, Pointer, SyncSupport, detection
from gateway.models.detection import Detection
from gateway.runtime import Runtime
from gateway.services import pointers
from gateway.services.instance_context import InstanceContext


def support_of(runtime: Runtime, integration: Integration, pointer: Pointer | None) -> SyncSupport:
    """What the connector knows of a collection's changes; nothing where there is no such collection (any more). Asks nobody."""
    connector = runtime.connectors.get(integration.connector_key)
    if connector is None or pointer is None:
        return SyncSupport()
    try:
        pointers.require_collection(connector, pointer)
    except InvalidError:
        return SyncSupport()
    return connector.sync_support(pointer)


def detection_of(runtime: Runtime, context: InstanceContext, types: Collection[ChangeType]) -> Detection:
    """What it takes to learn of changes of the collection that an instance points at."""
    support = support_of(runtime, context.integration, context.settings(runtime).pointer)
    return detection.detection_of(support, types, has_webhooks=runtime.settings.public_url is not None)
