"""Lists of instances: narrowed by what they hang on and by their state, in pages."""

import pytest

from gateway.errors import AmbiguousError, UpstreamUnavailableError
from gateway.models import ElementState
from gateway.models.principal import SYSTEM
from gateway.services import data_source_instances, data_sources
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceFilter, DataSourceInstanceSelector, DataSourceSelector
from gateway.storage.rows import RowWindow
from tests.support import runtime as given
from tests.support.database import recorded_statements


async def found(world, principal=None, *, first=10, after=None, include_archived=False, **given_filter):
    listing = await data_source_instances.page(
        world.runtime,
        principal or world.acme,
        window=RowWindow(first=first, after=after),
        filter=DataSourceInstanceFilter(**given_filter),
        include_archived=include_archived,
    )
    return [row.instance_key for row in listing.rows], listing.has_next, await listing.count()


@pytest.fixture
async def instances(world, notes_app):
    """Of acme: `a` and `b` of jottings and `c` of `own`, in `notes`; `d` in `other`; `b` failed its setup. Of globex: `e`."""
    await given.integration(world.runtime, "other")
    for home in ("notes", "other"):
        await given.definition(world.runtime, "own", integration_key=home)
    elsewhere = await given.connection(world.runtime, world.acme, integration_key="other")
    globex = await given.customer(world.runtime, "globex")
    theirs = await given.connection(world.runtime, globex)
    created = {"a": await given.instance(world.runtime, world.acme, world.connection, instance_key="a")}
    notes_app.failure = UpstreamUnavailableError("Notes is down.", may_have_been_received=False)
    created["b"] = await given.instance(world.runtime, world.acme, world.connection, instance_key="b")
    notes_app.failure = None
    created["c"] = await given.instance(world.runtime, world.acme, world.connection, "own", instance_key="c")
    created["d"] = await given.instance(world.runtime, world.acme, elsewhere, instance_key="d")
    created["e"] = await given.instance(world.runtime, globex, theirs, instance_key="e")
    return created


async def test_a_filter_narrows_the_list(world, instances):
    jottings, own = DataSourceSelector(key="jottings"), DataSourceSelector(key="own")
    in_notes = ConnectionSelector(integration_key="notes")

    assert await found(world) == (["a", "b", "c", "d"], False, 4)
    assert await found(world, SYSTEM) == (["a", "b", "c", "d", "e"], False, 5)
    assert await found(world, integration_key="notes") == (["a", "b", "c"], False, 3)
    assert await found(world, connection=in_notes, data_source=jottings) == (["a", "b"], False, 2)
    assert await found(world, SYSTEM, data_source=jottings) == (["a", "b", "d", "e"], False, 4)
    assert await found(world, states=(ElementState.SETUP_FAILED,)) == (["b"], False, 1)
    assert await found(world, integration_key="nowhere") == ([], False, 0)
    assert await found(world, connection=ConnectionSelector(id=instances["e"].connection_id)) == ([], False, 0)
    assert await found(world, data_source=DataSourceSelector(key="nothing")) == ([], False, 0)
    # Two integrations have one of that key: the integration that is named beside it tells which.
    assert await found(world, connection=in_notes, data_source=own) == (["c"], False, 1)
    assert await found(world, integration_key="other", data_source=own) == ([], False, 0)
    with pytest.raises(AmbiguousError):
        await found(world, data_source=own)


async def test_archived_instances_are_listed_only_where_they_are_asked_for(world, instances):
    await data_source_instances.archive(world.runtime, world.acme, by=DataSourceInstanceSelector(id=instances["a"].id))

    assert await found(world) == (["b", "c", "d"], False, 3)
    assert await found(world, include_archived=True) == (["a", "b", "c", "d"], False, 4)


@pytest.mark.parametrize("states", [None, (ElementState.READY, ElementState.SETUP_FAILED)])
async def test_pages_follow_one_another_whatever_narrows_the_list(world, instances, states):
    assert await found(world, first=3, states=states) == (["a", "b", "c"], True, 4)
    assert await found(world, first=3, after=instances["c"].id, states=states) == (["d"], False, 4)
    assert await found(world, first=4, states=states) == (["a", "b", "c", "d"], False, 4)


async def test_a_list_by_state_costs_the_same_number_of_statements_however_long_it_is(world, instances):
    async def statements():
        with recorded_statements(world.runtime.database) as recorded:
            listing = await data_source_instances.page(
                world.runtime,
                world.acme,
                window=RowWindow(first=100),
                filter=DataSourceInstanceFilter(states=(ElementState.READY,)),
                include_archived=False,
            )
        return len(recorded), len(listing.rows)

    before = await statements()
    for number in range(20):
        await given.instance(world.runtime, world.acme, world.connection, instance_key=f"more{number}")

    assert await statements() == (before[0], before[1] + 20)


async def test_the_data_source_of_an_integration_means_its_instances_in_that_integration(world, instances):
    in_notes = DataSourceSelector(key="jottings", integration_key="notes")
    assert await found(world, data_source=in_notes) == (["a", "b"], False, 2)

    (customization,) = await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=["notes"])

    assert await found(world, data_source=in_notes) == (["a", "b"], False, 2)
    assert await found(world, data_source=DataSourceSelector(id=customization.id)) == (["a", "b"], False, 2)
    assert await found(world, data_source=DataSourceSelector(key="jottings")) == (["a", "b", "d"], False, 3)
    assert await found(world, integration_key="other", data_source=in_notes) == ([], False, 0)
