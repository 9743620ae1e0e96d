"""What every resolver has at hand."""

from dataclasses import dataclass, field

import strawberry

from gateway.errors import NotAuthenticatedError
from gateway.graphql import relay
from gateway.graphql.budget import Budget
from gateway.graphql.loaders import Loaders
from gateway.models import Principal
from gateway.runtime import Runtime
from gateway.storage.rows import RowWindow


@dataclass
class Context:
    """The long-lived parts, who asks, and the loaders of one operation: on a socket too each operation has a context of its own."""

    runtime: Runtime
    principal: Principal
    budget: Budget = field(default_factory=Budget)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.runtime = self.runtime.for_operation()
        self.loaders = Loaders(self.runtime, self.principal, self.budget)

    @property
    def caller(self) -> tuple[Runtime, Principal]:
        """What services take first. Raises NotAuthenticatedError when nobody has identified themselves."""
        self.require_caller()
        return self.runtime, self.principal

    def window(self, first: int, after: str | None) -> RowWindow:
        """The rows that `first` and `after` mean. Raises as `relay.window` does."""
        return relay.window(first, after, maximum=self.runtime.settings.max_page_size)

    def require_caller(self) -> None:
        """Returns when somebody has identified themselves, else raises NotAuthenticatedError."""
        if not self.principal.is_authenticated:
            raise NotAuthenticatedError("A token is needed. Send it as `Authorization: Bearer <token>`.")

    def renew(self) -> None:
        """Forgets what was loaded and what apps have answered: from now on everything is read again."""
        self.runtime.operation.forget()
        self.loaders = Loaders(self.runtime, self.principal, self.budget)


Info = strawberry.Info[Context, None]


def make_context(runtime: Runtime, principal: Principal) -> Context:
    """The context of one operation."""
    return Context(runtime, principal)
