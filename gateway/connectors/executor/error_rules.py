"""What an answer means: the connector's rules in their order, then the standard table."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard

from gateway.connectors.executor.answers import Answer
from gateway.connectors.executor.names import Names
from gateway.connectors.executor.rate_limit import LIMIT_HEADERS, RETRY_AFTER, parse_wait, told_wait
from gateway.connectors.format.requests import ErrorAction, ErrorRule, Http, When
from gateway.connectors.redaction import Redactor
from gateway.errors import (
    UpstreamAuthError,
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamResponseError,
    UpstreamUnavailableError,
)
from gateway.expressions import ExpressionError, Template
from gateway.models import JsonValue

STANDARD_ACTIONS: dict[int, ErrorAction] = {
    401: ErrorAction.REAUTH,
    404: ErrorAction.NOT_FOUND,
    408: ErrorAction.RETRY,
    410: ErrorAction.NOT_FOUND,
    412: ErrorAction.CONFLICT,
    425: ErrorAction.RETRY,
    429: ErrorAction.RATE_LIMITED,
}
"""What a status means. Other 4xx, 403 among them, are REJECTED, 5xx RETRY, and what is neither these nor 2xx FAIL."""

_GRAPHQL_MESSAGE = Template.compile("${body.errors[0].message}")
_DEFAULT_RATE_LIMIT_SECONDS = 60.0
_MAX_TEXT_CHARACTERS = 300
_MAX_TEXT_READ = 10_000
# A longer text is no message for people; and a cut before secrets are taken out could leave the half of one.
_MARKUP = re.compile(r"<[A-Za-z!/?]")
_MAX_FIELD_ERRORS = 50


@dataclass(frozen=True)
class Failure:
    """An answer, or the lack of one, that is no success."""

    error: UpstreamError
    wait_seconds: float | None = None
    """How long the app asks to wait before the next try; null when it does not say."""


def judged(
    answer: Answer,
    http: Http,
    *,
    app: str,
    names: Names,
    now: Callable[[], datetime],
    redactor: Callable[[], Redactor],
    is_graphql: bool = False,
) -> Answer | Failure:
    """The answer as it may be used, or what is wrong with it. Of one of success that nobody has read yet its reader tells."""
    rule = matching_rule(answer, http, names)
    action = rule.action if rule is not None else standard_action(answer.status)
    if action is None and is_graphql and answer.fault is None:
        # Data that stands beside errors is not used: a list would lack records, and nobody would know.
        action = _graphql_action(answer.body)
    if action is None:
        return answer if answer.content.is_unread or answer.fault is None else Failure(UpstreamResponseError(answer.fault))
    if action is ErrorAction.EMPTY:
        return answer.emptied()
    wait = _wait(rule, action, answer, now=now())
    seen, hiding = {**names, **answer.names}, redactor()
    templates = (rule.message if rule is not None else None, http.error_message, _GRAPHQL_MESSAGE if is_graphql else None)
    text = _text(templates, seen, hiding)
    error = _error(action, answer.status, app=app, text=text, wait=wait)
    if isinstance(error, UpstreamRejectedError):
        error.fields = _field_errors(http.field_errors, seen, hiding)
    return Failure(error, wait)


def matching_rule(answer: Answer, http: Http, names: Names) -> ErrorRule | None:
    """The first of the connector's rules that fits the answer."""
    for rule in http.errors:
        if _fits(rule.when, answer, names):
            return rule
    return None


def standard_action(status: int) -> ErrorAction | None:
    """What a status means by itself; null for success."""
    if 200 <= status < 300:
        return None
    if status in STANDARD_ACTIONS:
        return STANDARD_ACTIONS[status]
    if 400 <= status < 500:
        return ErrorAction.REJECTED
    return ErrorAction.RETRY if 500 <= status < 600 else ErrorAction.FAIL


def _graphql_action(body: JsonValue) -> ErrorAction | None:
    """What a GraphQL answer means by itself (GraphQL specification, 7.1); null for success."""
    if not isinstance(body, dict):
        return ErrorAction.FAIL
    if body.get("errors"):
        return ErrorAction.REJECTED
    return None if "data" in body else ErrorAction.FAIL


def _fits(when: When, answer: Answer, names: Names) -> bool:
    if when.status and answer.status not in when.status:
        return False
    if when.header_present is not None and when.header_present.lower() not in answer.headers:
        return False
    if any(answer.headers.get(name.lower()) != value for name, value in when.header.items()):
        return False
    try:
        return when.body is None or when.body.holds({**names, **answer.names})
    except ExpressionError:
        # A rule speaks of the answers that it knows; one of another shape is not meant.
        return False


def _wait(rule: ErrorRule | None, action: ErrorAction, answer: Answer, *, now: datetime) -> float | None:
    if rule is not None and rule.wait is not None:
        told = parse_wait(answer.headers.get(rule.wait.header.lower()), now=now) if rule.wait.header is not None else None
        if told is not None or rule.wait.seconds is not None:
            return told if told is not None else rule.wait.seconds
    # Many apps say in every answer when their limits start anew: that is no wish where something else is wrong.
    names = LIMIT_HEADERS if action is ErrorAction.RATE_LIMITED else ()
    return told_wait(answer.headers, names=(RETRY_AFTER, *names), now=now)


def _error(action: ErrorAction, status: int, *, app: str, text: str, wait: float | None) -> UpstreamError:
    match action:
        case ErrorAction.REAUTH:
            return UpstreamAuthError(f"{app} does not accept the credentials ({status}){text}. Connect again with valid ones.")
        case ErrorAction.RATE_LIMITED:
            seconds = wait if wait is not None else _DEFAULT_RATE_LIMIT_SECONDS
            return UpstreamRateLimitError(
                f"{app} asks to slow down ({status}){text}. Try again in {seconds:.0f} seconds.", retry_after_seconds=seconds
            )
        case ErrorAction.RETRY:
            return UpstreamUnavailableError(
                f"{app} failed ({status}){text}. Try again later.", may_have_been_received=True, retry_after_seconds=wait
            )
        case ErrorAction.NOT_FOUND:
            # The one status for it, also where a rule reads it out of another answer.
            return UpstreamRejectedError(f"{app} says that there is no such thing ({status}){text}.", status=410 if status == 410 else 404)
        case ErrorAction.GONE:
            return UpstreamRejectedError(f"{app} says that this is no longer there ({status}){text}.", status=410)
        case ErrorAction.CONFLICT:
            return UpstreamRejectedError(f"{app} says that this conflicts with what it has ({status}){text}.", status=412)
        case ErrorAction.REJECTED:
            return UpstreamRejectedError(f"{app} refused the request ({status}){text}.", status=status)
        case _:
            return UpstreamResponseError(f"{app} gave an answer that its connector does not expect ({status}){text}.")


def _text(templates: Sequence[Template | None], names: Names, redactor: Redactor) -> str:
    """The first text that the templates give, to be put behind a message; empty when there is none fit to be shown."""
    for template in templates:
        try:
            value = template.render(names) if template is not None else None
        except ExpressionError:
            value = None
        if _is_for_people(value):
            return f": {_shown(value, redactor)}"
    return ""


def _field_errors(template: Template | None, names: Names, redactor: Redactor) -> dict[str, str]:
    """What the app says of single fields, the first that it says of each."""
    try:
        told = template.render(names) if template is not None else None
    except ExpressionError:
        told = None
    errors: dict[str, str] = {}
    for item in told[:_MAX_FIELD_ERRORS] if isinstance(told, list) else ():
        name, text = (item.get("field"), item.get("message")) if isinstance(item, dict) else (None, None)
        if _is_for_people(name) and _is_for_people(text):
            errors.setdefault(_shown(name, redactor), _shown(text, redactor))
    return errors


def _is_for_people(value: JsonValue) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= _MAX_TEXT_READ and not _MARKUP.search(value)


def _shown(text: str, redactor: Redactor) -> str:
    """The text without secrets, on one line, shortened last: the first half of a secret is a secret too."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in redactor.redact(text)).split())
    clean = redactor.redact(line).rstrip(".")
    return clean if len(clean) <= _MAX_TEXT_CHARACTERS else clean[: _MAX_TEXT_CHARACTERS - 3] + "..."
