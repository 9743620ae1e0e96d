"""Rules for the ways to prove who requests come from."""

from collections.abc import Iterator

from gateway.connectors.format.auth import ApiKeyAuth, Auth, HttpBasicAuth, HttpBearerAuth, JwtAuth, NoAuth, SessionAuth
from gateway.connectors.format.exchanges import is_header_name, request_problems
from gateway.connectors.format.schema_rules import schema_problems
from gateway.connectors.format.scopes import ANSWER, Scope, all_misuses, keys_of, misuses
from gateway.connectors.schemas import writable_secrets
from gateway.documents import Place, Problem
from gateway.expressions import Template


def auth_problems(place: Place, method: Auth, shared: Scope) -> Iterator[Problem]:
    """What is wrong with an auth method; `shared` are the names that it knows beside its credentials."""
    yield from schema_problems((*place, "credentials"), method.credentials)
    if isinstance(method, NoAuth):
        if method.credentials.get("properties"):
            yield (*place, "credentials"), "a method of type none sends no credentials; take them out"
        return
    if (
        isinstance(method, ApiKeyAuth | SessionAuth | JwtAuth)
        and method.location in ("header", "cookie")
        and not is_header_name(method.parameter)
    ):
        yield (*place, "parameter"), f"{method.parameter!r} is not the name of a {method.location}"
    scope: Scope = {**shared, "credentials": keys_of(method.credentials)}
    if isinstance(method, SessionAuth):
        yield from _login_problems((*place, "login"), method, scope)
    if isinstance(method, JwtAuth):
        yield from _signing_problems(place, method, scope)
    if isinstance(method, SessionAuth | JwtAuth):
        scope = {**scope, "token": frozenset()}
        if "token" not in method.value.names:
            yield (*place, "value"), "the value must hold ${token}, or the token is for nothing"
    for key, value in _sent(method).items():
        yield from misuses((*place, key), value, scope)
    yield from _secrecy_problems(place, method)


def _login_problems(place: Place, method: SessionAuth, scope: Scope) -> Iterator[Problem]:
    login = method.login
    yield from request_problems((*place, "request"), login.request, scope)
    for key in ("token", "expires_at", "expires_in"):
        yield from misuses((*place, key), getattr(login, key), {**scope, **ANSWER})
    if not login.token.names & ANSWER.keys():
        yield (*place, "token"), "the token must be read from the login's answer"
    if login.expires_at is not None and login.expires_in is not None:
        yield (*place, "expires_in"), "the token's end is told twice; keep `expires_at` or `expires_in`"


def _signing_problems(place: Place, method: JwtAuth, scope: Scope) -> Iterator[Problem]:
    yield from misuses((*place, "key"), method.key, scope)
    for key, values, ours in (("headers", method.headers, ("alg", "typ")), ("claims", method.claims, ("iat", "exp"))):
        yield from all_misuses((*place, key), values, scope)
        for name in ours:
            if name in values:
                yield (*place, key, name), f"the gateway sets {name!r} itself; take it out"
    if method.key.is_constant:
        yield (*place, "key"), "the key belongs to the credentials; a file is no place for a secret"
    if method.key_encoding != "text" and method.algorithm != "HS256":
        yield (*place, "key_encoding"), f"the key of {method.algorithm} is written in PEM; take this out"


def _secrecy_problems(place: Place, method: Auth) -> Iterator[Problem]:
    sent = {path[1] for value in _all_sent(method) for path in value.paths if path[0] == "credentials" and len(path) > 1}
    if sent and not sent & writable_secrets(method.credentials):
        yield (*place, "credentials"), f"none of {', '.join(sorted(sent))} is secret; mark the one that is with `writeOnly: true`"


def _sent(method: Auth) -> dict[str, Template]:
    """What a method adds to requests, by its key."""
    match method:
        case HttpBearerAuth():
            return {"token": method.token}
        case HttpBasicAuth():
            return {"username": method.username, "password": method.password}
        case NoAuth():
            return {}
        case _:
            return {"value": method.value}


def _all_sent(method: Auth) -> Iterator[Template]:
    yield from _sent(method).values()
    if isinstance(method, JwtAuth):
        yield method.key
    if isinstance(method, SessionAuth):
        request = method.login.request
        yield from (request.path, *request.query.values(), *request.headers.values())
        yield from (body for body in (request.body, request.text) if body is not None)
        yield from (request.form or {}).values()
        yield from request.graphql.variables.values() if request.graphql is not None else ()
