"""What happened to records, out of what was seen and what was known."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.events.compare import Known, compare
from gateway.models import ChangeType

HASHES = st.one_of(st.none(), st.sampled_from([b"a", b"b", b"c"]))
IDS = st.text("xyz", min_size=1, max_size=2)
SNAPSHOTS = st.dictionaries(IDS, st.builds(lambda hashed, tick: Known(hash=hashed, tick=tick), HASHES, st.integers(0, 9)))


def differing(seen: dict[str, bytes | None], snapshot: dict[str, Known]) -> dict[str, Known | None]:
    """What the snapshot gives of it."""
    return {each: snapshot.get(each) for each in seen if each not in snapshot or snapshot[each].hash != seen[each]}


@given(seen=st.dictionaries(IDS, HASHES), snapshot=SNAPSHOTS, since_tick=st.integers(0, 9))
def test_applying_the_differences_gives_what_was_seen_save_for_what_is_stale(
    seen: dict[str, bytes | None], snapshot: dict[str, Known], since_tick: int
):
    comparison = compare(seen, differing(seen, snapshot), since_tick=since_tick)

    now = {record_id: known.hash for record_id, known in snapshot.items()}
    for difference in comparison.differences:
        before = now.get(difference.record_id)
        expected = {
            (False, True): ChangeType.CREATED,
            (True, True): ChangeType.UPDATED,
            (True, False): ChangeType.DELETED,
            (False, False): None,
        }[before is not None, difference.hash is not None]
        assert difference.type is expected
        now[difference.record_id] = difference.hash
    for record_id, found in seen.items():
        stale = record_id in comparison.stale_ids
        assert stale == (record_id in snapshot and snapshot[record_id].tick > since_tick and snapshot[record_id].hash != found)
        assert now[record_id] == (snapshot[record_id].hash if stale else found)
    told = [difference.record_id for difference in comparison.differences]
    assert told == [each for each in seen if each in told]
    again = {record_id: Known(hash=hashed, tick=10) for record_id, hashed in now.items()}
    assert compare(now, differing(now, again), since_tick=10).differences == ()


def test_a_record_that_came_back_is_created_and_an_old_sight_of_it_is_not():
    deleted = {"1": Known(hash=None, tick=5)}

    assert [each.type for each in compare({"1": b"a"}, deleted, since_tick=5).differences] == [ChangeType.CREATED]
    assert compare({"1": b"a"}, deleted, since_tick=4).stale_ids == ("1",)


def test_a_record_that_is_not_known_may_be_one_whose_deletion_is_forgotten():
    seen, unknown = {"1": b"a", "2": None}, dict.fromkeys("12")

    assert compare(seen, unknown, since_tick=5, forgotten_tick=5).stale_ids == ()
    old = compare(seen, unknown, since_tick=4, forgotten_tick=5)
    assert (old.stale_ids, [(each.record_id, each.type) for each in old.differences]) == (("1",), [("2", None)])
