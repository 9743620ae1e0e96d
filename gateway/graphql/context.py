"""What every resolver has at hand."""

import strawberry

from gateway.errors import NotAuthenticatedError
from gateway.graphql import relay
from gateway.graphql.budget import Budget
from gateway.graphql.loaders import Loaders
from gateway.models import Principal
from gateway.runtime import Runtime
from gateway.storage.rows import RowWindow


class Context:
    """The long-lived parts, who asks, and the loaders of one operation: on a socket too each operation has a context of its own."""

    def __init__(self, runtime: Runtime, principal: Principal) -> None:
        self.runtime = runtime.for_operation()
        self.principal = principal
        self.budget = Budget()
        self.loaders = Loaders(self.runtime, principal, self.budget)
        self._is_caller_known = principal.is_authenticated

    @property
    def caller(self) -> tuple[Runtime, Principal]:
        """What services take first. Raises NotAuthenticatedError when nobody has identified themselves."""
        if not self._is_caller_known:
            self.require_caller()
        return self.runtime, self.principal

    def window(self, first: int, after: str | None) -> RowWindow:
        """The rows that `first` and `after` mean. Raises as `relay.window` does."""
        return relay.window(first, after, maximum=self.runtime.settings.max_page_size)

    def require_caller(self) -> None:
        """Returns when somebody has identified themselves, else raises NotAuthenticatedError."""
        if not self._is_caller_known:
            raise NotAuthenticatedError("A token is needed. Send it as `Authorization: Bearer <token>`.")

    def renew(self) -> None:
        """Forgets what was loaded and what apps have answered: from now on everything is read again."""
        self.runtime.operation.forget()
        self.loaders = Loaders(self.runtime, self.principal, self.budget)


Info = strawberry.Info[Context, None]


def make_context(runtime: Runtime, principal: Principal) -> Context:
    """The context of one operation."""
    return Context(runtime, principal)
