"""One connection's talk with its app: requests are sent, judged, and sent again where that is safe."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial

import httpx

from gateway.clock import Clock
from gateway.connectors.executor.answers import Answer, decoded
from gateway.connectors.executor.auth import Proof, method_of, names_of, proof_of
from gateway.connectors.executor.error_rules import Failure, judged, matching_rule
from gateway.connectors.executor.hosts import Hosts, hosts_of
from gateway.connectors.executor.limits import ExecutorLimits
from gateway.connectors.executor.logins import logged_in
from gateway.connectors.executor.names import Names, with_defaults
from gateway.connectors.executor.requests import Outgoing, outgoing
from gateway.connectors.executor.tokens import Token, Tokens
from gateway.connectors.format.auth import SessionAuth
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.requests import Request
from gateway.connectors.http import AppResponse, Http
from gateway.connectors.protocol import Access
from gateway.connectors.redaction import Redactor
from gateway.connectors.schemas import writable_secrets
from gateway.errors import UpstreamAuthError, UpstreamRateLimitError, UpstreamResponseError, UpstreamUnavailableError
from gateway.models import JsonObject, JsonValue

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_THAT_KEEP_THE_METHOD = frozenset({307, 308})
_RANDOM = random.SystemRandom()


class Caller:
    """Calls the app for one read of one connection: all its requests share the read's deadline."""

    def __init__(
        self,
        file: ConnectorFile,
        http: Http,
        access: Access,
        *,
        clock: Clock,
        limits: ExecutorLimits,
        slots: asyncio.Semaphore,
        tokens: Tokens,
    ) -> None:
        self.file = file
        self.names: Names = {
            "connection": with_defaults(file.connection.parameters_schema, access.parameters),
            "integration": with_defaults(file.integration.parameters_schema, access.integration_parameters),
        }
        self.redactor = Redactor(_secrets(file, access))
        self._access = access
        self._http = http
        self._clock = clock
        self._limits = limits
        self._slots = slots
        self._tokens = tokens
        self._proof: Proof | None = None
        self._token: Token | None = None
        self._is_token_new = False
        self._derived_secrets: set[str] = set()
        self._deadline = clock.monotonic() + limits.deadline_seconds
        self._is_waiting_for_answer = False
        self._may_have_been_received = False

    @cached_property
    def hosts(self) -> Hosts:
        """Where requests may go. Raises UpstreamRejectedError when the connection's parameters give no address."""
        return hosts_of(self.file.http, self.names)

    @property
    def proof(self) -> Proof:
        """What proved who the last request came from; nothing before the first."""
        return self._proof if self._proof is not None else Proof()

    async def ask(
        self,
        request: Request,
        *,
        names: Names,
        query: Mapping[str, JsonValue] | None = None,
        url: httpx.URL | None = None,
        is_known_again: bool = False,
    ) -> Answer:
        """The answer to a request, once it is one of success; `query` is set in its address, `url` stands in for its address.

        One that is known again, by a key that it holds, may be sent again although it changes something.
        Raises the UpstreamError that the connector's rules or the standard table say, and UpstreamAuthError when the
        credentials cannot prove who asks.
        """
        seen = {**self.names, **names}
        ready = outgoing(request, self.file.http, base=self.hosts.base, names=seen, query=query or {}, url=url)
        await self._prove()
        return await self._answered(ready, seen, is_known_again=is_known_again)

    async def _answered(self, ready: Outgoing, seen: Names, *, is_known_again: bool = False) -> Answer:
        retry = self.file.http.retry
        for attempt in range(1, retry.max_attempts + 1):
            outcome = await self._attempt(ready, seen)
            if isinstance(outcome, Failure) and isinstance(outcome.error, UpstreamAuthError) and await self._renewed(ready):
                # Refused before anything was done: whatever was asked can be asked again.
                outcome = await self._attempt(ready, seen)
            if isinstance(outcome, Answer):
                return outcome
            pause = self._pause(outcome, attempt)
            if attempt == retry.max_attempts or not _may_repeat(ready, outcome, is_known_again=is_known_again) or pause is None:
                raise outcome.error
            await self._clock.sleep(pause)
        raise AssertionError("a request is attempted at least once")

    async def _prove(self, *, instead_of: Token | None = None) -> None:
        """Sees to a proof for the next request, by a login where the connection has no token yet."""
        if self._proof is not None and instead_of is None:
            return
        method = method_of(self.file, self._access)
        names = names_of(method, self._access, self.names)
        if isinstance(method, SessionAuth):
            self._is_token_new = False
            self._token = await self._tokens.token(self._access, make=partial(self._login, method, names), instead_of=instead_of)
            self._derived_secrets.add(self._token.text)
            names = {**names, "token": self._token.text}
        self._proof = proof_of(method, names)
        self._derived_secrets.update(self._proof.values)
        self.redactor = Redactor(_secrets(self.file, self._access), derived=self._derived_secrets)

    async def _login(self, method: SessionAuth, names: Names) -> Token:
        token = await logged_in(method.login, names, send=self._ask_unproven, app=self.file.name, now=self._clock.now)
        self._is_token_new = True
        return token

    async def _ask_unproven(self, request: Request, names: Names) -> Answer:
        # Never shared and never repeated blindly, whatever its method: a login gives another token each time.
        ready = outgoing(request, self.file.http, base=self.hosts.base, names=names, query={})
        before = self._may_have_been_received
        try:
            return await self._answered(replace(ready, is_safe=False, is_proven=False), names)
        finally:
            # What the login is for has not been sent yet, whatever became of the login.
            self._is_waiting_for_answer, self._may_have_been_received = False, before

    async def _renewed(self, ready: Outgoing) -> bool:
        """Whether there is another token than the one that was refused; one that was made for this very request is not tried again."""
        if self._token is None or self._is_token_new or not ready.is_proven:
            return False
        await self._prove(instead_of=self._token)
        return True

    async def _attempt(self, ready: Outgoing, names: Names) -> Answer | Failure:
        try:
            answer = await self._followed(ready, names)
        except UpstreamUnavailableError as error:
            self._is_waiting_for_answer = False
            return self._counted(Failure(error))
        outcome = judged(answer, self.file.http, app=self.file.name, names=names, now=self._clock.now(), redactor=self.redactor)
        return self._counted(outcome) if isinstance(outcome, Failure) else outcome

    def _counted(self, failure: Failure) -> Failure:
        """The failure, which knows of the attempts before it: the app may have acted on any of them."""
        error = failure.error
        if isinstance(error, UpstreamUnavailableError):
            self._may_have_been_received = error.may_have_been_received = self._may_have_been_received or error.may_have_been_received
        return failure

    def _pause(self, failure: Failure, attempt: int) -> float | None:
        """How long to wait before the next attempt; null when that is longer than it is worth waiting."""
        retry = self.file.http.retry
        pause = _RANDOM.uniform(0, min(retry.max_seconds, retry.base_seconds * 2 ** (attempt - 1)))
        if failure.wait_seconds is not None:
            # Not all at once when the time has come.
            pause = failure.wait_seconds + min(pause, retry.base_seconds)
        is_worth_waiting = (failure.wait_seconds or 0) <= retry.max_seconds and pause < self._remaining()
        return pause if is_worth_waiting else None

    async def _followed(self, ready: Outgoing, names: Names) -> Answer:
        """The answer to one attempt, redirects followed, unless a rule of the connector reads something else out of them."""
        url = ready.url
        for _ in range(_MAX_REDIRECTS + 1):
            answer = decoded(await self._send(ready, url), url=url, app=self.file.name)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or target is None or matching_rule(answer, self.file.http, names) is not None:
                return answer
            self._require_redirect(ready, answer.status)
            url = self.proof.off(self.hosts.followed(target, source=url, what=f"A redirect of {self.file.name}"))
        raise UpstreamResponseError(f"{self.file.name} redirects more than {_MAX_REDIRECTS} times. Check the address in the connection.")

    def _require_redirect(self, ready: Outgoing, status: int) -> None:
        is_repeated_as_is = ready.method in ("GET", "HEAD") or status in _REDIRECTS_THAT_KEEP_THE_METHOD
        if not (ready.is_safe and is_repeated_as_is):
            raise UpstreamResponseError(f"{self.file.name} redirects a {ready.method} request ({status}); it is not followed.")

    async def _send(self, ready: Outgoing, url: httpx.URL) -> AppResponse:
        proof = self.proof if ready.is_proven else Proof()
        request = httpx.Request(ready.method, proof.on(url), headers={**ready.headers, **proof.headers}, content=ready.content)
        async with self._slots:
            if self._remaining() <= 0:
                raise self.late()
            self._is_waiting_for_answer = True
            response = await self._http.send(
                request,
                max_bytes=min(self.file.http.max_response_bytes or self._limits.max_response_bytes, self._limits.max_response_bytes),
                timeout_seconds=min(self.file.http.timeout_seconds or self._limits.timeout_seconds, self._limits.timeout_seconds),
            )
            self._is_waiting_for_answer = False
            return response

    def late(self) -> UpstreamUnavailableError:
        """The error of a read that did not end within its time."""
        return UpstreamUnavailableError(
            f"{self.file.name} did not answer within {self._limits.deadline_seconds:g} seconds. Try again later.",
            may_have_been_received=self._is_waiting_for_answer or self._may_have_been_received,
        )

    def _remaining(self) -> float:
        return self._deadline - self._clock.monotonic()


def _may_repeat(ready: Outgoing, failure: Failure, *, is_known_again: bool) -> bool:
    """Whether another attempt may help, and can do no harm."""
    error, is_harmless = failure.error, ready.is_safe or is_known_again
    if isinstance(error, UpstreamUnavailableError):
        return is_harmless or not error.may_have_been_received
    return isinstance(error, UpstreamRateLimitError) and is_harmless


def _secrets(file: ConnectorFile, access: Access) -> JsonObject:
    """The credentials, and what else the operator or the customer entered that the file marks as secret."""
    marked = {
        f"{part}.{name}": values[name]
        for part, schema, values in (
            ("connection", file.connection.parameters_schema, access.parameters),
            ("integration", file.integration.parameters_schema, access.integration_parameters),
        )
        for name in writable_secrets(schema) & set(values)
    }
    return {**marked, "credentials": access.credentials}
