"""What reads of the same thing share: a request under way, and answers that the app confirms or an operation remembers."""

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from gateway.clock import Clock
from gateway.connectors.executor.answers import Answer
from gateway.connectors.executor.flights import Flight, Progress
from gateway.connectors.executor.read_keys import ReadKeys
from gateway.connectors.executor.validators import Validators
from gateway.connectors.protocol import Access
from gateway.errors import UpstreamError, UpstreamRejectedError, UpstreamResponseError

Outcome = Answer | UpstreamError
"""What comes of a read. An error is no exception here: who waits for it raises one of their own."""
Work = Callable[[Progress], Coroutine[Any, Any, Outcome]]

MAX_CONNECTIONS = 10_000
"""Of how many connections it is known when they last wrote; of the others, that it was before."""

_WEIGHT_OF_AN_ERROR = 2048


class _Remembered(NamedTuple):
    outcome: Outcome
    started: int


class Reads:
    """The reads of a process. Whatever was asked before a write of its connection ended is given to nobody who asks after it.

    What nobody waits for shares no request: it looks for what changed up to now, which one that is under way may have missed;
    and it stands back, which nobody who is waited for shall do with it.
    """

    def __init__(self, *, clock: Clock) -> None:
        self.keys = ReadKeys()
        self.validators = Validators(clock=clock)
        self._flights: dict[bytes, Flight[Outcome]] = {}
        self._writes = _Writes()

    async def outcome(self, key: bytes, access: Access, *, deadline: float, work: Work, waits: Callable[[Progress], None]) -> Outcome:
        """What comes of a read: what the operation remembers of it, or what comes of the same read under way, or of `work`.

        `waits` is told how far the request is before anybody waits for it.
        Raises UpstreamCallsExceededError when it takes a request more than the operation may make.
        """
        remembered = access.operation.remembered(key)
        if isinstance(remembered, _Remembered) and self._writes.none_since(remembered.started, access.connection_id):
            return remembered.outcome
        flight = self._under_way(key, access, deadline=deadline) or self._started(key, access, deadline=deadline, work=work)
        waits(flight.progress)
        try:
            outcome = await flight.outcome()
        finally:
            if not flight.can_be_joined and self._flights.get(key) is flight:
                del self._flights[key]
        if isinstance(outcome, Answer):
            if outcome.fault is not None:
                # Of a page nobody has looked before. It is not remembered: what is amiss now need not be so when it is asked for again.
                return UpstreamResponseError(outcome.fault)
            access.operation.remember(key, _Remembered(outcome, flight.started), weight=outcome.weight)
        elif isinstance(outcome, UpstreamRejectedError):
            access.operation.remember(key, _Remembered(outcome, flight.started), weight=_WEIGHT_OF_AN_ERROR)
        return outcome

    def wrote(self, access: Access) -> None:
        """Ends the sharing of all that was asked until now: a write of the connection has ended, or is given up."""
        self._writes.ended(access.connection_id)
        access.operation.forget()

    def _under_way(self, key: bytes, access: Access, *, deadline: float) -> Flight[Outcome] | None:
        flight = self._flights.get(key) if not access.is_background else None
        if flight is None or not flight.can_be_joined or flight.era != access.operation.era.count:
            return None
        if not self._writes.none_since(flight.started, access.connection_id):
            return None
        flight.progress.deadline = max(flight.progress.deadline, deadline)
        return flight

    def _started(self, key: bytes, access: Access, *, deadline: float, work: Work) -> Flight[Outcome]:
        access.operation.spend()
        progress = Progress(deadline=deadline)
        flight = Flight(work(progress), progress=progress, started=self._writes.count, era=access.operation.era.count)
        if not access.is_background:
            self._flights[key] = flight
        return flight


def error_for_one(error: UpstreamError) -> UpstreamError:
    """The same error once more, for one of those who share it: raised by several, one error would grow with each."""
    twin = type(error).__new__(type(error), *error.args)
    twin.__dict__.update(error.__dict__)
    return twin


class _Writes:
    """When connections last wrote, in writes of the process."""

    def __init__(self) -> None:
        self.count = 0
        """How many writes have ended."""
        self._last: OrderedDict[str, int] = OrderedDict()
        self._last_forgotten = 0

    def ended(self, connection_id: str) -> None:
        self.count += 1
        self._last[connection_id] = self.count
        self._last.move_to_end(connection_id)
        if len(self._last) > MAX_CONNECTIONS:
            self._last_forgotten = self._last.popitem(last=False)[1]

    def none_since(self, count: int, connection_id: str) -> bool:
        """Whether no write of the connection has ended since there were that many; no where that is not known any more."""
        return self._last.get(connection_id, self._last_forgotten) <= count
