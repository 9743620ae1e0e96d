"""What compiled functions call for values that are not plain: whatever is unusual ends them, and the stock executor judges it."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from graphql import Undefined
from strawberry.execution.is_awaitable import optimized_is_awaitable


class DeviationError(Exception):
    """A compiled function met what only the stock executor knows how to answer."""


def deviate(*_: object) -> NoReturn:
    """Ends the compiled function."""
    raise DeviationError


def present(value: Any) -> Any:
    """The value, where there is one and it is neither an error nor still to be waited for."""
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


def leaf(coerce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Completes values of a leaf type by its own rule."""

    def complete(value: Any) -> Any:
        completed = coerce(present(value))
        if completed is None or completed is Undefined:
            raise DeviationError
        return completed

    return complete
