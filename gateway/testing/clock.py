"""A clock that only the test moves."""

import asyncio
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Time that stands still until `advance`, or until somebody sleeps.

    A sleep takes no real time: it moves the clock by itself. With `sleep_waits=True` it waits for `advance` instead.
    `sleeps` are the seconds of every sleep begun, in order.
    """

    def __init__(self, *, now: datetime = datetime(2026, 1, 1, tzinfo=UTC), sleep_waits: bool = False) -> None:
        self.sleeps: list[float] = []
        self._start = now
        self._elapsed_seconds = 0.0
        self._sleep_waits = sleep_waits
        self._wake_ups: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The start plus what the clock was advanced, aware and in UTC."""
        return self._start + timedelta(seconds=self._elapsed_seconds)

    def monotonic(self) -> float:
        """The seconds that the clock was advanced."""
        return self._elapsed_seconds

    async def sleep(self, seconds: float) -> None:
        """Moves the clock, or waits until it was moved that far; other tasks run meanwhile."""
        self.sleeps.append(seconds)
        if not self._sleep_waits:
            self.advance(max(seconds, 0))
            await asyncio.sleep(0)
            return

        wake_up = asyncio.get_running_loop().create_future()
        self._wake_ups.append((self._elapsed_seconds + seconds, wake_up))
        self._wake()
        await wake_up

    def advance(self, seconds: float) -> None:
        """Moves the clock and wakes whoever slept until then. Time never goes back."""
        if seconds < 0:
            raise ValueError(f"A clock cannot go back by {-seconds} seconds.")
        self._elapsed_seconds += seconds
        self._wake()

    def _wake(self) -> None:
        due = [(at, wake_up) for at, wake_up in self._wake_ups if at <= self._elapsed_seconds]
        self._wake_ups = [(at, wake_up) for at, wake_up in self._wake_ups if at > self._elapsed_seconds]
        for _, wake_up in sorted(due, key=lambda pair: pair[0]):
            if not wake_up.done():
                wake_up.set_result(None)
