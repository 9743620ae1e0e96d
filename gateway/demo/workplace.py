"""The data behind the demo's external app: projects, their tasks, the people who work on them, and changes that never end."""

import itertools
import random
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

PROJECT_NAMES = (
    "Website relaunch",
    "Mobile app",
    "Data platform",
    "Office move",
    "Spring campaign",
    "Support desk",
    "Billing",
    "Onboarding",
)
FIRST_NAMES = ("Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena")
LAST_NAMES = ("Almeida", "Berger", "Costa", "Dubois")
TITLES = ("Designer", "Engineer", "Product manager", "Analyst")
VERBS = ("Plan", "Draft", "Review", "Test", "Publish", "Fix", "Measure", "Document")
THINGS = (
    "the start page",
    "the import",
    "the price list",
    "the welcome mail",
    "the search",
    "the report",
    "the sign-up form",
    "the backup",
)
STATUSES = ("open", "in_progress", "done")
PRIORITIES = ("low", "normal", "high")
LABELS = ("customer", "design", "legal", "quick win", "urgent")

TASK_COUNT = 480
USER_COUNT = 24
MOST_TASKS = TASK_COUNT + 40
"""Once there are so many, tasks are deleted until there are as many as at the start: a demo may run for weeks."""
BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who works here."""

    id: int
    name: str
    email: str
    title: str
    isActive: bool  # noqa: N815 - the fields are those of the app's JSON.
    createdAt: str  # noqa: N815


@dataclass(frozen=True, kw_only=True)
class Project:
    """A body of work."""

    id: int
    name: str
    description: str
    ownerId: int  # noqa: N815
    createdAt: str  # noqa: N815


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to be done in a project."""

    id: int
    projectId: int  # noqa: N815
    title: str
    status: str
    priority: str
    assigneeId: int | None  # noqa: N815
    labels: tuple[str, ...]
    dueAt: str | None  # noqa: N815
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815


class Workplace:
    """All that the app knows. The same seed gives the same data, and the same changes in the same order."""

    def __init__(self, *, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - Made-up tasks; nothing here is secret.
        self.users = {number: self._user(number) for number in range(1, USER_COUNT + 1)}
        self.projects = {number: self._project(number, name) for number, name in enumerate(PROJECT_NAMES, start=1)}
        self.tasks: dict[int, Task] = {}
        self._is_shrinking = False
        self._task_ids = itertools.count(101)
        for number in range(1, TASK_COUNT + 1):
            self._add_task(at=BEGINNING + timedelta(hours=number))

    def change(self, *, at: datetime) -> Task:
        """The task that was created, updated or deleted now: one change, as if somebody was at work."""
        self._is_shrinking = len(self.tasks) >= MOST_TASKS or (self._is_shrinking and len(self.tasks) > TASK_COUNT)
        kind = self._random.random()
        if kind < 0.3:
            return self._delete_task() if self._is_shrinking else self._add_task(at=at)
        return self._update_task(at=at)

    def _user(self, number: int) -> User:
        first, last = FIRST_NAMES[(number - 1) % len(FIRST_NAMES)], LAST_NAMES[(number - 1) // 6]
        return User(
            id=number,
            name=f"{first} {last}",
            email=f"{first}.{last}@workplace.example".lower(),
            title=self._random.choice(TITLES),
            isActive=self._random.random() < 0.9,
            createdAt=_text(BEGINNING - timedelta(days=number)),
        )

    def _project(self, number: int, name: str) -> Project:
        return Project(
            id=number,
            name=name,
            description=f"All work on: {name.lower()}.",
            ownerId=self._random.randint(1, USER_COUNT),
            createdAt=_text(BEGINNING - timedelta(days=40 - number)),
        )

    def _add_task(self, *, at: datetime) -> Task:
        number = next(self._task_ids)
        task = Task(
            id=number,
            projectId=self._random.randint(1, len(self.projects)),
            title=f"{self._random.choice(VERBS)} {self._random.choice(THINGS)}",
            status=self._random.choice(STATUSES),
            priority=self._random.choice(PRIORITIES),
            assigneeId=self._random.choice((None, *self.users)),
            labels=tuple(sorted(self._random.sample(LABELS, self._random.randint(0, 2)))),
            dueAt=self._random.choice((None, _text(at + timedelta(days=self._random.randint(1, 30))))),
            createdAt=_text(at),
            updatedAt=_text(at),
        )
        self.tasks[number] = task
        return task

    def _update_task(self, *, at: datetime) -> Task:
        task = self._random.choice(list(self.tasks.values()))
        changes: dict[str, Any] = self._random.choice(
            (
                {"status": _next(STATUSES, task.status)},
                {"priority": _next(PRIORITIES, task.priority)},
                {"assigneeId": self._random.choice(list(self.users))},
            )
        )
        self.tasks[task.id] = replace(task, updatedAt=_text(at), **changes)
        return self.tasks[task.id]

    def _delete_task(self) -> Task:
        return self.tasks.pop(self._random.choice(list(self.tasks)))


def as_json(thing: User | Project | Task) -> dict[str, Any]:
    """A user, project or task as the app sends it."""
    return asdict(thing)


def _next(choices: tuple[str, ...], current: str) -> str:
    return choices[(choices.index(current) + 1) % len(choices)]


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")
