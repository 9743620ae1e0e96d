"""Tells an app where to send what changes, that it shall go on, and that it shall stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from gateway.connectors.executor.answers import Answer
from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.finding import NOT_FOUND
from gateway.connectors.executor.names import Names, told
from gateway.connectors.format.webhooks import Registration, WebhookLife, WebhookPart
from gateway.connectors.redaction import Redactor
from gateway.errors import GatewayError, UnsupportedError, UpstreamRejectedError, UpstreamResponseError
from gateway.expressions import times
from gateway.models import JsonObject, JsonValue, WebhookRegistration, WebhookTarget

_LONGEST_SECONDS = 10 * 366 * 86_400
_FIRST_MILLISECONDS = 100_000_000_000
"""From here on a number since 1970 counts milliseconds: as seconds it would lie three thousand years ahead."""


async def register(caller: Caller, webhook: WebhookPart, *, names: Names, now: datetime) -> WebhookRegistration:
    """What the app said. Raises UnsupportedError where the app is told by hand."""
    if webhook.register_ is None:
        raise UnsupportedError("The app cannot be told where to send: somebody has to enter the address there.")
    return await _asked(caller, webhook.register_, names=names, now=now)


async def renew(caller: Caller, webhook: WebhookPart, *, names: Names, state: JsonObject, now: datetime) -> WebhookRegistration:
    """What the app said to going on. One that has forgotten the webhook is told anew."""
    if webhook.renew is None:
        return await register(caller, webhook, names=names, now=now)
    try:
        renewed = await _asked(caller, webhook.renew, names={**names, "state": state}, now=now)
    except UpstreamRejectedError as error:
        if error.status not in NOT_FOUND:
            raise
        return await register(caller, webhook, names=names, now=now)
    return WebhookRegistration(state={**state, **renewed.state}, expires_at=renewed.expires_at)


async def remove(caller: Caller, webhook: WebhookPart, *, names: Names, state: JsonObject) -> None:
    """Returns when the app no longer sends, or cannot be told."""
    if webhook.remove is None:
        return
    try:
        await caller.ask(webhook.remove.request, names={**names, "state": state})
    except UpstreamRejectedError as error:
        if error.status not in NOT_FOUND:
            raise


@contextmanager
def hiding(target: WebhookTarget) -> Iterator[None]:
    """Takes the address and the secret out of the errors of its block: apps quote what they were told."""
    token = target.url.partition("?")[0].rpartition("/")[2]
    try:
        yield
    except GatewayError as error:
        Redactor({"url": target.url, "token": token, "secret": target.secret}).clean(error)
        raise


async def _asked(caller: Caller, life: WebhookLife, *, names: Names, now: datetime) -> WebhookRegistration:
    answer = await caller.ask(life.request, names=names)
    seen = {**caller.names, **names, **answer.names}
    return WebhookRegistration(
        state={name: told(value, seen, what=f"What is kept of the webhook as {name!r}") for name, value in life.state.items()},
        expires_at=_end(life, seen, now=now),
        secret=_secret(life, answer, seen) if isinstance(life, Registration) else None,
    )


def _secret(registration: Registration, answer: Answer, seen: Names) -> str | None:
    if registration.secret is None or answer.is_empty:
        return None
    secret = told(registration.secret, seen, what="The secret of the webhook")
    if not isinstance(secret, str) or not secret:
        raise UpstreamResponseError("The app's answer holds no secret, by which its webhooks could be known.")
    return secret


def _end(life: WebhookLife, seen: Names, *, now: datetime) -> datetime | None:
    if life.expires_in is not None:
        seconds = _number(told(life.expires_in, seen, what="When the webhook ends"))
        return now + timedelta(seconds=min(seconds, _LONGEST_SECONDS)) if seconds is not None else None
    if life.expires_at is None:
        return None
    value = told(life.expires_at, seen, what="When the webhook ends")
    number = _number(value)
    if number is None:
        return times.parse(value) if isinstance(value, str) else None
    return times.from_epoch(number / 1000 if number >= _FIRST_MILLISECONDS else number)


def _number(value: JsonValue) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    # NaN is neither.
    return number if number is not None and 0 <= number < float("inf") else None
