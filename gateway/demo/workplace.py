"""The data behind the demo's external app: projects, their tasks, the people who work on them, and changes that never end."""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.demo.things import PRIORITIES, STATUSES, Project, Task, Thing, User, as_text

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
LABELS = ("customer", "design", "legal", "quick win", "urgent")

TASK_COUNT = 480
USER_COUNT = 24
MOST_TASKS = TASK_COUNT + 40
"""Once there are so many, tasks are deleted until there are as many as at the start: a demo may run for weeks."""
MOST_OF_A_KIND = 10_000
"""How many users, projects or tasks the app keeps, whoever makes them."""
ME = 1
"""The user whom the app takes whoever has its key for."""
BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Workplace:
    """All that the app knows. The same seed gives the same data, and the same changes in the same order."""

    def __init__(self, *, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - Made-up tasks; nothing here is secret.
        self._people = random.Random(seed)  # noqa: S311 - Of its own, so that the rest stays as it is when people are added to tasks.
        self.users = {number: self._user(number) for number in range(1, USER_COUNT + 1)}
        self.projects = {number: self._project(number, name) for number, name in enumerate(PROJECT_NAMES, start=1)}
        self.tasks: dict[int, Task] = {}
        self.observers: list[Callable[[str, Thing], None]] = []
        """Called with each change, `created`, `updated` or `deleted`, and the thing as it is then, or was."""
        self._is_shrinking = False
        self._task_ids = itertools.count(101)
        self._user_ids = itertools.count(len(self.users) + 1)
        self._project_ids = itertools.count(len(self.projects) + 1)
        for number in range(1, TASK_COUNT + 1):
            self._add_task(at=BEGINNING + timedelta(hours=number))

    def change(self, *, at: datetime) -> Task:
        """The task that was created, updated or deleted now: one change, as if somebody was at work."""
        self._is_shrinking = len(self.tasks) >= MOST_TASKS or (self._is_shrinking and len(self.tasks) > TASK_COUNT)
        kind = self._random.random()
        if kind < 0.3 or not self.tasks:
            return self._delete_task() if self._is_shrinking else self._add_task(at=at)
        return self._update_task(at=at)

    def hire(self, fields: dict[str, Any], *, at: datetime) -> User:
        """The new user with these fields."""
        user = User(id=next(self._user_ids), createdAt=as_text(at), **fields)
        self.users[user.id] = user
        self._tell("created", user)
        return user

    def start(self, fields: dict[str, Any], *, at: datetime) -> Project:
        """The new project with these fields."""
        project = Project(id=next(self._project_ids), createdAt=as_text(at), **fields)
        self.projects[project.id] = project
        self._tell("created", project)
        return project

    def plan(self, fields: dict[str, Any], *, at: datetime) -> Task:
        """The new task with these fields."""
        task = Task(id=next(self._task_ids), createdById=ME, createdAt=as_text(at), updatedAt=as_text(at), **fields)
        self.tasks[task.id] = task
        self._tell("created", task)
        return task

    def revise(self, thing: Thing, fields: dict[str, Any], *, at: datetime) -> Thing:
        """The thing with these fields in place of its own."""
        changed: Thing
        if isinstance(thing, Task):
            changed = self.tasks[thing.id] = replace(thing, revision=thing.revision + 1, updatedAt=as_text(at), **fields)
        elif isinstance(thing, Project):
            changed = self.projects[thing.id] = replace(thing, revision=thing.revision + 1, **fields)
        else:
            changed = self.users[thing.id] = replace(thing, **fields)
        self._tell("updated", changed)
        return changed

    def drop(self, thing: Project | Task) -> None:
        """Takes a project or a task away."""
        if isinstance(thing, Task):
            del self.tasks[thing.id]
        else:
            del self.projects[thing.id]
        self._tell("deleted", thing)

    def _user(self, number: int) -> User:
        first, last = FIRST_NAMES[(number - 1) % len(FIRST_NAMES)], LAST_NAMES[(number - 1) // 6]
        return User(
            id=number,
            name=f"{first} {last}",
            email=f"{first}.{last}@workplace.example".lower(),
            title=self._random.choice(TITLES),
            isActive=self._random.random() < 0.9,
            createdAt=as_text(BEGINNING - timedelta(days=number)),
        )

    def _project(self, number: int, name: str) -> Project:
        return Project(
            id=number,
            name=name,
            description=f"All work on: {name.lower()}.",
            ownerId=self._random.randint(1, USER_COUNT),
            createdAt=as_text(BEGINNING - timedelta(days=40 - number)),
        )

    def _add_task(self, *, at: datetime) -> Task:
        number = next(self._task_ids)
        task = Task(
            id=number,
            projectId=self._random.choice(list(self.projects)),
            title=f"{self._random.choice(VERBS)} {self._random.choice(THINGS)}",
            status=self._random.choice(STATUSES),
            priority=self._random.choice(PRIORITIES),
            assigneeId=self._random.choice((None, *self.users)),
            labels=tuple(sorted(self._random.sample(LABELS, self._random.randint(0, 2)))),
            dueAt=self._random.choice((None, as_text(at + timedelta(days=self._random.randint(1, 30))))),
            followerIds=tuple(sorted(self._people.sample(list(self.users), self._people.randint(0, 3)))),
            createdById=self._people.choice(list(self.users)),
            createdAt=as_text(at),
            updatedAt=as_text(at),
        )
        self.tasks[number] = task
        self._tell("created", task)
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
        self.revise(task, changes, at=at)
        return self.tasks[task.id]

    def _delete_task(self) -> Task:
        task = self.tasks[self._random.choice(list(self.tasks))]
        self.drop(task)
        return task

    def _tell(self, change: str, thing: Thing) -> None:
        for observer in self.observers:
            observer(change, thing)


def _next(choices: tuple[str, ...], current: str) -> str:
    return choices[(choices.index(current) + 1) % len(choices)]
