"""Answers to the events of subscriptions: each made and encoded once for all who ask alike, and kept with its event for a while."""

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType

from graphql import ExecutionResult, GraphQLError

from gateway.graphql.masking import Caught, cause_of
from gateway.graphql.operations import told_errors
from gateway.models import JsonObject
from gateway.storage.faults import is_outage
from gateway.web.bodies import encode_json

__all__ = ["Answers", "Execution", "Failure", "Frame"]

_OVERHEAD_BYTES = 1_000
"""What an answer takes beside its text."""
_PATIENCE_SECONDS = 30.0
"""So long a database that is away is waited for: an answer without what it holds is of no use, and the event does not come again."""
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What one event becomes, as JSON: a result, or, where `is_refusal`, the list of the errors that ended the stream.

    `code` is that of its first error. `cursor` is where the stream resumes after this frame.
    """

    text: str
    code: str | None = None
    cursor: str | None = None
    is_refusal: bool = False


Execution = Callable[[object], "Awaitable[ExecutionResult] | ExecutionResult | Failure"]
"""Executes what is asked of an event, once."""


class Answers:
    """The answers that wait with their events for the next who asks alike: the latest, as many as a bound of bytes allows."""

    def __init__(self, *, maximum_bytes: int) -> None:
        self._maximum_bytes = maximum_bytes
        self._bytes = 0
        self._kept: deque[tuple[MutableMapping[Hashable, _Answer], Hashable, int]] = deque()

    async def frame(self, event: object, *, asking: Hashable, execute: Execution) -> Frame:
        """The frame of an event for all with this key of what they ask: found with it, or waited for where another is making it.

        An event without a place for answers, `results`, is answered for each.
        """
        results: dict[Hashable, _Answer] | None = getattr(event, "results", None)
        if results is None:
            return await _Answer().begin(event, execute).frame()
        answer = results.get(asking)
        if answer is None:
            answer = results[asking] = _Answer(on_made=partial(self._keep, results, asking))
            answer.begin(event, execute)
        return answer.known or await answer.frame()

    def _keep(self, results: "MutableMapping[Hashable, _Answer]", asking: Hashable, frame: Frame) -> None:
        weight = sys.getsizeof(frame.text) + _OVERHEAD_BYTES
        self._kept.append((results, asking, weight))
        self._bytes += weight
        while self._bytes > self._maximum_bytes:
            old_results, old_asking, weight = self._kept.popleft()
            old_results.pop(old_asking, None)
            self._bytes -= weight


class _Answer:
    """The answer to an event, perhaps still in the making; `known` is its frame once it is made."""

    def __init__(self, *, on_made: Callable[[Frame], None] | None = None) -> None:
        self.known: Frame | None = None
        self._made = asyncio.Event()
        self._on_made = on_made

    def begin(self, event: object, execute: Execution) -> "_Answer":
        """Begins to make it, and makes it where nothing has to be waited for."""
        outcome = execute(event)
        if isinstance(outcome, Awaitable) or _shows_outage(outcome):
            # A task of its own: the first to ask may leave before the answer is there, and the others still wait for it.
            self._making = asyncio.create_task(self._make(outcome, event, execute))
        else:
            self._tell(outcome, event)
        return self

    async def frame(self) -> Frame:
        """The frame, as soon as it is made."""
        if self.known is None:
            await self._made.wait()
        assert self.known is not None  # noqa: S101  # The event is set when it is known.
        return self.known

    async def _make(self, outcome: "Awaitable[ExecutionResult] | ExecutionResult | Failure", event: object, execute: Execution) -> None:
        time = asyncio.get_running_loop().time
        given_up_at = time() + _PATIENCE_SECONDS
        while _shows_outage(made := await _settled(outcome)) and time() < given_up_at:
            await asyncio.sleep(_PAUSE_SECONDS)
            outcome = execute(event)
        self._tell(made, event)

    def _tell(self, made: "ExecutionResult | Failure", event: object) -> None:
        self.known = _frame_of(made, _cursor_of(event))
        self._made.set()
        if self._on_made is not None:
            self._on_made(self.known)


async def _settled(outcome: "Awaitable[ExecutionResult] | ExecutionResult | Failure") -> "ExecutionResult | Failure":
    if not isinstance(outcome, Awaitable):
        return outcome
    failure = Failure()
    with failure:
        return await outcome
    return failure


def _shows_outage(made: "ExecutionResult | Failure") -> bool:
    """Whether something is missing because the database was away."""
    errors = made.errors if isinstance(made, ExecutionResult) else ()
    return any((cause := cause_of(error)) is not None and is_outage(cause) for error in errors or ())


def _frame_of(made: "ExecutionResult | Failure", cursor: str | None) -> Frame:
    failure = made if isinstance(made, Failure) else Failure()
    with failure:
        if isinstance(made, ExecutionResult):
            return _encoded(made, cursor)
    return failure.frame(ends=False)


class Failure(Caught):
    """The errors that something ended with, as clients may see them; a defect is logged.

    A context that ends quietly on an error, as the masking of a whole answer does; the error itself is then its `cause`.
    """

    def __init__(self) -> None:
        self.errors: list[JsonObject] = []
        self.cause: BaseException | None = None

    @property
    def code(self) -> str | None:
        """The code of the first error."""
        return _code_of(self.errors)

    @property
    def message(self) -> str:
        """What the first error says."""
        return str(self.errors[0]["message"]) if self.errors else ""

    def add(self, errors: Sequence[GraphQLError]) -> None:
        """Keeps the errors in their readable form."""
        self.errors += told_errors(errors)

    def frame(self, *, ends: bool = True) -> Frame:
        """The last frame of a stream, or a result without data."""
        told: object = self.errors if ends else {"data": None, "errors": self.errors}
        return Frame(text=encode_json(told).decode(), code=_code_of(self.errors), is_refusal=ends)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        is_caught = super().__exit__(kind, error, trace)
        if self.error is not None and is_caught:
            self.cause = error
            self.add([self.error])
        return is_caught


def _encoded(result: ExecutionResult, cursor: str | None) -> Frame:
    errors = told_errors(result.errors or ())
    body = {"data": result.data, "errors": errors} if errors else {"data": result.data}
    return Frame(text=encode_json(body).decode(), code=_code_of(errors), cursor=cursor)


def _cursor_of(event: object) -> str | None:
    cursor = getattr(event, "cursor", None)
    return cursor if isinstance(cursor, str) and cursor.isprintable() else None


def _code_of(errors: Sequence[JsonObject]) -> str | None:
    extensions = errors[0]["extensions"] if errors else None
    return str(extensions["code"]) if isinstance(extensions, dict) else None
