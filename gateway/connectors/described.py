"""What apps said of their collections, kept for a while."""

from collections.abc import Hashable
from dataclasses import dataclass

import orjson

from gateway.connectors.bounded import Bounded
from gateway.models import CollectionSpec, JsonSchema

KEPT_SECONDS = 600.0
MAXIMUM_KEPT_BYTES = 64 * 1024 * 1024
"""What is kept may take in memory; the description of a table with a thousand columns takes a megabyte."""
_BYTES_EACH = 8_192
_BYTES_IN_MEMORY = 8
"""What a schema takes in memory for each byte of its JSON."""


@dataclass(frozen=True, slots=True)
class _Described:
    spec: CollectionSpec
    at: float


class DescribedCollections:
    """Specs by key, each for ten minutes; of too many, those that were looked for the longest ago are forgotten."""

    def __init__(self, *, maximum_bytes: int = MAXIMUM_KEPT_BYTES) -> None:
        self._described: Bounded[_Described] = Bounded(maximum_weight=maximum_bytes)

    def find(self, key: Hashable, *, now: float) -> CollectionSpec | None:
        """The spec of that key; null when none is kept. `now` is in seconds of a clock that never goes back."""
        found = self._described.get(key)
        if found is None:
            return None
        if now - found.at >= KEPT_SECONDS:
            self._described.drop(key)
            return None
        return found.spec

    def keep(self, key: Hashable, spec: CollectionSpec, *, now: float) -> None:
        """Keeps a spec in place of an older one."""
        self._described.put(key, _Described(spec, now), weight=_weight(spec))

    def __repr__(self) -> str:
        return f"DescribedCollections({len(self._described)})"


def _weight(spec: CollectionSpec) -> int:
    schemas = (spec.fields_schema, spec.create_fields_schema, spec.update_fields_schema)
    return _BYTES_EACH + _BYTES_IN_MEMORY * sum(_size(schema) for schema in schemas if schema is not None)


def _size(schema: JsonSchema) -> int:
    try:
        return len(orjson.dumps(schema))
    except orjson.JSONEncodeError:
        # Only in Python's own words: a connector that is a class may describe whatever it likes.
        return len(repr(schema))
