"""Who asks."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who asks: a customer, an admin (who may also be a customer), or nobody. It decides which rows are visible."""

    customer_id: UUID | None = None
    is_admin: bool = False

    @property
    def is_authenticated(self) -> bool:
        """Whether a valid token came with the request."""
        return self.is_admin or self.customer_id is not None

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # What is read for somebody is remembered under their name: it is asked for again and again.
        return hash((self.customer_id, self.is_admin))


ANONYMOUS = Principal()
SYSTEM = Principal(is_admin=True)
"""The gateway itself: the command line and the sync engine."""
