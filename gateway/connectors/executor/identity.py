"""Who the requests of a read come from: what proves it, and which secrets that takes."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from gateway.connectors.executor.auth import NO_PROOF, method_of, names_of, proof_of
from gateway.connectors.executor.logins import Send, logged_in
from gateway.connectors.executor.names import Names
from gateway.connectors.executor.signed_tokens import signed_token
from gateway.connectors.executor.tokens import Token, Tokens
from gateway.connectors.format.auth import JwtAuth, SessionAuth
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.protocol import Access
from gateway.connectors.redaction import Redactor


class Identity:
    """What the requests of a connection show. Where it takes a login, that is sent by `send`, and shows nothing.

    Nobody's `send` is kept: it belongs to whoever has the identity, and the two would hold each other.
    """

    def __init__(self, file: ConnectorFile, access: Access, *, names: Names, tokens: Tokens, now: Callable[[], datetime]) -> None:
        self.proof = NO_PROOF
        """What proved who the last request came from; nothing before the first."""
        self.is_proven = False
        self.derived_secrets: frozenset[str] = frozenset()
        """What is secret in all that proved it."""
        self._file = file
        self._access = access
        self._names = names
        self._tokens = tokens
        self._now = now
        self._token: Token | None = None
        self._is_token_new = False

    async def prove(self, send: Send, *, instead_of: Token | None = None) -> None:
        """Sees to a proof for the next request, by a login or a signature where the connection has no token yet."""
        if self.is_proven and instead_of is None:
            return
        method = method_of(self._file, self._access)
        names = names_of(method, self._access, self._names)
        if isinstance(method, SessionAuth | JwtAuth):
            self._is_token_new = False
            self._token = await self._tokens.token(self._access, make=partial(self._make, method, names, send), instead_of=instead_of)
            self.derived_secrets |= {self._token.text}
            names = {**names, "token": self._token.text}
        self.proof, self.is_proven = proof_of(method, names), True
        self.derived_secrets |= {*self.proof.values}

    def redactor(self) -> Redactor:
        """Knows the secrets of the connection, and those of what proved it so far."""
        return redactor_of(self._file, self._access, derived=self.derived_secrets)

    async def renewed(self, send: Send) -> bool:
        """Whether there is another token than the one that was refused; one that was made for this very request is not tried again."""
        if self._token is None or self._is_token_new:
            return False
        await self.prove(send, instead_of=self._token)
        return True

    async def _make(self, method: SessionAuth | JwtAuth, names: Names, send: Send) -> Token:
        if isinstance(method, JwtAuth):
            token = signed_token(method, names, now=self._now())
        else:
            token = await logged_in(method.login, names, send=send, app=self._file.name, now=self._now)
        self._is_token_new = True
        return token


def redactor_of(file: ConnectorFile, access: Access, *, derived: Iterable[str] = ()) -> Redactor:
    """Knows the credentials, and what else the operator or the customer entered that the file marks as secret; and what is made of them."""
    marked = {
        f"{part}.{name}": values[name]
        for part, secrets, values in (
            ("connection", file.connection.secrets, access.parameters),
            ("integration", file.integration.secrets, access.integration_parameters),
        )
        for name in secrets & values.keys()
    }
    return Redactor({**marked, "credentials": access.credentials}, derived=derived)
