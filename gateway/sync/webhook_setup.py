"""Makes an app send what changes in an instance's collection, for as long as somebody is interested."""

from dataclasses import dataclass
from datetime import datetime

from gateway.errors import GatewayError
from gateway.models import DataSourceInstance, Pointer, WebhookSupport
from gateway.runtime import Runtime
from gateway.services.access import App
from gateway.sync.tasks import Task


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

    Errors of the app are part of the outcome. To be called before the baseline is taken. Raises FencedError.
    """
    raise NotImplementedError


async def end(runtime: Runtime, task: Task, *, app: App | None) -> None:
    """Returns when no webhook of the instance is left; the app is told so where there is one to tell, and whatever it says.

    Raises FencedError.
    """
    raise NotImplementedError
