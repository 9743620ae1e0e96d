"""Random histories of an app, times each way to learn of its changes: what was told, replayed over the baseline, is the app's state."""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UpstreamUnavailableError
from gateway.models import CursorOrder, CursorSync, CursorType, SyncSupport
from gateway.services import data_source_instances
from gateway.services.selectors import ConnectionSelector, DataSourceSelector
from gateway.sync.claims import claim
from gateway.sync.work import perform
from tests.support.changing_app import LONGEST_DELAY, ChangingApp
from tests.support.examples import part_of_examples
from tests.sync.world import World, replayed

pytestmark = pytest.mark.usefixtures("unthreaded_files")

ASCENDING, NEWEST, UNSORTED = CursorOrder.ASCENDING, CursorOrder.NEWEST_FIRST, CursorOrder.UNSORTED
HOURS = 3600.0
LONG_HISTORIES = 2


def by(**given: Any) -> CursorSync:
    return CursorSync(**given)


CURSORS = {
    "ascending": by(order=ASCENDING),
    "ascending by whole seconds": by(order=ASCENDING, granularity=1),
    "ascending, the first value left out": by(order=ASCENDING, is_inclusive=False),
    "ascending by whole seconds, the first left out": by(order=ASCENDING, is_inclusive=False, granularity=1),
    "ascending, late arrivals": by(order=ASCENDING, lookback=48 * HOURS),
    "ascending, cut off": by(order=ASCENDING, maximum_records=4),
    "newest first": by(order=NEWEST),
    "newest first, all of it": by(order=NEWEST, is_filtered=False),
    "newest first, late arrivals": by(order=NEWEST, lookback=48 * HOURS),
    "unsorted": by(order=UNSORTED),
    "unsorted, all of it": by(order=UNSORTED, is_filtered=False),
    "unsorted windows": by(order=UNSORTED, window=4 * HOURS),
    "unsorted windows, cut off": by(order=UNSORTED, window=4 * HOURS, maximum_records=4),
    "ascending windows": by(order=ASCENDING, window=4 * HOURS, lookback=1),
    "count": by(type=CursorType.COUNT, order=ASCENDING),
    "count, unsorted, the first left out": by(type=CursorType.COUNT, order=UNSORTED, is_inclusive=False),
    "count in windows": by(type=CursorType.COUNT, order=UNSORTED, window=3),
    "count, late arrivals": by(type=CursorType.COUNT, order=ASCENDING, lookback=1_000),
}
SUPPORTS = {
    "full scan": SyncSupport(),
    "delta": SyncSupport(has_delta=True, sees_deletions=True),
    "delta without tombstones": SyncSupport(has_delta=True),
    **{f"{name}, tombstones": SyncSupport(cursor=cursor, sees_deletions=True) for name, cursor in CURSORS.items()},
    **{f"{name}, full syncs for deletions": SyncSupport(cursor=cursor) for name, cursor in CURSORS.items()},
}

ids = st.sampled_from("abcdefgh")
changes = st.one_of(
    st.tuples(st.just("put"), ids, st.integers(0, 3)),
    st.tuples(st.just("put"), ids, st.integers(0, 3)),
    st.tuples(st.just("remove"), ids),
    st.tuples(st.just("wait"), st.sampled_from([0.2, 0.7, 1.0, 2 * HOURS])),
)
late = st.tuples(st.just("late"), ids, st.integers(0, 3), st.integers(1, 3))
steps = st.one_of(
    changes,
    late,
    st.tuples(st.just("work")),
    st.tuples(st.just("work")),
    st.tuples(st.just("during"), st.lists(changes, min_size=1, max_size=4)),
    st.tuples(st.just("fail")),
    st.tuples(st.just("die")),
    st.tuples(st.just("forget pages")),
    st.tuples(st.just("forget delta tokens")),
)
Step = tuple[Any, ...]


CHANGES = ("put", "put", "remove", "wait")
STEPS = (*CHANGES, "late", "work", "work", "during", "fail", "die", "forget pages", "forget delta tokens")


def at_random(chance: random.Random, *, count: int, of: tuple[str, ...] = STEPS) -> list[Step]:
    """A history of so many steps."""
    return [step_of(chance.choice(of), chance) for _ in range(count)]


def step_of(kind: str, chance: random.Random) -> Step:
    name, value = chance.choice("abcdefgh"), chance.randint(0, 3)
    match kind:
        case "put":
            return kind, name, value
        case "remove":
            return kind, name
        case "late":
            return kind, name, value, chance.randint(1, 3)
        case "wait":
            return kind, chance.choice([0.2, 0.7, 1.0, 2 * HOURS])
        case "during":
            return kind, at_random(chance, count=chance.randint(1, 4), of=CHANGES)
    return (kind,)


class DeathError(BaseException):
    """The worker dies here, without a word to anybody."""


@dataclass
class History:
    """Plays the steps of a history on an app that is synced."""

    world: World
    takes_late: bool
    number: int = 0

    def change(self, step: Step) -> None:
        """One step of the app."""
        app = self.world.app
        match step:
            case ("put", id, value):
                app.put(id, {"value": value, "of": id})
            case ("late", id, value, requests):
                app.put(id, {"value": value, "of": id}, hidden_for=requests if self.takes_late else 0)
            case ("remove", id):
                app.remove(id)
            case ("wait", seconds):
                self.world.clock.advance(seconds)

    async def play(self, step: Step) -> None:
        """One step of all."""
        app = self.world.app
        match step:
            case ("work",):
                self.world.clock.advance(20_000)
                await self.work()
            case ("during", inner):
                app.meanwhile.extend(self._later(each) for each in inner)
            case ("fail",):
                app.failures.extend([None, UpstreamUnavailableError("The app is down.", may_have_been_received=False)])
            case ("die",):
                app.meanwhile.extend([None, _die])
            case ("forget pages",):
                app.meanwhile.append(app.forget_page_tokens)
            case ("forget delta tokens",):
                if app.support.has_delta:
                    app.forget_delta_tokens()
            case _:
                self.change(step)

    async def work(self, *, until_baseline: bool = False) -> None:
        """What is due; of workers that die on the way, others take the work over when the lease has ended."""
        for _ in range(200):
            tasks = [await claim(self.world.runtime, self.world.id, kind, owner="test") for kind in await self.world.due()]
            tasks = [task for task in tasks if task is not None]
            if not tasks:
                return
            for task in tasks:
                try:
                    await perform(self.world.runtime, task)
                except DeathError:
                    await self.world.die()
            if until_baseline and await self.has_baseline():
                return
        raise AssertionError("The work does not end.")

    async def has_baseline(self) -> bool:
        return (await self.world.state()).generation > 0 and (await self.world.generation()).baseline_at is not None

    def _later(self, step: Step) -> Callable[[], None]:
        return lambda: self.change(step)


def _die() -> None:
    raise DeathError


numbers = itertools.count()


async def another(world: World, app: ChangingApp) -> World:
    """A world with an instance and an app of its own, in the same gateway."""
    connector = world.runtime.connectors["changing"]
    connector.app = app  # type: ignore[attr-defined]
    instance, _ = await data_source_instances.create(
        world.runtime,
        world.customer,
        connection=ConnectionSelector(id=world.instance.connection_id),
        data_source=DataSourceSelector(key="things"),
        instance_key=f"number-{next(numbers)}",
    )
    return replace(world, app=app, instance=instance)


async def check(world: World, support: SyncSupport, before: list[Step], after: list[Step], *, is_slow: bool = True) -> None:
    """The history `before` the baseline and during it, then that `after` it, then quiet: everything was told."""
    cursor = support.cursor
    takes_late = cursor is not None and (cursor.lookback > LONGEST_DELAY.total_seconds() or cursor.lookback == 1_000)
    app = ChangingApp(support=support, now=world.clock.now, tells_seconds=cursor is not None and cursor.granularity == 1)
    if is_slow:
        # Then each page of a listing is a commit of its own.
        app.takes_its_time = lambda: world.clock.advance(1)
    world = await another(world, app)
    history = History(world, takes_late=takes_late)
    for step in before:
        await history.play(step)
    await world.subscribe()
    while not await history.has_baseline():
        await history.work(until_baseline=True)
        world.clock.advance(1000)
    baseline = await world.snapshot()

    for step in after:
        await history.play(step)
    app.meanwhile.clear()
    app.failures.clear()
    for _ in range(4):
        world.clock.advance(timedelta(hours=8).total_seconds())
        await history.work()

    assert await world.snapshot() == app.truth
    assert replayed(baseline, await world.events()) == app.truth
    assert await world.stage_count() == 0


SOME = (
    "full scan",
    "delta",
    "ascending by whole seconds, tombstones",
    "newest first, full syncs for deletions",
    "unsorted windows, cut off, tombstones",
    "count in windows, tombstones",
)


@pytest.mark.parametrize("name", SOME)
@part_of_examples(percent=4)
@given(before=st.lists(steps, max_size=8), after=st.lists(steps, max_size=16), is_slow=st.booleans())
async def test_what_is_told_makes_the_app_out_of_its_baseline(
    world: World, name: str, before: list[Step], after: list[Step], is_slow: bool
):
    await check(world, SUPPORTS[name], before, after, is_slow=is_slow)


@pytest.mark.long
@pytest.mark.parametrize("name", SUPPORTS)
@part_of_examples(percent=2)
@given(before=st.lists(steps, max_size=12), after=st.lists(steps, max_size=30), is_slow=st.booleans())
async def test_what_is_told_makes_the_app_out_of_its_baseline_whatever_happens(
    world: World, name: str, before: list[Step], after: list[Step], is_slow: bool
):
    await check(world, SUPPORTS[name], before, after, is_slow=is_slow)


@pytest.mark.long
@pytest.mark.parametrize("name", SUPPORTS)
async def test_each_way_to_detect_changes_tells_all_of_long_histories_of_its_own(world: World, name: str):
    """Of a few examples of Hypothesis the first is the empty history, and each way gets the same ones."""
    chance = random.Random(name)
    for _ in range(LONG_HISTORIES):
        before, after = at_random(chance, count=chance.randint(4, 12)), at_random(chance, count=chance.randint(15, 30))
        await check(world, SUPPORTS[name], before, after, is_slow=chance.random() < 0.5)


async def test_what_comes_into_sight_late_is_told_however_long_nobody_looked_before(world: World):
    """Once this failed, as the app showed it later than any look-back reaches."""
    before = [("put", "a", 1), ("late", "a", 2, 3), *[("work",)] * 11]
    after = [("put", "b", 2), ("work",)]
    await check(world, SUPPORTS["newest first, late arrivals, tombstones"], before, after)


async def test_a_change_in_a_window_that_was_read_lies_below_the_highest_count_of_the_next_window(world: World):
    """Once lost: e came into the first window after it was read, and the mark moved to what the second one told, over it."""
    puts = [("put", each, 1) for each in "efg"]
    after = [("put", "a", 1), ("work",), ("put", "b", 1), ("fail",), ("work",), *puts, ("work",)]
    await check(world, SUPPORTS["count in windows, tombstones"], [("put", "a", 0)], after, is_slow=False)


async def test_a_change_of_a_page_that_was_read_lies_below_the_highest_count_of_the_next_page(world: World):
    """Once lost: the mark had moved to the highest count, over the deletion."""
    before = [("put", each, 1) for each in "abf"]
    after = [("work",), ("put", "b", 2), ("put", "e", 1), ("put", "a", 2), ("put", "g", 1), ("during", [("wait", 1.0), ("remove", "a")])]
    await check(world, SUPPORTS["count in windows, tombstones"], before, [*after, ("put", "h", 2), ("work",)])
