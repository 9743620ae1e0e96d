"""What stands in the page token of a list that is made of many lists: one frame for each level of the way to the page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.errors import CursorExpiredError, UpstreamResponseError
from gateway.models import JsonObject, JsonValue

MAX_DEPTH = 20
"""How deeply drilldowns may nest."""
MAX_STEPS = 100_000
"""How many pages of any level one list may take: what is found on many ways could otherwise be read for ever."""

_VERSION = 1
_MAX_INDEX = 1_000_000
_MAX_PRINT_CHARACTERS = 64


@dataclass(frozen=True)
class Frame:
    """One level: a page of it, and the branch of that page which is under way."""

    page: JsonValue = None
    """The token of the page; null for the first."""
    index: int | None = None
    """Where the branch stands on the page; null while the page itself is to be read."""
    print: str | None = None
    """What tells the branch from others, as its place changes when the app's items do; null for whichever stands there."""
    is_done: bool = False
    """Whether the branch has ended."""
    parameters: JsonObject | None = None
    """Of a list that a drilldown leads to: its parameters."""

    def position(self, prints: Sequence[str]) -> int:
        """Where to go on among the branches that the page has now; beyond the last one when it has no more."""
        if self.index is None:
            return 0
        found = self.found(prints)
        if found is None:
            # The branch is gone, or was never looked for: what stands in its place comes next.
            return self.index
        return found + 1 if self.is_done else found

    def found(self, prints: Sequence[str]) -> int | None:
        """Where the branch stands now; null when the page has it no more."""
        if self.print is None or self.index is None:
            return None
        if self.index < len(prints) and prints[self.index] == self.print:
            return self.index
        return prints.index(self.print) if self.print in prints else None


Frames = tuple[Frame, ...]
"""From the outermost level to the innermost; none once the list has ended."""


def after(frames: Frames, next_token: JsonValue) -> Frames:
    """The way on once the innermost level's page has been read with all its branches."""
    *outer, top = frames
    if next_token is not None:
        return (*outer, Frame(page=next_token, parameters=top.parameters))
    return (*outer[:-1], replace(outer[-1], is_done=True)) if outer else ()


def as_token(frames: Frames, *, steps: int) -> JsonObject:
    """The way as a page token: JSON, small, good at any later time."""
    if steps > MAX_STEPS:
        raise UpstreamResponseError(f"The list is made of more than {MAX_STEPS} pages of other lists. Read a smaller part of it.")
    parts = [[frame.page, frame.index, frame.print, frame.is_done, frame.parameters] for frame in frames]
    return {"walk": _VERSION, "steps": steps, "frames": parts}


def from_token(token: JsonValue, *, partitions: int, has_drilldowns: bool) -> tuple[Frames, int]:
    """The way, and how many steps led to it. Raises CursorExpiredError when it is no way through such a list."""
    match token:
        case {"walk": 1, "steps": int(steps), "frames": [_, *_] as parts} if 0 <= steps <= MAX_STEPS:
            frames = tuple(_frame(part) for part in parts)
            if _is_way(frames, partitions=partitions, has_drilldowns=has_drilldowns):
                return frames, steps
    raise _expired()


def _frame(part: JsonValue) -> Frame:
    match part:
        case [page, int() | None as index, str() | None as print_, bool(is_done), dict() | None as parameters] if (
            index is None or (not isinstance(index, bool) and 0 <= index <= _MAX_INDEX)
        ) and (print_ is None or len(print_) <= _MAX_PRINT_CHARACTERS):
            return Frame(page, index, print_, is_done, parameters)
    raise _expired()


def _is_way(frames: Frames, *, partitions: int, has_drilldowns: bool) -> bool:
    *outer, _ = frames
    if len(frames) > partitions + (1 + MAX_DEPTH if has_drilldowns else 1) or any(frame.index is None for frame in outer):
        return False
    # Only what a drilldown leads to has parameters of its own.
    return all((frame.parameters is not None) == (level > partitions) for level, frame in enumerate(frames))


def _expired() -> CursorExpiredError:
    return CursorExpiredError("The cursor does not fit the lists that make up this one (any more). Start again from the first page.")


def canonical(value: JsonValue) -> str:
    """The same text for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
