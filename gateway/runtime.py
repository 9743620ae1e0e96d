"""The long-lived parts, opened and closed together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from gateway.clock import Clock, SystemClock
from gateway.config import Settings
from gateway.connectors.bounded import Bounded
from gateway.connectors.catalog import Catalog
from gateway.connectors.described import DescribedCollections
from gateway.connectors.http import Http
from gateway.connectors.operation import Operation
from gateway.connectors.protocol import Access, Connector
from gateway.events.events import Events, open_events
from gateway.storage.database import Database
from gateway.storage.encryption import Cipher
from gateway.udm import Models, load_models

Opened = tuple[tuple[object, ...], Access]
"""What a connector may know of a connection that can be used, and the state of the rows that tell it."""

_MAXIMUM_OPENED_BYTES = 16 * 1024 * 1024
"""What opened connections may take in memory: some thousands of them."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What every use case works with."""

    settings: Settings
    clock: Clock
    database: Database
    cipher: Cipher
    http: Http
    connectors: Catalog
    events: Events = field(repr=False)
    """What listens to the event log in this process."""
    udm: Models = field(repr=False)
    """The universal data models that the gateway knows."""
    described: DescribedCollections = field(default_factory=DescribedCollections, repr=False)
    """What apps said of their collections not long ago."""
    operation: Operation = field(default_factory=Operation, repr=False)
    """What apps are asked on behalf of; without bounds where nobody waits for an answer."""
    opened: Bounded[Opened] = field(default_factory=lambda: Bounded(maximum_weight=_MAXIMUM_OPENED_BYTES), repr=False)
    """Connections that were found to be usable, by the numbers of their ids: to open credentials takes longer than to use them."""

    def for_operation(self) -> "Runtime":
        """The same parts for one operation, which may make as many requests to apps as the settings allow."""
        bounded = Operation(maximum_calls=self.settings.upstream_calls_per_operation, remembers=True, era=self.operation.era)
        # As `replace` does, which asks and sets each field in turn: each request is such an operation.
        runtime = object.__new__(Runtime)
        vars(runtime).update(vars(self), operation=bounded)
        return runtime


@asynccontextmanager
async def open_runtime(settings: Settings, *, clock: Clock | None = None, connectors: Sequence[Connector] = ()) -> AsyncIterator[Runtime]:
    """The parts that the settings ask for, on a migrated database; closed in reverse order at the end.

    Raises ConfigurationError when a setting, a connector file, a file of models or the database cannot be used.
    """
    async with AsyncExitStack() as stack:
        cipher = Cipher.from_key_ring(settings.encryption_keys)
        http = Http(allowed_networks=settings.allowed_networks)
        stack.push_async_callback(http.aclose)
        models = load_models(settings.udm_files)
        catalog = Catalog.load(http, settings, files=settings.connector_files, connectors=connectors, clock=clock, models=models)
        database = Database.connect(settings.database_url)
        stack.push_async_callback(database.close)
        await database.migrate()
        clock = clock if clock is not None else SystemClock()
        events = await stack.enter_async_context(open_events(database, clock))
        yield Runtime(
            settings=settings,
            clock=clock,
            database=database,
            cipher=cipher,
            http=http,
            connectors=catalog,
            events=events,
            udm=models,
        )
