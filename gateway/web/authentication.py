"""From an Authorization header to the principal whose rows are visible."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from gateway.errors import NotAuthenticatedError
from gateway.models import Principal
from gateway.models.principal import ANONYMOUS
from gateway.runtime import Runtime
from gateway.services import customers
from gateway.web.tokens import Claims, Tokens

__all__ = ["Authentication", "Caller"]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, and until when the token says so."""

    principal: Principal
    expires_at: datetime | None = None


NOBODY = Caller(principal=ANONYMOUS)


class Authentication:
    """Tells who presents which token; a customer is created on first sight."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._tokens = Tokens(runtime.settings.token_secret, clock=runtime.clock)

    async def caller(self, authorization: str | None) -> Caller:
        """The caller that `Bearer <token>` names; nobody where there is none.

        Raises NotAuthenticatedError when there is one which does not hold: it is never taken for nobody.
        """
        if authorization is None or not authorization.strip():
            return NOBODY
        scheme, _, token = authorization.strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticatedError("The Authorization header must read `Bearer <token>`.")

        claims = self._tokens.read(token)
        key = ("caller", token)
        known: Caller | None = self._runtime.database.recent(key)
        return known if known is not None else await self._runtime.database.remembered(key, partial(self._named, claims))

    async def _named(self, claims: Claims) -> Caller:
        if claims.external_id is None:
            return Caller(principal=Principal(is_admin=claims.is_admin), expires_at=claims.expires_at)
        customer = await customers.see(self._runtime, external_id=claims.external_id, name=claims.name, fields=claims.fields)
        return Caller(principal=Principal(customer_id=customer.id, is_admin=claims.is_admin), expires_at=claims.expires_at)
