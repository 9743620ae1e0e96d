"""What only so many may do at once."""

import asyncio
from collections import deque
from types import TracebackType


class Turns:
    """So many turns at once; who finds none waits, and who has waited the longest is next.

    As `asyncio.Semaphore`, which takes several times the steps: each request to an app takes more than one turn.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Whether there was a free turn, which is taken then."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Returns once a turn is taken."""
        if self.take():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # It was given to one who goes away in the same moment.
                self.give_back()
            raise

    def give_back(self) -> None:
        """Ends a turn, which goes to whoever has waited the longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    async def __aenter__(self) -> None:
        await self.wait()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.give_back()
