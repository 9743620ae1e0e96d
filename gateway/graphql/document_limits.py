"""How much a document may ask for."""

from dataclasses import dataclass
from typing import Self

from gateway.config import LimitSettings

__all__ = ["DocumentLimits"]


@dataclass(frozen=True, kw_only=True)
class DocumentLimits:
    """The bounds of one document; what each counts is told in docs/configuration.md."""

    max_tokens: int
    max_depth: int
    max_aliases: int
    max_root_fields: int
    max_directives: int
    introspection: bool

    @classmethod
    def of(cls, settings: LimitSettings) -> Self:
        """The limits that an operator has set."""
        return cls(
            max_tokens=settings.max_document_tokens,
            max_depth=settings.max_depth,
            max_aliases=settings.max_aliases,
            max_root_fields=settings.max_root_fields,
            max_directives=settings.max_directives,
            introspection=settings.introspection,
        )
