"""Values that are kept as long as there is room for them."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Bounded(Generic[Value]):
    """Values by key, up to a weight in all; those that were used the longest ago go first."""

    def __init__(self, *, maximum_weight: int) -> None:
        self._maximum_weight = maximum_weight
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self.weight = 0
        """What is kept weighs, in bytes of memory."""

    def get(self, key: Hashable) -> Value | None:
        """The value of that key; null when there is none, or none any more."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: Value, *, weight: int) -> None:
        """Keeps the value, in place of the one of that key; one that weighs more than everything may is not kept."""
        if key in self._values:
            self.drop(key)
        weight = max(weight, 1)
        if weight > self._maximum_weight:
            return
        self._values[key] = value, weight
        self.weight += weight
        while self.weight > self._maximum_weight:
            self.drop(next(iter(self._values)))

    def grow(self, key: Hashable, *, by: int) -> None:
        """Counts the value of that key for more than it was put with, if there is one."""
        if key in self._values:
            value, weight = self._values[key]
            self.put(key, value, weight=weight + by)

    def drop(self, key: Hashable) -> None:
        """Forgets the value of that key, if there is one."""
        if key in self._values:
            self.weight -= self._values.pop(key)[1]

    def oldest(self) -> tuple[Hashable, Value] | None:
        """What was used the longest ago, with its key; null when nothing is kept."""
        for key, (value, _) in self._values.items():
            return key, value
        return None

    def clear(self) -> None:
        """Forgets everything."""
        self._values.clear()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Bounded({len(self._values)} values of {self.weight} bytes)"
