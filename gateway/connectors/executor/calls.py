"""One connection's talk with its app: requests are sent, judged, and sent again where that is safe."""

import random
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

from gateway.clock import Deadline
from gateway.connectors.executor.answers import Answer, decoded
from gateway.connectors.executor.auth import NO_PROOF, Proof
from gateway.connectors.executor.error_rules import Failure, judged, matching_rule
from gateway.connectors.executor.flights import Progress
from gateway.connectors.executor.hosts import Hosts
from gateway.connectors.executor.hosts_health import HostHealth
from gateway.connectors.executor.known_connections import KnownConnection
from gateway.connectors.executor.names import Names
from gateway.connectors.executor.read_keys import key_of_read
from gateway.connectors.executor.reads import Outcome, error_for_one
from gateway.connectors.executor.requests import NOTHING_ADDED, Added, Outgoing, outgoing
from gateway.connectors.executor.sending import FIRST_FAILURE
from gateway.connectors.executor.validators import may_be_confirmed
from gateway.connectors.format.requests import Request
from gateway.connectors.http import AppRequest, PageShape, WebAddress
from gateway.connectors.protocol import Access
from gateway.connectors.redaction import Redactor
from gateway.errors import (
    UpstreamAuthError,
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamResponseError,
    UpstreamUnavailableError,
    UserError,
)

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_THAT_KEEP_THE_METHOD = frozenset({307, 308})
_NOT_MODIFIED = 304
_RANDOM = random.SystemRandom()


class Caller:
    """Calls the app for one read of one connection, which is a `with` block: all its requests share the block's deadline.

    The block ends with UpstreamUnavailableError at the deadline, and no error leaves it with a secret in it.
    """

    def __init__(self, known: KnownConnection, access: Access) -> None:
        self.file = known.file
        self.names = known.names
        self.unread = known.unread
        self._known = known
        self._access = access
        self._identity = known.identity()
        self._sender = known.sender
        self._clock = known.clock
        self._reads = known.reads
        self._deadline = known.clock.monotonic() + known.sender.deadline_seconds
        self._scope = Deadline(known.sender.deadline_seconds)
        self._progress: Progress | None = None
        self._redactor: tuple[frozenset[str], Redactor] | None = None

    def __enter__(self) -> Self:
        self._scope.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._scope.__exit__(kind, error, trace)
        except TimeoutError:
            raise self._sender.late(self._progress or Progress(self._deadline)) from None
        if error is not None and isinstance(error, UpstreamError | UserError):
            self.redactor.clean(error)

    @property
    def hosts(self) -> Hosts:
        """Where requests may go. Raises UpstreamRejectedError when the connection's parameters give no address."""
        return self._known.hosts

    @property
    def redactor(self) -> Redactor:
        """Knows the secrets of the connection."""
        # Made where it is needed, and not kept longer than the read: what it looks for takes more memory than the connection.
        secrets = self._identity.derived_secrets
        if self._redactor is None or self._redactor[0] is not secrets:
            self._redactor = secrets, self._identity.redactor()
        return self._redactor[1]

    @property
    def proof(self) -> Proof:
        """What proved who the last request came from; nothing before the first."""
        return self._identity.proof

    async def ask(
        self,
        request: Request,
        *,
        names: Names,
        added: Added = NOTHING_ADDED,
        url: WebAddress | None = None,
        is_known_again: bool = False,
        shape: PageShape | None = None,
    ) -> Answer:
        """The answer to a request, once it is one of success; `added` stands beside what it says, `url` stands in for its address.

        Of the answer to one that changes nothing perhaps no more is read than a page of the `shape`. One that is known again, by a key
        that it holds, may be sent again although it changes something.
        Raises the UpstreamError that the connector's rules or the standard table say, and UpstreamAuthError when the
        credentials cannot prove who asks.
        """
        seen = {**self.names, **names}
        identity = self._identity
        if not identity.is_proven:
            self._wait_with(Progress(self._deadline))
            await identity.prove(self._ask_unproven)
        base = self._known.hosts.base
        ready = outgoing(request, self.file.http, base=base, names=seen, added=added, members=identity.proof.body, url=url)
        if ready.is_safe:
            return await self._read(ready, seen, shape)
        return await self._written(ready, seen, is_known_again=is_known_again)

    async def _read(self, ready: Outgoing, seen: Names, shape: PageShape | None) -> Answer:
        """The answer to a request that changes nothing, shared with whoever asks the same."""
        key = key_of_read(self._known.reader, ready, self.file.http, seen)
        is_confirmed = self.file.http.conditional == "auto" and may_be_confirmed(ready.method, ready.headers)
        outcome = await self._reads.outcome(
            key,
            self._access,
            deadline=self._deadline,
            work=lambda progress: self._outcome(_Call(ready, seen, progress, confirmed_as=key if is_confirmed else None, shape=shape)),
            waits=self._wait_with,
        )
        if isinstance(outcome, Answer):
            return outcome
        raise error_for_one(outcome)

    async def _written(self, ready: Outgoing, seen: Names, *, is_known_again: bool) -> Answer:
        """The answer to a request that may change something, which nobody shares, and after which everything is read anew."""
        self._access.operation.spend()
        progress = Progress(self._deadline)
        self._wait_with(progress)
        try:
            outcome = await self._outcome(_Call(ready, seen, progress, is_known_again=is_known_again))
        finally:
            self._reads.wrote(self._access)
        if isinstance(outcome, Answer):
            return outcome
        if not progress.may_have_been_received or getattr(outcome, "may_have_been_received", False):
            raise outcome
        # It says nothing of the attempt before; perhaps this one was refused because that one succeeded.
        raise UpstreamUnavailableError(outcome.message, may_have_been_received=True) from outcome

    async def _ask_unproven(self, request: Request, names: Names) -> Answer:
        # Never shared and never repeated blindly, whatever its method: a login gives another token each time. Who waits for what
        # the login is for is not told of its progress either: that has not been sent yet, whatever becomes of the login.
        ready = outgoing(request, self.file.http, base=self.hosts.base, names=names)
        outcome = await self._outcome(_Call(replace(ready, is_safe=False, is_proven=False), names, Progress(self._deadline)))
        if isinstance(outcome, Answer):
            return outcome
        raise outcome

    def _wait_with(self, progress: Progress) -> None:
        self._progress = progress

    async def _outcome(self, call: "_Call") -> Outcome:
        """What comes of a request with all its attempts; an error without secrets, which nobody has raised yet."""
        retry = self.file.http.retry
        health = self._sender.health(call.ready.url)
        health.retries.earn()
        try:
            for attempt in range(1, retry.max_attempts + 1):
                outcome = await self._attempt(call, health)
                if isinstance(outcome, Failure) and await self._is_proven_anew(call, outcome):
                    # Refused before anything was done: whatever was asked can be asked again.
                    outcome = await self._attempt(call, health)
                if isinstance(outcome, Answer):
                    return outcome
                is_possible = attempt < retry.max_attempts and _may_repeat(call, outcome)
                pause = self._pause(outcome, attempt, call.progress) if is_possible else None
                if pause is None or not health.may_retry():
                    raise outcome.error
                await self._clock.sleep(pause)
        except UpstreamError as error:
            self.redactor.clean(error)
            return error.with_traceback(None)
        raise AssertionError("a request is attempted at least once")

    async def _is_proven_anew(self, call: "_Call", failure: Failure) -> bool:
        """Whether it was the proof that was refused, and there is another now."""
        is_refused = isinstance(failure.error, UpstreamAuthError) and call.ready.is_proven
        return is_refused and await self._identity.renewed(self._ask_unproven)

    async def _attempt(self, call: "_Call", health: HostHealth) -> Answer | Failure:
        try:
            answer, health = await self._followed(call, health)
        except UpstreamUnavailableError as error:
            call.progress.is_waiting_for_answer = False
            return call.counted(Failure(error))
        outcome = judged(
            answer,
            self.file.http,
            app=self.file.name,
            names=call.names,
            now=self._clock.now,
            redactor=lambda: self.redactor,
            is_graphql=call.ready.is_graphql,
        )
        if answer.status >= FIRST_FAILURE:
            # Of all others it was noted at once that they are none.
            if isinstance(outcome, Failure) and isinstance(outcome.error, UpstreamUnavailableError):
                health.breaker.failed(self._clock.monotonic())
            else:
                health.breaker.succeeded()
        if call.confirmed_as is not None:
            self._keep(call.confirmed_as, answer, outcome)
        return call.counted(outcome) if isinstance(outcome, Failure) else outcome

    def _keep(self, key: bytes, answer: Answer, outcome: Answer | Failure) -> None:
        """Keeps the answer for the app to confirm the next time. A passing failure says nothing of the one that is kept."""
        if isinstance(outcome, Answer):
            self._reads.validators.note(key, answer)
        elif not outcome.error.is_retriable:
            self._reads.validators.drop(key)

    def _pause(self, failure: Failure, attempt: int, progress: Progress) -> float | None:
        """How long to wait before the next attempt; null when that is longer than it is worth waiting."""
        retry = self.file.http.retry
        pause = _RANDOM.uniform(0, min(retry.max_seconds, retry.base_seconds * 2 ** (attempt - 1)))
        if failure.wait_seconds is not None:
            # Not all at once when the time has come.
            pause = failure.wait_seconds + min(pause, retry.base_seconds)
        is_worth_waiting = (failure.wait_seconds or 0) <= retry.max_seconds and pause < self._sender.remaining(progress)
        return pause if is_worth_waiting else None

    async def _followed(self, call: "_Call", health: HostHealth) -> tuple[Answer, HostHealth]:
        """The answer to one attempt and how the host does that gave it: the first host, or the one that redirects lead to.

        A redirect is followed unless a rule of the connector reads something else out of it.
        """
        url = call.ready.url
        kept = self._reads.validators.confirmable(call.confirmed_as) if call.confirmed_as is not None else None
        for _ in range(_MAX_REDIRECTS + 1):
            # Only the address that gave the answer can confirm it: another may give the same tag to something else.
            condition = kept.headers if kept is not None and kept.answer.url == url else {}
            make = partial(self._request, call.ready, url, condition)
            send = self._sender.send_behind if self._access.is_background else self._sender.send
            answer = decoded(await send(make, health, progress=call.progress), url=url, app=self.file.name, shape=call.shape)
            if kept is not None and condition and answer.status == _NOT_MODIFIED:
                confirmed, kept = kept.renewed(answer), None
                if confirmed is None:
                    continue
                answer = confirmed
            target = answer.headers.get("location") if answer.status in _REDIRECTS else None
            if target is None or matching_rule(answer, self.file.http, call.names) is not None:
                return answer, health
            self._require_redirect(call.ready, answer.status)
            url = self.proof.off(self.hosts.followed(target, source=url, what=f"A redirect of {self.file.name}"))
            health = self._sender.health(url)
        raise UpstreamResponseError(f"{self.file.name} redirects more than {_MAX_REDIRECTS} times. Check the address in the connection.")

    def _require_redirect(self, ready: Outgoing, status: int) -> None:
        is_repeated_as_is = ready.method in ("GET", "HEAD") or status in _REDIRECTS_THAT_KEEP_THE_METHOD
        if not (ready.is_safe and is_repeated_as_is):
            raise UpstreamResponseError(f"{self.file.name} redirects a {ready.method} request ({status}); it is not followed.")

    def _request(self, ready: Outgoing, url: WebAddress, condition: Mapping[str, str]) -> AppRequest:
        # Made last: while it waited for its turn, another request may have brought a new proof.
        proof = self._identity.proof if ready.is_proven else NO_PROOF
        return AppRequest(ready.method, proof.on(url), headers={**ready.headers, **condition, **proof.headers}, content=ready.content)


class _Call(NamedTuple):
    """One request with all its attempts."""

    ready: Outgoing
    names: Names
    progress: Progress
    is_known_again: bool = False
    """Whether the app knows a repetition, and does nothing twice."""
    confirmed_as: bytes | None = None
    """The key of the answer that the app may confirm; null where it is not asked to."""
    shape: PageShape | None = None
    """What is to be read of the answer, if it is a page; null where all of it is."""

    def counted(self, failure: Failure) -> Failure:
        """The failure, which knows of the attempts before it: the app may have acted on any of them."""
        error, progress = failure.error, self.progress
        if isinstance(error, UpstreamUnavailableError):
            progress.may_have_been_received = error.may_have_been_received = progress.may_have_been_received or error.may_have_been_received
        return failure


def _may_repeat(call: _Call, failure: Failure) -> bool:
    """Whether another attempt may help, and can do no harm."""
    error, is_harmless = failure.error, call.ready.is_safe or call.is_known_again
    if isinstance(error, UpstreamUnavailableError):
        return is_harmless or not error.may_have_been_received
    return isinstance(error, UpstreamRateLimitError) and is_harmless
