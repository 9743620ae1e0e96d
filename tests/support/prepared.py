"""What many tests begin with, done once a process: the others find everything as it was left, which takes a tenth of the time.

What is stored is kept to the byte, and with it what apps in memory hold and how late it is. A process of the gateway may begin
on rows that another one made, so that nothing else has to be kept.
"""

import copy
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any, TypeVar
from uuid import UUID

from gateway.runtime import Runtime
from gateway.storage.encryption import Cipher
from gateway.testing import FakeClock
from tests.support.stored_content import Content, read_content, write_content

Result = TypeVar("Result")

KEY_RING = Cipher.generate_key_ring()
"""For the settings of those who prepare: with it the others read what was encrypted."""

_PLAIN = (type(None), bool, int, float, str, bytes, date, timedelta, Enum, UUID, Path)


@dataclass(frozen=True)
class _Left:
    """How the steps left everything."""

    content: Content
    apps: Sequence[dict[str, Any]]
    seconds: float
    sleeps: Sequence[float]
    result: object


_DONE: dict[Hashable, _Left] = {}


async def prepared(
    runtime: Runtime, clock: FakeClock, apps: Sequence[object], steps: Callable[[], Awaitable[Result]], *about: Hashable
) -> Result:
    """What the steps give, done now or, where they were done before in the very same situation, left as they were then.

    `about` says which steps they are. What they give must be plain: it is shared.
    """
    before = await read_content(runtime.database, to_be_written=False)
    try:
        held = tuple(_held(app, apps) for app in apps)
    except TypeError:
        return await steps()  # Something is to happen that nobody can compare.

    situation = (about, before.key, _settings(runtime), clock.monotonic(), len(clock.sleeps), *(tuple(each.items()) for each in held))
    if situation not in _DONE:
        result = await steps()
        left = [copy.deepcopy(_changed(app, apps, before=was)) for app, was in zip(apps, held, strict=True)]
        content = await read_content(runtime.database)
        _DONE[situation] = _Left(content, left, clock.monotonic(), tuple(clock.sleeps), result)
        return result
    done = _DONE[situation]
    await write_content(runtime.database, before, done.content)
    for app, left in zip(apps, done.apps, strict=True):
        for name, value in copy.deepcopy(left).items():
            setattr(app, name, value)
    clock.advance(done.seconds - clock.monotonic())
    clock.sleeps[:] = done.sleeps
    return done.result  # type: ignore[return-value]


def _settings(runtime: Runtime) -> str:
    settings = runtime.settings
    return f"{settings.encryption_keys.get_secret_value()} {settings.model_dump(exclude={'database_url'})}"


def _fields(app: object, apps: Sequence[object]) -> dict[str, Any]:
    found = {each.name: getattr(app, each.name) for each in fields(app)}  # type: ignore[arg-type]
    return {name: value for name, value in found.items() if not any(value is other for other in apps)}


def _held(app: object, apps: Sequence[object]) -> dict[str, Hashable]:
    return {name: _told(value) for name, value in _fields(app, apps).items()}


def _changed(app: object, apps: Sequence[object], *, before: dict[str, Hashable]) -> dict[str, Any]:
    """The fields that are not as before."""
    return {name: value for name, value in _fields(app, apps).items() if _told(value) != before[name]}


def _told(value: object) -> Hashable:
    """The same for what is the same; raises TypeError for what cannot be compared."""
    if isinstance(value, _PLAIN):
        return type(value), value
    if isinstance(value, FakeClock):
        return FakeClock
    if isinstance(value, FunctionType):
        return value.__code__, tuple(_told(cell.cell_contents) for cell in value.__closure__ or ())
    if isinstance(value, MethodType):
        return value.__func__, _told(value.__self__)
    if isinstance(value, dict):
        return "dict", tuple((_told(key), _told(each)) for key, each in value.items())
    if isinstance(value, list | tuple | deque):
        if any(callable(each) for each in value):
            raise TypeError(value)
        return type(value), tuple(_told(each) for each in value)
    if isinstance(value, set | frozenset):
        return type(value), frozenset(_told(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value), tuple(_told(getattr(value, each.name)) for each in fields(value))
    raise TypeError(value)
