"""Works through the webhooks that came in."""

from gateway.runtime import Runtime
from gateway.sync.tasks import Task


async def process_inbox(runtime: Runtime, task: Task) -> None:
    """Returns when all that waited has been recorded, and the task is finished; before the baseline stands it waits on.

    Whoever lets the baseline stand requests INBOX. Raises what the app raises, and FencedError: what is left waits for the next time.
    """
    raise NotImplementedError
