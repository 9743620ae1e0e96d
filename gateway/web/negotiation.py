"""Which media type answers, as GraphQL over HTTP has it."""

from collections.abc import Mapping
from functools import lru_cache

__all__ = ["EVENT_STREAM", "GRAPHQL_RESPONSE", "JSON", "MOST_CHARACTERS", "answer_type", "takes_events", "wants_page"]

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
_PAGE = "text/html"
_ANSWERS: Mapping[str, tuple[str, ...]] = {
    GRAPHQL_RESPONSE: (GRAPHQL_RESPONSE,),
    JSON: (JSON,),
    "application/*": (GRAPHQL_RESPONSE, JSON),
    "*/*": (JSON, GRAPHQL_RESPONSE),
    EVENT_STREAM: (EVENT_STREAM,),
}
"""What may answer each range, the first where the client does not refuse it elsewhere."""
MOST_CHARACTERS = 1000
"""Of an `Accept` that are read. Browsers send some 150; and what was read is kept for the next who sends the same."""
_PAGES: Mapping[str, tuple[str, ...]] = {**_ANSWERS, _PAGE: (_PAGE,)}


@lru_cache(maxsize=256)
def answer_type(accept: str) -> str | None:
    """The media type that the client likes best, None where it accepts none of ours; without a wish it is `application/json`."""
    return _best(accept, _ANSWERS) if accept.strip() else JSON


@lru_cache(maxsize=256)
def takes_events(accept: str) -> bool:
    """Whether the client names a stream of events among what it takes, however it ranks it."""
    return any(kind == EVENT_STREAM and quality > 0 for kind, quality in _ranges(accept))


@lru_cache(maxsize=256)
def wants_page(accept: str) -> bool:
    """Whether somebody asks for something to show to a person rather than for data, as browsers do."""
    return _best(accept, _PAGES) == _PAGE


def _best(accept: str, answers: Mapping[str, tuple[str, ...]]) -> str | None:
    ranges = _ranges(accept)
    refused = {kind for kind, quality in ranges if quality <= 0}
    wishes = [
        (quality, answer)
        for kind, quality in ranges
        if quality > 0 and (answer := next((each for each in answers.get(kind, ()) if each not in refused), None)) is not None
    ]
    # `max` keeps the first of equals: the order of the header decides.
    return max(wishes, key=lambda wish: wish[0])[1] if wishes else None


def _ranges(accept: str) -> tuple[tuple[str, float], ...]:
    return tuple(_range(part) for part in accept.split(","))


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (text.strip().lower() for text in part.split(";"))
    quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        weight = float(quality)
    except ValueError:
        return kind, 0.0
    return kind, weight if 0 <= weight <= 1 else 0.0
