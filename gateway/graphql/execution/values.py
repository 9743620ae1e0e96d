"""What compiled functions call for values that are not plain: whatever is unusual ends them, and the stock executor judges it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass
from typing import Any, NoReturn

from graphql import Undefined
from strawberry.execution.is_awaitable import optimized_is_awaitable

from gateway.graphql.execution.resolvers import ContextOnly
from gateway.graphql.fields import Asked
from gateway.graphql.ids import ROW_TYPES

PLAIN = frozenset({dict, tuple, *ROW_TYPES.values()})
"""Classes of what is no error and nothing to wait for, without being looked at: to ask a row for what it lacks takes long."""
LATER: Any = object()
"""Stands for a value that a loader is reading."""
NOTHING: Any = object()
"""Stands for what no loader is asked for."""


class DeviationError(Exception):
    """A compiled function met what only the stock executor knows how to answer."""


def deviate(*_: object) -> NoReturn:
    """Ends the compiled function."""
    raise DeviationError


def present(value: Any) -> Any:
    """The value, where there is one and it is neither an error nor still to be waited for."""
    if type(value) in PLAIN:
        return value
    if value is None or value is Undefined or isinstance(value, Exception):
        raise DeviationError
    if optimized_is_awaitable(value):
        # Left as it is: the stock executor awaits it.
        raise DeviationError
    return value


def items(value: Any) -> Iterator[Any]:
    """The items of a list; other iterables may be read once only."""
    if type(value) is list or type(value) is tuple:
        return iter(value)
    deviate(present(value))


def items_beside(value: Any, info: ContextOnly, arguments: list[dict[str, Any]], *reads: Callable[..., Sequence[Any]]) -> Iterator[Any]:
    """The items of a list, each with what is read of it; all are read in one go."""
    shown = value if type(value) is list else tuple(items(value))
    return zip(shown, *[read(shown, info, arguments) for read in reads], strict=True)


def leaf(coerce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Completes values of a leaf type by its own rule."""

    def complete(value: Any) -> Any:
        completed = coerce(present(value))
        if completed is None or completed is Undefined:
            raise DeviationError
        return completed

    return complete


def judged(is_type_of: Callable[[Any, ContextOnly], Any], known: set[type]) -> Callable[[Any, ContextOnly], None]:
    """Ends the compiled function for a source that is none of the type; `known` come to be the classes whose sources all are.

    It is for an `is_type_of` that is marked as one by class.
    """

    def judge(source: Any, info: ContextOnly) -> None:
        if is_type_of(present(source), info) is not True:
            raise DeviationError
        # Not those that may say of each object something else.
        if type(source) in PLAIN or is_dataclass(source):
            known.add(type(source))

    return judge


def loaded(asks: Callable[[Any, Any], Asked | None]) -> Callable[[Any, ContextOnly], Any]:
    """What a loader finds for a source: `NOTHING` where it is not asked, `LATER` where it is reading, which is begun where it was not."""

    def found(source: Any, info: ContextOnly) -> Any:
        asked = asks(source, info)
        if asked is None:
            return NOTHING
        reading = asked[0].reading(asked[1])
        if reading.done():
            return reading.result()
        info.readings.append(reading)
        return LATER

    return found
