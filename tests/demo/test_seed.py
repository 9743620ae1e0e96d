"""What the demo has set up, read through the services as any caller would."""

import pytest

from gateway.clock import SystemClock
from gateway.config import Settings, read_settings
from gateway.demo import app as external_app
from gateway.demo.hosting import hosted
from gateway.demo.keys import keys_beside
from gateway.demo.seed import seed
from gateway.demo.workplace import Workplace
from gateway.models import Principal
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime, open_runtime
from gateway.services import connections, customers, data_source_instances, data_sources, places, records
from gateway.services.patches import KEEP
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector, DataSourceSelector, PointerInput
from gateway.storage.rows import RowWindow
from tests.support import runtime as given

KEY = "a-key"
BY_INTEGRATION = ConnectionSelector(integration_key="demo")


@pytest.fixture
async def app_url():
    app = external_app.create_app(Workplace(), key=KEY, now=SystemClock().now, seconds_between_changes=None)
    async with hosted(app) as address:
        yield address


@pytest.fixture
async def runtime(tmp_path, app_url):
    keys = keys_beside(tmp_path / "demo.db")
    settings = read_settings(
        Settings,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/demo.db",
        token_secret=keys.token_secret,
        encryption_keys=keys.encryption_keys,
        allowed_networks="127.0.0.0/8",
    )
    async with open_runtime(settings) as runtime:
        await seed(runtime, app_url=app_url, app_key=KEY)
        yield runtime


@pytest.fixture
async def acme(runtime) -> Principal:
    customer = await customers.by_external_id(runtime, SYSTEM, external_id="acme")
    return Principal(customer_id=customer.id)


def instance_of(key: str) -> DataSourceInstanceSelector:
    return DataSourceInstanceSelector(connection=BY_INTEGRATION, data_source=DataSourceSelector(key=key))


async def test_the_customer_has_one_connection_that_the_app_accepts(runtime: Runtime, acme):
    connection = await connections.by_selector(runtime, acme, by=BY_INTEGRATION)

    tested = await connections.test(runtime, acme, by=BY_INTEGRATION)
    assert (connection.name, connection.error, tested.is_accepted) == ("Acme's work tracker", None, True)


async def test_the_app_can_be_browsed(runtime: Runtime, acme):
    connection = await connections.by_selector(runtime, acme, by=BY_INTEGRATION)

    root = await places.locations(runtime, acme, connection=connection, path="/", first=5, after=None)
    project = await places.locations(runtime, acme, connection=connection, path="/data/project?projectId=2", first=10, after=None)
    found = await places.location(runtime, acme, connection=connection, path="/data/project?projectId=2")
    missing = await places.location(runtime, acme, connection=connection, path="/data/project?projectId=99")

    assert [(place.name, place.pointer.path) for _, place in root.edges] == [
        ("All tasks", "/data/tasks"),
        ("Projects", "/data/projects"),
        ("Users", "/data/users"),
        ("Website relaunch", "/data/project?projectId=1"),
        ("Mobile app", "/data/project?projectId=2"),
    ]
    assert root.has_next
    assert [(place.name, place.pointer.path) for _, place in project.edges] == [
        ("Tasks", "/data/tasks?projectId=2"),
        ("Open tasks", "/data/tasks?projectId=2&status=open"),
    ]
    assert (found.name, missing) == ("Mobile app", None)


@pytest.mark.parametrize(("key", "count"), [("tasks", 480), ("users", 24)])
async def test_each_data_source_reads_all_records_of_its_collection(runtime: Runtime, acme, key, count):
    connection = await connections.by_selector(runtime, acme, by=BY_INTEGRATION)
    instance = await data_source_instances.by_selector(runtime, acme, by=instance_of(key))
    spec = runtime.connectors["demo"].spec

    place = await given.place(runtime, connection, spec.default_collections[key])
    page = await records.page(runtime, acme, place=place, first=1000, after=None)

    assert instance.is_customized is False
    assert len({record.external_id for _, record in page.edges}) == count
    assert not page.has_next


async def test_seeding_again_changes_nothing_but_the_address(runtime: Runtime, acme, app_url):
    pointer = PointerInput(path="/data/tasks?projectId=2")
    await data_source_instances.update(
        runtime, acme, by=instance_of("tasks"), pointer=pointer, pull_updates_interval_seconds=KEEP, full_sync_interval_seconds=KEEP
    )
    before = await connections.by_selector(runtime, acme, by=BY_INTEGRATION)

    other = external_app.create_app(Workplace(), key="another-key", now=SystemClock().now, seconds_between_changes=None)
    async with hosted(other) as new_address:
        await seed(runtime, app_url=new_address, app_key="another-key")

    after = await connections.by_selector(runtime, acme, by=BY_INTEGRATION)
    instance = await data_source_instances.by_selector(runtime, acme, by=instance_of("tasks"))
    sources = await data_sources.page(
        runtime, SYSTEM, window=RowWindow(first=10, after=None), filter=data_sources.DataSourceFilter(), include_archived=True
    )
    assert (before.id, before.parameters) == (after.id, {"server": app_url})
    assert after.parameters == {"server": new_address}
    assert instance.pointer == {"key": "tasks", "parameters": {"projectId": 2}}
    assert [source.key for source in sources.rows] == ["tasks", "users"]
    assert after.error is None
