"""What a gateway holds on to, counted: when nothing is under way, every request must have given back what it took."""

import asyncio
import gc
import socket
import types
from collections import Counter
from typing import Any

from sqlalchemy.pool import QueuePool
from starlette.requests import Request

from gateway.graphql.context import Context
from gateway.graphql.execution import FastExecutor
from gateway.graphql.loaders import Loaders
from gateway.runtime import Runtime
from gateway.storage.scope import ScopedSession

_KINDS = frozenset(
    {
        *(ScopedSession, Request, Context, Loaders, FastExecutor, socket.socket),
        *(types.AsyncGeneratorType, types.GeneratorType),
    }
)
"""Of what is made for one request. Futures are left out, as tasks that always run renew those that they wait for, and so are
documents and their faults, of which a bounded number is kept on purpose."""
_ROUNDS = 10
"""Of the loop, after which whoever has something to clear away has done so."""


async def held(runtime: Runtime) -> dict[str, int]:
    """How many of each kind there are, of tasks, and of connections to the database that somebody has not given back."""
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)
    gc.collect()
    pool = runtime.database.engine.pool
    assert isinstance(pool, QueuePool)
    counts = Counter(type(each).__name__ for each in gc.get_objects() if type(each) in _KINDS and _is_under_way(each))
    return {**counts, "tasks": len(asyncio.all_tasks()), "connections in use": pool.checkedout()}


def _is_under_way(found: Any) -> bool:
    """False for a generator that has ended, whoever still has it."""
    return getattr(found, "ag_frame", found) is not None and getattr(found, "gi_frame", found) is not None
