"""An app whose records depend on nothing but the time, so that every process that asks it is told the same."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from gateway.connectors.protocol import Access
from gateway.models import ChangePage, Pointer, Since, SyncSupport
from gateway.models.records import PageRequest
from tests.support.changing_app import ChangingApp, ChangingConnector, Truth

LONGEST_ANSWER_SECONDS = 0.5


@dataclass
class Clockwork(ChangingConnector):
    """The connector `changing`, to an app that changes at each tick of a clock, which starts when `begun` holds a time.

    A third of the changes each create, update and delete a record. None changes twice: each change is to be told, whoever looks when.
    """

    begun: Path = Path("begun")
    changes_per_second: float = 0.6
    most_changes: int = 30
    ticks: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.app = ChangingApp(support=SyncSupport(has_delta=True, sees_deletions=True), page_size=10)
        for number in range(1, self.most_changes + 1):
            if number % 3:
                self.app.put(_name(number), {"number": 0})

    async def changes(self, access: Access, collection: Pointer, since: Since, page: PageRequest) -> ChangePage:
        """What changed since, after a while."""
        await asyncio.sleep(random.uniform(0, LONGEST_ANSWER_SECONDS))
        self.go_on_to(self._ticks_by_now())
        return await super().changes(access, collection, since, page)

    def go_on_to(self, ticks: int) -> Truth:
        """What the app holds after so many changes."""
        while self.ticks < ticks:
            self.ticks += 1
            if self.ticks % 3 == 2:
                self.app.remove(_name(self.ticks))
            else:
                self.app.put(_name(self.ticks), {"number": self.ticks})
        return self.app.truth

    def _ticks_by_now(self) -> int:
        if not self.begun.exists():
            return 0
        elapsed = time.time() - float(self.begun.read_text())
        return min(self.most_changes, int(elapsed * self.changes_per_second))


def _name(number: int) -> str:
    return f"{number:06}"
