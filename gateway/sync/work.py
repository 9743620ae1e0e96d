"""What a worker does for a task, whatever its kind."""

from collections.abc import Awaitable, Callable

from gateway.errors import FencedError, GatewayError, GenerationChangedError
from gateway.models import TaskKind
from gateway.runtime import Runtime
from gateway.sync import endings
from gateway.sync.followed import NotFollowedError
from gateway.sync.full_sync import perform_full_sync
from gateway.sync.inbox import process_inbox
from gateway.sync.pages import CancelledRunError
from gateway.sync.pull import perform_pull
from gateway.sync.setup import perform_setup
from gateway.sync.tasks import Task

_BY_KIND: dict[TaskKind, Callable[[Runtime, Task], Awaitable[None]]] = {
    TaskKind.SETUP: perform_setup,
    TaskKind.INBOX: process_inbox,
    TaskKind.PULL: perform_pull,
    TaskKind.FULL: perform_full_sync,
}


async def perform(runtime: Runtime, task: Task) -> None:
    """Does a task to its end: it is finished, held, or failed with a pause.

    Raises FencedError when another worker has taken it over, and lets defects through, whose run goes on later.
    """
    begun_at = task.progress
    try:
        await _BY_KIND[task.kind](runtime, task)
    except FencedError:
        raise
    except CancelledRunError:
        await endings.cancelled(runtime, task)
    except (NotFollowedError, GenerationChangedError):
        await endings.moved_on(runtime, task)
    except GatewayError as error:
        await endings.failed(runtime, task, error, has_moved=task.progress != begun_at)
