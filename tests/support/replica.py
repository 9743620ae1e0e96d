"""A process that syncs, started by tests that stop and kill it: `python -m tests.support.replica OPTIONS-AS-JSON`."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.cli import loops
from gateway.config import Settings
from gateway.runtime import Runtime, open_runtime
from gateway.sync import work
from gateway.sync.tasks import Task
from gateway.sync.worker import Perform, running_worker
from gateway.web.logging import configure_logging
from tests.support.clockwork_app import Clockwork

ROOT = Path(__file__).parents[2]
PAGE_SECONDS = 0.1


def start(settings: dict[str, Any], *, log: Path, begun: Path, pages: int = 0, most_records: int = 50) -> "subprocess.Popen[bytes]":
    """A replica on these settings, which syncs the clockwork app; with `pages`, every task commits so many of them instead."""
    options = {"settings": settings, "begun": str(begun), "pages": pages, "most_records": most_records}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.replica", json.dumps(options)], cwd=ROOT, env=environment, stdout=output, stderr=output
        )


def turning(pages: int) -> Perform:
    """Commits so many pages, one after the other; each says in the progress who committed it."""

    async def perform(runtime: Runtime, task: Task) -> None:
        by: list[str] = list((task.progress or {}).get("by", ()))
        while len(by) < pages:
            await asyncio.sleep(PAGE_SECONDS)
            by.append(task.owner)
            async with task.commit() as session:
                await task.save(session, progress={"by": by})
        async with task.commit() as session:
            await task.hold(session, None)

    return perform


async def _run(options: dict[str, Any]) -> None:
    connector = Clockwork(begun=Path(options["begun"]), most_records=options["most_records"])
    perform = turning(options["pages"]) if options["pages"] else work.perform
    async with open_runtime(Settings(**options["settings"]), connectors=[connector]) as runtime, running_worker(runtime, perform=perform):
        await asyncio.Event().wait()


if __name__ == "__main__":
    configure_logging()
    with suppress(KeyboardInterrupt):
        loops.run(_run(json.loads(sys.argv[1])))
