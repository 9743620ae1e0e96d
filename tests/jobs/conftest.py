"""What the tests of tasks and workers ask for: a gateway on each kind of database, and instances whose tasks rest."""

from collections.abc import Awaitable, Callable

import pytest

from gateway.models import DataSourceInstance
from gateway.runtime import Runtime
from tests.support import runtime as given
from tests.support.runtime import clock, notes_app, runtime
from tests.support.sync_tasks import rest

__all__ = ["clock", "instances_of", "notes_app", "runtime", "runtime_url"]

InstancesOf = Callable[[int], Awaitable[list[DataSourceInstance]]]


@pytest.fixture
def runtime_url(database_url: str) -> str:
    """Each test runs on both kinds of database."""
    return database_url


@pytest.fixture
async def instances_of(runtime: Runtime) -> InstancesOf:
    """Makes a new connection with so many instances; nothing of them is due."""
    acme = await given.customer(runtime, "acme")
    await given.integration(runtime)
    await given.definition(runtime)

    async def make(count: int) -> list[DataSourceInstance]:
        connection = await given.connection(runtime, acme)
        made = [await given.instance(runtime, acme, connection, instance_key=f"key-{number}") for number in range(count)]
        await rest(runtime)
        return made

    return make
