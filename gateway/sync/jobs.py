"""What hands out work among the processes that do it. It decides who works, never what is true: it may forget everything."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.models import TaskKind


@dataclass(frozen=True, slots=True)
class Job:
    """The advice to look at a task, which its table may contradict."""

    instance_id: UUID
    kind: TaskKind
    fence: int
    """How often the task was claimed before: once it was, it is another job, though the engine still keeps this one."""

    @property
    def key(self) -> str:
        """The job as text."""
        return f"{self.kind}:{self.instance_id}:{self.fence}"

    @classmethod
    def from_key(cls, key: str) -> "Job":
        """The job of which this is the text."""
        kind, instance_id, fence = key.split(":")
        return cls(UUID(instance_id), TaskKind(kind), int(fence))


Start = Callable[[Job], "asyncio.Future[None]"]
"""Starts a job, and gives what is done when the job is."""


class JobEngine(Protocol):
    """Hands each job that was offered to one process, the urgent kinds first and of the others the first."""

    async def offer(self, jobs: Sequence[Job]) -> None:
        """Queues jobs, but for those that wait or are under way anywhere already. Raises when the queue cannot be reached."""

    async def run(self, start: Start) -> None:
        """Starts jobs, no more at a time than the process may have, until it is cancelled; it leaves those under way to who started them.

        Raises when the queue cannot be reached: take another engine then.
        """

    async def tidy(self) -> None:
        """Forgets what the queue remembers of jobs that are over."""
