"""Telling what was left out from what is null."""

from collections.abc import Mapping
from typing import Any, cast

import strawberry

from gateway.models import JsonObject
from gateway.services.patches import KEEP


def json_object(given: object) -> JsonObject | None:
    """A JSON input as services take it, who refuse what is no object."""
    return cast(JsonObject | None, given)


def changes(given: object, *names: str) -> Mapping[str, Any]:
    """The named fields of an update input as services take them: KEEP where one was left out."""
    maybes: dict[str, strawberry.Maybe[Any]] = {name: getattr(given, name) for name in names}
    return {name: KEEP if maybe is None else _read(maybe.value) for name, maybe in maybes.items()}


def _read(value: Any) -> Any:
    """Inputs that services take as values of their own know how to become one."""
    return value.read() if hasattr(value, "read") else value
