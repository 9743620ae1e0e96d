"""What the demo's external app keeps: people, projects and tasks. The names of the fields are those of the app's JSON."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

STATUSES = ("open", "in_progress", "done")
PRIORITIES = ("low", "normal", "high")


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who works here."""

    id: int
    name: str
    email: str
    title: str
    isActive: bool  # noqa: N815
    createdAt: str  # noqa: N815


@dataclass(frozen=True, kw_only=True)
class Project:
    """A body of work."""

    id: int
    name: str
    description: str
    ownerId: int  # noqa: N815
    revision: int = 1
    createdAt: str  # noqa: N815


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to be done in a project."""

    id: int
    projectId: int  # noqa: N815
    title: str
    notes: str | None = None
    status: str
    priority: str
    assigneeId: int | None  # noqa: N815
    followerIds: tuple[int, ...] = ()  # noqa: N815
    labels: tuple[str, ...]
    dueAt: str | None  # noqa: N815
    createdById: int  # noqa: N815
    revision: int = 1
    """Grows by one with each change: what `If-Match` is compared with."""
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815


Thing = User | Project | Task


def as_json(thing: Thing) -> dict[str, Any]:
    """A user, project or task as the app sends it."""
    return asdict(thing)


def as_text(time: datetime) -> str:
    """A time as the app keeps it: in UTC, to the second."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def as_time(text: str) -> datetime | None:
    """The time that a text stands for; null for text that is none, or has no zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
