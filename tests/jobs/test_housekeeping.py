from datetime import timedelta
from uuid import UUID

from sqlmodel import col, select

from gateway.models import DataSourceInstance, SyncRun
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.sync.housekeeping import keep_house


async def put(runtime: Runtime, instance: DataSourceInstance, *, status: str = "COMPLETED", days: float | None) -> UUID:
    """A run that was begun so many days ago, or that is not over where they are not given."""
    [run_id] = await put_many(runtime, instance, 1, status=status, days=days)
    return run_id


async def put_many(runtime: Runtime, instance: DataSourceInstance, count: int, *, status: str, days: float | None) -> list[UUID]:
    now = runtime.clock.now()
    over = now - timedelta(days=days) if days is not None else None
    shared = {"instance_id": instance.id, "customer_id": instance.customer_id, "kind": "FULL_SYNC", "status": status}
    runs = [SyncRun(**shared, created_at=now - timedelta(days=400), completed_at=over) for _ in range(count)]
    async with runtime.database.write(SYSTEM) as session:
        session.add_all(runs)
    return [run.id for run in runs]


async def kept(runtime: Runtime) -> list[UUID]:
    async with runtime.database.read(SYSTEM) as session:
        return list((await session.exec(select(SyncRun.id).order_by(col(SyncRun.id)))).all())


async def test_runs_that_are_over_for_as_long_as_events_are_kept_are_forgotten_and_others_stay(runtime, instances_of):
    [instance] = await instances_of(1)
    days = runtime.settings.event_retention_days
    await put(runtime, instance, days=days + 0.01)
    recent = await put(runtime, instance, days=days - 0.01)
    waiting = [await put(runtime, instance, status=status, days=None) for status in ("QUEUED", "IN_PROGRESS", "HELD")]

    await keep_house(runtime)

    assert await kept(runtime) == [recent, *waiting]


async def test_more_runs_than_go_at_a_time_are_forgotten_all_the_same(runtime, instances_of):
    [instance] = await instances_of(1)
    await put_many(runtime, instance, 2_001, status="COMPLETED", days=100)

    await keep_house(runtime)

    assert await kept(runtime) == []


async def test_what_another_process_is_deleting_is_not_waited_for(runtime, instances_of):
    if runtime.database.engine.dialect.name == "sqlite":
        return  # One writer at a time.
    [instance] = await instances_of(1)
    locked, free = [await put(runtime, instance, days=100) for _ in range(2)]

    async with runtime.database.engine.connect() as connection:
        await connection.exec_driver_sql(f"SELECT 1 FROM sync_run WHERE id = '{locked}' FOR UPDATE")
        await keep_house(runtime)

    assert free not in await kept(runtime)
    assert await kept(runtime) == [locked]
