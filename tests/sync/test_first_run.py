"""The first run of an instance."""

from gateway.models import SyncSupport, TaskKind
from tests.sync.world import World


async def test_first_run_takes_a_silent_baseline(world: World):
    world.app.support = SyncSupport(has_delta=True, sees_deletions=True)
    for number in range(7):
        world.app.put(f"r{number}", {"n": number})
    await world.subscribe()

    assert await world.work() == [TaskKind.SETUP, TaskKind.FULL, TaskKind.SETUP, TaskKind.PULL]
    assert await world.told() == []
    assert await world.snapshot() == world.app.truth
