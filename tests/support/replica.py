"""A process that syncs, started by tests that stop and kill it: `python -m tests.support.replica OPTIONS-AS-JSON`."""

import asyncio
import json
import os
import re
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
_OWNER = "The owner of its tasks is "


def start(settings: dict[str, Any], *, log: Path, begun: Path, pages: int = 0, most_changes: int = 30) -> "subprocess.Popen[bytes]":
    """A replica on these settings, which syncs the clockwork app; with `pages`, every task commits so many of them instead."""
    options = {"settings": settings, "begun": str(begun), "pages": pages, "most_changes": most_changes}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.replica", json.dumps(options)], cwd=ROOT, env=environment, stdout=output, stderr=output
        )


def owner_of(log: Path) -> str | None:
    """Whose tasks a replica's are, once it has begun one."""
    found = re.search(rf"^{_OWNER}(\w+)$", log.read_text(), flags=re.MULTILINE) if log.exists() else None
    return found[1] if found is not None else None


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


def telling(perform: Perform) -> Perform:
    """Does the same, and tells before the first task who does it."""
    told = False

    async def perform_and_tell(runtime: Runtime, task: Task) -> None:
        nonlocal told
        if not told:
            told = True
            print(f"\n{_OWNER}{task.owner}", flush=True)
        await perform(runtime, task)

    return perform_and_tell


async def _run(options: dict[str, Any]) -> None:
    connector = Clockwork(begun=Path(options["begun"]), most_changes=options["most_changes"])
    perform = turning(options["pages"]) if options["pages"] else work.perform
    async with (
        open_runtime(Settings(**options["settings"]), connectors=[connector]) as runtime,
        running_worker(runtime, perform=telling(perform)),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    configure_logging()
    with suppress(KeyboardInterrupt):
        loops.run(_run(json.loads(sys.argv[1])))
