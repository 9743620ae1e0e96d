"""Which texts can be the id of a record."""

import re
from functools import cached_property

from gateway.connectors.format.collections import Collection
from gateway.connectors.schemas import CompiledSchema

_MAX_CHARACTERS = 1000
_NEVER = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_SEPARATOR = re.compile(r"[/\\]")


class RecordIds:
    """Knows which texts the app may have given as ids in one collection; it is not asked for others."""

    def __init__(self, collection: Collection) -> None:
        self._schema = collection.record.id_schema

    @cached_property
    def _fitting(self) -> CompiledSchema:
        return CompiledSchema.compile(self._schema, at="id_pattern")

    def may_exist(self, external_id: str) -> bool:
        """Whether a record may have that id: of a length and of signs that ids have, and no way to another address."""
        if not external_id or len(external_id) > _MAX_CHARACTERS or _NEVER.search(external_id):
            return False
        # Each is encoded as one segment of a path. Servers that decode it too early would still walk up from there, and some take
        # what follows a semicolon for a parameter of the segment.
        if any(segment.partition(";")[0] in (".", "..") for segment in _SEPARATOR.split(external_id)):
            return False
        return not self._fitting.violations(external_id)
