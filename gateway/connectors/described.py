"""What apps said of their collections, kept for a while."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from gateway.models import CollectionSpec

KEPT_SECONDS = 600.0
KEPT_SPECS = 512
"""How many are kept; the description of a table with a thousand columns takes a hundred kilobytes."""


@dataclass(frozen=True, slots=True)
class _Described:
    spec: CollectionSpec
    at: float


class DescribedCollections:
    """Specs by key, each for ten minutes; of too many, those that were looked for the longest ago are forgotten."""

    def __init__(self) -> None:
        self._described: OrderedDict[Hashable, _Described] = OrderedDict()

    def find(self, key: Hashable, *, now: float) -> CollectionSpec | None:
        """The spec of that key; null when none is kept. `now` is in seconds of a clock that never goes back."""
        found = self._described.get(key)
        if found is None:
            return None
        if now - found.at >= KEPT_SECONDS:
            del self._described[key]
            return None
        self._described.move_to_end(key)
        return found.spec

    def keep(self, key: Hashable, spec: CollectionSpec, *, now: float) -> None:
        """Keeps a spec in place of an older one."""
        self._described[key] = _Described(spec, now)
        self._described.move_to_end(key)
        while len(self._described) > KEPT_SPECS:
            self._described.popitem(last=False)

    def __repr__(self) -> str:
        return f"DescribedCollections({len(self._described)})"
