"""The event log is tested on both databases."""

from collections.abc import AsyncIterator

import pytest

from gateway.storage.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated, empty database; the test runs once on each kind."""
    database = Database.connect(database_url)
    yield database
    await database.close()
