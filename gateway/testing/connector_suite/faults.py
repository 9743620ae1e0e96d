"""What goes wrong in apps, and what a connector makes of it."""

from collections.abc import Mapping

from gateway.errors import (
    UpstreamAuthError,
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamResponseError,
    UpstreamUnavailableError,
)
from gateway.testing.answers import Answer, Drop, Scripted
from gateway.testing.scripted_app import Handler, ReceivedRequest

_HTML = Answer(headers={"Content-Type": "text/html"}, body="<html>Sign in</html>")
FAULTS: Mapping[str, tuple[Scripted, type[UpstreamError]]] = {
    "401": (Answer(status=401, json={}), UpstreamAuthError),
    "403": (Answer(status=403, json={}), UpstreamRejectedError),
    "404": (Answer(status=404, json={}), UpstreamRejectedError),
    "422": (Answer(status=422, json={}), UpstreamRejectedError),
    "429": (Answer(status=429, headers={"Retry-After": "3600"}, json={}), UpstreamRateLimitError),
    "500": (Answer(status=500, json={}), UpstreamUnavailableError),
    "503": (Answer(status=503, body="Try again later."), UpstreamUnavailableError),
    "a page for people": (_HTML, UpstreamResponseError),
    "half of an answer": (Answer(body='{"half": ', content_length=400), UpstreamUnavailableError),
    "no answer": (Drop(resets=True), UpstreamUnavailableError),
}
"""What may go wrong in an app, by name: what it answers, and what a list of records then ends with."""


def answering(scripted: Scripted) -> Handler:
    """Answers every request with the same."""
    return lambda request: scripted


def echo(status: int) -> Handler:
    """Refuses every request, with all that was in it."""

    def answer(request: ReceivedRequest) -> Scripted:
        told = f"{request.target} {dict(request.headers)} {request.body.decode('utf-8', 'replace')}"
        return Answer(status=status, json={"message": told, "error": {"message": told}, "errors": [told]})

    return answer
