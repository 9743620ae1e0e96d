"""How the requests of a connection prove who they come from."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.connectors.executor.names import Names
from gateway.connectors.executor.requests import is_header_value, with_query
from gateway.connectors.format.auth import ApiKeyAuth, Auth, HttpBasicAuth, HttpBearerAuth, JwtAuth, SessionAuth
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.http import WebAddress
from gateway.connectors.protocol import Access
from gateway.errors import UpstreamAuthError
from gateway.expressions import ExpressionError, Template

_NOT_IN_COOKIES = frozenset('",; \\')


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What is added to each request. Its `repr` shows none of it."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, str] = field(default_factory=dict, repr=False)

    def on(self, url: WebAddress) -> WebAddress:
        """The address with the proof that goes into its query, in place of what stood there."""
        return with_query(url, self.query) if self.query else url

    def off(self, url: WebAddress) -> WebAddress:
        """The address without that proof: some apps repeat it in the addresses they give."""
        return with_query(url, dict.fromkeys(self.query)) if self.query else url

    @property
    def values(self) -> tuple[str, ...]:
        """All that is secret in it."""
        return *self.headers.values(), *self.query.values(), *self.body.values()


NO_PROOF = Proof()
"""What nobody is known by."""


def method_of(file: ConnectorFile, access: Access) -> Auth:
    """The connection's auth method. Raises UpstreamAuthError when the connector has it no more."""
    method = file.auth.get(access.auth_method)
    if method is None:
        raise UpstreamAuthError(
            f"{file.name} has no auth method {access.auth_method!r} (any more). Connect again with one of {', '.join(sorted(file.auth))}."
        )
    return method


def names_of(method: Auth, access: Access, names: Names) -> Names:
    """The names that an auth method knows: the credentials beside those of every request."""
    return {**names, "credentials": {**method.defaults, **access.credentials}}


def proof_of(method: Auth, names: Names) -> Proof:
    """The proof by a method, whose names may hold a `token`. Raises UpstreamAuthError when the credentials cannot make one."""
    match method:
        case HttpBearerAuth():
            return Proof(headers={"authorization": f"Bearer {_header_text(method.token, names, what='token')}"})
        case HttpBasicAuth():
            return Proof(headers={"authorization": f"Basic {_basic(method, names)}"})
        case ApiKeyAuth():
            return _carried(method, names, what="key")
        case SessionAuth() | JwtAuth():
            return _carried(method, names, what="token")
        case _:
            return NO_PROOF


def _basic(method: HttpBasicAuth, names: Names) -> str:
    username = credential_text(method.username, names, what="user name", may_be_empty=True)
    if ":" in username:
        raise UpstreamAuthError("The credentials hold a user name with a colon, which Basic authentication cannot carry. Enter them again.")
    password = credential_text(method.password, names, what="password", may_be_empty=True)
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def _carried(method: ApiKeyAuth | SessionAuth | JwtAuth, names: Names, *, what: str) -> Proof:
    if method.location == "query":
        return Proof(query={method.parameter: credential_text(method.value, names, what=what)})
    if method.location == "body":
        return Proof(body={method.parameter: credential_text(method.value, names, what=what)})
    key = _header_text(method.value, names, what=what)
    if method.location == "header":
        return Proof(headers={method.parameter.lower(): key})
    if _NOT_IN_COOKIES & set(key):
        raise UpstreamAuthError(f"The {what} of the credentials has a sign that no cookie carries. Enter it again.")
    return Proof(headers={"cookie": f"{method.parameter}={key}"})


def credential_text(template: Template, names: Names, *, what: str, may_be_empty: bool = False) -> str:
    """What the credentials give. The messages name what is wrong and nothing of the value."""
    try:
        value = template.render(names)
    except ExpressionError:
        value = None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not (value or may_be_empty):
        raise UpstreamAuthError(f"The credentials have no {what}. Enter them again.")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise UpstreamAuthError(f"The {what} of the credentials is no valid text. Enter it again.")
    return value


def _header_text(template: Template, names: Names, *, what: str) -> str:
    value = credential_text(template, names, what=what)
    if not is_header_value(value):
        raise UpstreamAuthError(
            f"The {what} of the credentials has a space at an end, a line break or a sign that no header carries. Enter it again."
        )
    return value
