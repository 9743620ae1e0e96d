"""A request under way, for whoever waits for it."""

import asyncio
import gc

from gateway.connectors.executor.flights import Flight, Progress


async def test_a_defect_is_told_to_nobody_where_the_last_who_waits_is_cancelled_in_the_same_turn():
    loop, told = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda loop, context: told.append(context["message"]))

    async def fail():
        # Between the end of the request and the turn of whoever waits for it.
        loop.call_soon(loop.call_soon, asking[0].cancel)
        raise LookupError

    asking = [asyncio.create_task(Flight(fail(), progress=Progress(deadline=0), started=0, era=0).outcome())]
    await asyncio.wait(asking)
    was_cancelled = asking.pop().cancelled()
    gc.collect()

    assert (was_cancelled, told) == (True, [])
