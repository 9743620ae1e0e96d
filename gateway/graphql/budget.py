"""How much one operation may list."""

from gateway.errors import CostExceededError

MAXIMUM_ITEMS = 10_000
"""Items that the lists of one operation may hold together: at some kilobytes each, what a process can bear several times over."""


class Budget:
    """Counts what the lists of one operation hold: lists within lists multiply, and without a bound they fill the memory."""

    def __init__(self) -> None:
        self._spent = 0

    def spend(self, items: int) -> None:
        """Returns while the operation lists no more than it may. Raises CostExceededError."""
        self._spent += items
        if self._spent > MAXIMUM_ITEMS:
            raise CostExceededError(f"The operation lists more than {MAXIMUM_ITEMS} items. Ask for fewer, or nest fewer lists in lists.")
