"""Logins: the credentials become a token."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from gateway.connectors.executor.answers import Answer
from gateway.connectors.executor.names import Names, told
from gateway.connectors.executor.tokens import Token
from gateway.connectors.format.auth import Login
from gateway.connectors.format.requests import Request
from gateway.errors import UpstreamAuthError, UpstreamRejectedError, UpstreamResponseError, UpstreamUnavailableError
from gateway.expressions import Template, times
from gateway.models import JsonValue

_MOST_SECONDS = 100 * 366 * 24 * 3600
_FIRST_EPOCH_MILLISECONDS = 1e11
# Seconds since 1970 reach it in the year 5138.

Send = Callable[[Request, Names], Awaitable[Answer]]


async def logged_in(login: Login, names: Names, *, send: Send, app: str, now: Callable[[], datetime]) -> Token:
    """The token that the app gives for the credentials among the names.

    Raises UpstreamAuthError when the app refuses them, UpstreamResponseError when its answer holds no token, and
    UpstreamUnavailableError; of the latter two nothing was received: what the login was for has not been sent.
    """
    asked_at = now()
    try:
        answer = await send(login.request, names)
        seen = {**names, **answer.names}
        text = _text(told(login.token, seen, what="The token of the login"))
        if text is None:
            raise UpstreamResponseError(f"{app} answered it without a token.")
        return Token.lasting(text, until=_end(login, seen, asked_at), now=asked_at)
    except UpstreamRejectedError as error:
        # An app may answer a wrong password with nearly any of these: 400, 403, 404, 422.
        raise UpstreamAuthError(f"The login failed. {error.message} Connect again with valid credentials.") from error
    except UpstreamUnavailableError as error:
        raise UpstreamUnavailableError(
            f"The login failed. {error.message}", may_have_been_received=False, retry_after_seconds=error.retry_after_seconds
        ) from error
    except UpstreamResponseError as error:
        raise UpstreamResponseError(f"The login failed. {error.message}", may_have_been_received=False) from error


def _end(login: Login, names: Names, asked_at: datetime) -> datetime | None:
    if login.expires_in is not None:
        seconds = _number(told(login.expires_in, names, what="How long the token lasts"))
        # The time is counted from before the login was sent: the app counted from after it came.
        return None if seconds is None or not 0 <= seconds <= _MOST_SECONDS else times.shifted(asked_at, seconds)
    return _time(login.expires_at, names) if login.expires_at is not None else None


def _time(template: Template, names: Names) -> datetime | None:
    value = told(template, names, what="When the token ends")
    number = _number(value)
    if number is None:
        return times.parse(value) if isinstance(value, str) else None
    return times.from_epoch(number / 1000 if number >= _FIRST_EPOCH_MILLISECONDS else number)


def _number(value: JsonValue) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None


def _text(value: JsonValue) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None
