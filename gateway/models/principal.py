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

    @cached_property
    def identity(self) -> tuple[int | None, bool]:
        """Stands for it where things are kept by who asks: equal for equal ones, and looked up in a tenth of the steps."""
        return self.customer_id.int if self.customer_id is not None else None, self.is_admin


ANONYMOUS = Principal()
SYSTEM = Principal(is_admin=True)
"""The gateway itself: the command line and the sync engine."""
