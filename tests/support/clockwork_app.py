"""An app whose records depend on nothing but the time, so that every process that asks it is told the same."""

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path

from gateway.connectors.protocol import Access
from gateway.models import ChangePage, Pointer, Since, SyncSupport
from gateway.models.records import PageRequest
from tests.support.changing_app import ChangingApp, ChangingConnector

LONGEST_ANSWER_SECONDS = 0.2


@dataclass
class Clockwork(ChangingConnector):
    """The connector `changing`, to an app that gains a record at each tick of a clock, which starts when `begun` holds a time."""

    begun: Path = Path("begun")
    records_per_second: float = 1.0
    most_records: int = 50

    def __post_init__(self) -> None:
        self.app = ChangingApp(support=SyncSupport(has_delta=True, sees_deletions=True), page_size=10)

    async def changes(self, access: Access, collection: Pointer, since: Since, page: PageRequest) -> ChangePage:
        """The records that came since, after a while."""
        await asyncio.sleep(random.uniform(0, LONGEST_ANSWER_SECONDS))
        while self.app.count < self._count():
            self.app.put(f"{self.app.count + 1:06}", {"number": self.app.count + 1})
        return await super().changes(access, collection, since, page)

    def _count(self) -> int:
        if not self.begun.exists():
            return 0
        elapsed = time.time() - float(self.begun.read_text())
        return min(self.most_records, int(elapsed * self.records_per_second))
