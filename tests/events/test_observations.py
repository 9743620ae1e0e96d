"""What is seen of records becomes the snapshot, and events that tell the difference."""

from gateway.events import bodies
from gateway.models import ChangeType, EventMethod
from gateway.storage.database import Database
from tests.events.observing import NOW, events, followed, record, seen, snapshot, tell


async def test_differences_are_told_in_the_order_in_which_they_were_seen(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("b", n=1), record("a", n=1)))

    observed = await tell(database, place, seen(record("c", n=1), record("a", n=2), record("x", n=1), gone=["b", "never"]))

    assert (observed.event_count, observed.changed_count, observed.stale_ids) == (4, 5, ())
    found = await events(database)
    assert [(event.seq, event.type, event.record_id) for event in found] == [
        (1, ChangeType.CREATED, "b"),
        (2, ChangeType.CREATED, "a"),
        (3, ChangeType.CREATED, "c"),
        (4, ChangeType.UPDATED, "a"),
        (5, ChangeType.CREATED, "x"),
        (6, ChangeType.DELETED, "b"),
    ]
    updated, deleted = found[3], found[5]
    assert (updated.body and bodies.fields_of(updated.body), updated.previous and bodies.fields_of(updated.previous)) == (
        {"n": 2},
        {"n": 1},
    )
    assert (deleted.body, deleted.previous and bodies.fields_of(deleted.previous)) == (None, {"n": 1})
    assert (updated.instance_id, updated.connection_id, updated.generation) == (place.instance_id, place.connection_id, 1)
    assert (updated.method, updated.recorded_at) == (EventMethod.PULL, NOW)
    assert await snapshot(database, place) == {"a": {"n": 2}, "b": None, "c": {"n": 1}, "never": None, "x": {"n": 1}}
