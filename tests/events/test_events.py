"""What listens in a process goes on for as long as the process does."""

import asyncio

from structlog.testing import capture_logs

from gateway.events.events import kept_going


async def test_what_ends_in_a_defect_is_told_and_begun_again():
    begun = asyncio.Queue()

    async def work():
        begun.put_nowait(None)
        if begun.qsize() < 3:
            raise KeyError("a type that this version does not know")
        await asyncio.Event().wait()

    with capture_logs() as logs:
        task = asyncio.ensure_future(kept_going(work, pause_seconds=0))
        async with asyncio.timeout(5):
            while begun.qsize() < 3:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert task.cancelled()
    assert [entry["log_level"] for entry in logs] == ["error", "error"]
    assert "a type that this version does not know" in logs[0]["error"]


async def test_what_has_nothing_to_do_is_done():
    async def work():
        return None

    await kept_going(work)
