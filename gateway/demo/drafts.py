"""What clients of the demo's external app may write, and what is wrong with what they do write."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.demo.answers import InvalidFieldsError
from gateway.demo.things import PRIORITIES, STATUSES, as_text, as_time
from gateway.demo.workplace import ME, Workplace

Check = Callable[[Any, Workplace], Any]
"""Gives a value as it is kept. Raises ValueError that says what it must be."""

MOST_ITEMS = 20
_UNFIT = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f\\ud800-\\udfff]")
"""Control characters other than tabs and line breaks, and halves of characters, which no answer could carry."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The fields of one kind of thing."""

    noun: str
    checks: Mapping[str, Check]
    required: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def created(self, given: Any, workplace: Workplace) -> dict[str, Any]:
        """All fields of a new thing. Raises InvalidFieldsError that tells of every one that is wrong or missing."""
        missing = {name: "is required." for name in sorted(self.required) if isinstance(given, dict) and name not in given}
        return {**self.defaults, **self._checked(given, workplace, missing)}

    def changed(self, given: Any, workplace: Workplace) -> dict[str, Any]:
        """The fields that change. Raises InvalidFieldsError as `created` does."""
        return self._checked(given, workplace, {})

    def _checked(self, given: Any, workplace: Workplace, errors: dict[str, str]) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise InvalidFieldsError("Send a JSON object of fields.", fields={})
        fields = {}
        for name, value in given.items():
            try:
                fields[name] = self._check(name)(value, workplace)
            except ValueError as error:
                errors[name] = str(error)
        if errors:
            raise InvalidFieldsError(f"The {self.noun} is not valid.", fields=errors)
        return fields

    def _check(self, name: str) -> Check:
        if name not in self.checks:
            raise ValueError(f"is no field of a {self.noun} that can be written.")
        return self.checks[name]


def _text(*, most: int, least: int = 1) -> Check:
    def check(value: Any, workplace: Workplace) -> str:
        if not isinstance(value, str) or _UNFIT.search(value):
            raise ValueError("must be text.")
        if not least <= len(value.strip()) <= len(value) <= most:
            raise ValueError(f"must have {least} to {most} characters.")
        return value

    return check


def _email(value: Any, workplace: Workplace) -> str:
    text: str = _text(most=200)(value, workplace)
    name, _, host = text.partition("@")
    if not name or "." not in host or set(text) & set(" ,<>"):
        raise ValueError("must be an e-mail address.")
    return text.lower()


def _one_of(*choices: str) -> Check:
    def check(value: Any, workplace: Workplace) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}.")
        return str(value)

    return check


def _boolean(value: Any, workplace: Workplace) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false.")
    return value


def _time(value: Any, workplace: Workplace) -> str:
    time = as_time(value) if isinstance(value, str) else None
    if time is None:
        raise ValueError("must be a time with its zone, such as 2026-03-01T09:00:00Z.")
    try:
        return as_text(time)
    except OverflowError:
        raise ValueError("must be a time of the years 1 to 9999.") from None


def _user(value: Any, workplace: Workplace) -> int:
    return _known(value, workplace.users, "user")


def _project(value: Any, workplace: Workplace) -> int:
    return _known(value, workplace.projects, "project")


def _known(value: Any, things: Mapping[int, Any], noun: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be the number of a {noun}.")
    if value not in things:
        raise ValueError(f"must be a {noun} that exists; there is no {noun} {value}.")
    return value


def _or_null(check: Check) -> Check:
    return lambda value, workplace: None if value is None else check(value, workplace)


def _several(check: Check) -> Check:
    def checked(value: Any, workplace: Workplace) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            raise ValueError(f"must be a list of at most {MOST_ITEMS}.")
        return tuple(dict.fromkeys(check(item, workplace) for item in value))

    return checked


TASK = Draft(
    noun="task",
    required=frozenset({"title", "projectId"}),
    defaults={"status": "open", "priority": "normal", "assigneeId": None, "labels": (), "dueAt": None},
    checks={
        "projectId": _project,
        "title": _text(most=200),
        "notes": _or_null(_text(most=5_000, least=0)),
        "status": _one_of(*STATUSES),
        "priority": _one_of(*PRIORITIES),
        "assigneeId": _or_null(_user),
        "followerIds": _several(_user),
        "labels": _several(_text(most=50)),
        "dueAt": _or_null(_time),
    },
)
PROJECT = Draft(
    noun="project",
    required=frozenset({"name"}),
    defaults={"description": "", "ownerId": ME},
    checks={"name": _text(most=100), "description": _text(most=2_000, least=0), "ownerId": _user},
)
USER = Draft(
    noun="user",
    required=frozenset({"name", "email"}),
    defaults={"title": "", "isActive": True},
    checks={"name": _text(most=100), "email": _email, "title": _text(most=100, least=0), "isActive": _boolean},
)
