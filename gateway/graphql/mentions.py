"""What an operation's document mentions anywhere, be it only perhaps: nothing needs to be read for what it does not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import finalize

from graphql import OperationDefinitionNode, Token

from gateway.models.records import MODELS_FIELDS, RECORD_PARTS, SHOWN_FIELDS

__all__ = ["Mentioned", "mentioned_in"]

_LOG_END = "eventsCursor"
_MODELS = frozenset({MODELS_FIELDS, "created_at", "updated_at"})
# A model has the times from the record where no field tells them.
_PARTS: Mapping[str, frozenset[str]] = {
    "name": frozenset({"name"}),
    "url": frozenset({"url"}),
    "version": frozenset({"version"}),
    "createdAt": frozenset({"created_at"}),
    "updatedAt": frozenset({"updated_at"}),
    "unified": _MODELS,
    "unifiedFields": _MODELS,
    "fields": frozenset({SHOWN_FIELDS}),
    "reference": frozenset({"fields"}),
}
"""The fields that read parts of records, by their names in the schema."""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What a document may show."""

    log_end: bool = True
    """The end of the event log."""
    record_parts: frozenset[str] = RECORD_PARTS
    """What of a record is read."""


_EVERYTHING = Mentioned()
_kinds: dict[Mentioned, Mentioned] = {}
"""Those that were found, each once: there are few, and thousands of operations."""
_known: dict[int, Mentioned] = {}
"""By the identity of the operations, which all that execute a document share, for as long as they are there."""


def mentioned_in(operation: OperationDefinitionNode) -> Mentioned:
    """What the operation's document mentions; each is looked through once."""
    known = _known.get(id(operation))
    if known is None:
        if operation.loc is None:
            return _EVERYTHING
        words = frozenset(_words(operation.loc.start_token))
        parts = (part for word, parts in _PARTS.items() if word in words for part in parts)
        found = Mentioned(_LOG_END in words, frozenset(parts))
        known = _known[id(operation)] = _kinds.setdefault(found, found)
        finalize(operation, _known.pop, id(operation)).atexit = False
    return known


def _words(within: Token) -> Iterator[str]:
    """All words of the document that a token is of: fragments stand before and after operations."""
    token: Token | None = within
    while token is not None and token.prev is not None:
        token = token.prev
    while token is not None:
        if token.value is not None:
            yield token.value
        token = token.next
