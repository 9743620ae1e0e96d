"""Values: frozen dataclasses that are made with few steps."""

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

__all__ = ["value"]

Value = TypeVar("Value")

_NOT_GIVEN = object()


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(*, kw_only: bool = False) -> Callable[[type[Value]], type[Value]]:
    """Makes a frozen dataclass of a class, without slots; for those that each request makes.

    A frozen dataclass sets each attribute by a call, past its own refusal. This one writes them where they are kept, for half the steps.
    A frozen `Struct` of msgspec takes a quarter of the steps: what no connector makes or takes, and hides none of its fields, can be one.
    """

    def decorate(declared: type[Value]) -> type[Value]:
        made = dataclass(frozen=True, kw_only=kw_only)(declared)
        made.__init__ = _writing_init(made)  # type: ignore[method-assign]
        return made

    return decorate


def _writing_init(made: type[Any]) -> Callable[..., None]:
    """An `__init__` with the parameters of the dataclass's own."""
    names: dict[str, Any] = {"_NOT_GIVEN": _NOT_GIVEN}
    parameters, lines = ["self"], ["state = self.__dict__"]
    in_order = sorted(fields(made), key=lambda each: bool(each.kw_only))
    for each in in_order:
        if each.kw_only and "*" not in parameters:
            parameters.append("*")
        parameters.append(_parameter(each, names))
        if each.default_factory is not MISSING:
            lines.append(f"if {each.name} is _NOT_GIVEN: {each.name} = _make_{each.name}()")
        lines.append(f"state[{each.name!r}] = {each.name}")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    source = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines)
    exec(compile(source, f"<{made.__qualname__}>", "exec"), names)  # noqa: S102 - as dataclasses do; of names in our own code.
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init


def _parameter(each: "Field[Any]", names: dict[str, Any]) -> str:
    """A field as a parameter; what its default is goes among the names."""
    if not each.init:
        raise TypeError(f"{each.name} is not given: of a value all is.")
    if each.default is not MISSING:
        names[f"_default_{each.name}"] = each.default
        return f"{each.name}=_default_{each.name}"
    if each.default_factory is not MISSING:
        names[f"_make_{each.name}"] = each.default_factory
        return f"{each.name}=_NOT_GIVEN"
    return each.name
