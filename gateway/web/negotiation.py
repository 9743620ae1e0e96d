"""Which media type answers, as GraphQL over HTTP has it."""

from collections.abc import Mapping

__all__ = ["EVENT_STREAM", "GRAPHQL_RESPONSE", "answer_type", "takes_events", "wants_page"]

GRAPHQL_RESPONSE = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
_ANSWERS: Mapping[str, str] = {
    GRAPHQL_RESPONSE: GRAPHQL_RESPONSE,
    "application/json": "application/json",
    "application/*": GRAPHQL_RESPONSE,
    "*/*": "application/json",
    EVENT_STREAM: EVENT_STREAM,
}


def answer_type(accept: str) -> str | None:
    """The media type that the client likes best, None where it accepts none of ours; without a wish it is `application/json`."""
    if not accept.strip():
        return "application/json"
    wishes = [(quality, _ANSWERS[kind]) for kind, quality in _ranges(accept) if kind in _ANSWERS and quality > 0]
    # `max` keeps the first of equals: the order of the header decides.
    return max(wishes, key=lambda wish: wish[0])[1] if wishes else None


def takes_events(accept: str) -> bool:
    """Whether the client names a stream of events among what it takes, however it ranks it."""
    return any(kind == EVENT_STREAM and quality > 0 for kind, quality in _ranges(accept))


def wants_page(accept: str) -> bool:
    """Whether a browser asks for something to show to a person."""
    return any(kind == "text/html" and quality > 0 for kind, quality in _ranges(accept))


def _ranges(accept: str) -> list[tuple[str, float]]:
    return [_range(part) for part in accept.split(",")]


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (text.strip().lower() for text in part.split(";"))
    quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        return kind, float(quality)
    except ValueError:
        return kind, 0.0
