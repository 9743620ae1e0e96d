"""The suite's own PostgreSQL works from the binaries that PyPI ships, wherever they are installed."""

from pathlib import Path

import pytest

from gateway.storage.database import Database
from tests.support import postgres


@pytest.mark.long
async def test_the_packaged_server_starts_migrates_and_leaves_nothing_behind():
    with postgres.started(postgres.packaged_binaries()) as server:
        await check(server)


@pytest.mark.long
async def test_the_packaged_server_starts_where_other_users_may_not_read(tmp_path: Path):
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)

    with postgres.started(postgres.copied(postgres.packaged_binaries(), hidden)) as server:
        await check(server)


async def check(server: postgres.PostgresServer) -> None:
    async with server.migrated_database() as url:
        database = Database.connect(url)
        await database.check()
        await database.close()
