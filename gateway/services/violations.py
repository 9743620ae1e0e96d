"""Everything that is wrong with an input, told at once."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway.errors import CombinedUserError, UserError

Value = TypeVar("Value")

MAXIMUM_TOLD = 50


class Violations:
    """Collects what a caller can put right."""

    def __init__(self) -> None:
        self._found: list[UserError] = []

    def add(self, error: UserError) -> None:
        """One more."""
        self._found.append(error)

    def collect(self, read: Callable[[], Value]) -> Value | None:
        """What is read; null where reading it is refused, which is remembered."""
        try:
            return read()
        except UserError as error:
            self.add(error)
        except CombinedUserError as error:
            self._found.extend(error.errors)
        return None

    def refuse(self) -> None:
        """Returns when there are none. Raises the only one, or a CombinedUserError of the first fifty."""
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise CombinedUserError(self._found[:MAXIMUM_TOLD])


def at(error: UserError, field: Sequence[str]) -> UserError:
    """The same error, at another place of the input."""
    return type(error)(error.message, field=field)
