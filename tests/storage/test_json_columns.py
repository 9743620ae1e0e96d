"""What is kept as JSON comes back as it was, on both databases."""

import json

import pytest
from hypothesis import example, given
from sqlalchemy import update
from sqlmodel import col, select

from gateway.models import SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.models.sync import sync_rows
from gateway.storage.database import Database
from tests.storage import world as worlds
from tests.support.examples import ANY_JSON, part_of_examples


@pytest.fixture
async def tasks(database: Database) -> Database:
    """A database with the tasks of an instance."""
    await worlds.store(database, *sync_rows((await worlds.build(database)).mine.instance))
    return database


@part_of_examples(percent=50)
@given(token=ANY_JSON)
@example(token="a\x00b")
@example(token={"\x00": ["\ud83d", "\\u0000", '"', "e+", "👩‍💻"]})
@example(token=[-0.0, 1e22, 10**22, 1e308, 5e-324, 1.0, 2**64, 10**4300 - 1])
async def test_what_an_app_decides_of_a_task_comes_back_as_it_was(tasks: Database, token: object):
    async with tasks.write(SYSTEM) as session:
        await session.exec(update(SyncTask).values(progress={"token": token}))
    async with tasks.read(SYSTEM) as session:
        kept = (await session.exec(select(col(SyncTask.progress)))).all()

    assert {json.dumps(each, sort_keys=True) for each in kept} == {json.dumps({"token": token}, sort_keys=True)}


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), (False, 0), (0.0, -0.0)])
async def test_what_python_takes_for_equal_is_saved_all_the_same(tasks: Database, before: object, after: object):
    for value in (before, after):
        async with tasks.write(SYSTEM) as session:
            for task in await session.exec(select(SyncTask)):
                task.progress = {"value": [value]}
        async with tasks.read(SYSTEM) as session:
            kept = (await session.exec(select(col(SyncTask.progress)))).all()
        assert {json.dumps(each) for each in kept} == {json.dumps({"value": [value]})}


async def test_no_progress_is_none(tasks: Database):
    async with tasks.read(SYSTEM) as session:
        found = await session.exec(select(SyncTask).where(col(SyncTask.progress).is_(None)))

    assert len(found.all()) == len(TaskKind)
