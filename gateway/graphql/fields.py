"""How the schema's classes declare fields, arguments and each other.

The classes of `types` only describe: what they describe are our rows (SQLModel), the frozen dataclasses of the floors below, and
plain dicts for the app's records. A resolver's `self` is therefore one of those, and its return type what it really returns;
`type` says how the schema shows it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, ForwardRef, TypeVar, cast

import strawberry

from gateway.graphql.batching import Loader

Value = TypeVar("Value")
Resolver = Callable[..., Any]
"""A function that answers a field."""


COMPUTES = "computes"
"""Marks in a field's metadata that its resolver only computes, from its source and the context: it may be called again."""


ASKS_APP = "asks_app"
"""Marks in a field's metadata that it may ask the external app, which its description says to clients; it costs more."""
LOOKS_AT = "looks_at"
"""Marks of an `is_type_of` or `resolve_type` what it looks at: a `Look`."""
LOADS = "loads"
"""Marks in a field's metadata what a loader finds for it: its `Loads`."""
PART = "part"
"""Marks in a field's metadata that it is an attribute of a part of its source: its `Part`."""
PICKS = "picks"
"""Marks in the metadata of a field of a model's type which value of the model it shows: a `Picked`, whose `made` stands before the type's
own rule; without one the values are answered as the model has them."""
READS = "reads"
"""Marks in a field's metadata how only what is picked is read: a function of sources, some of which may be null, the info, the `Picks` and
the arguments. It gives what is picked of each."""
TOGETHER = "together"
"""Marks of such a field that the app is asked for many of its values at once; each costs less."""


def field(
    description: str,
    *,
    type: Any = None,
    computes: bool = False,
    reads: Resolver | None = None,
    asks_app: bool = False,
    together: bool = False,
) -> Callable[[Resolver], Any]:
    """Makes a resolver of a method; `type` is what the schema shows where that is not the method's return annotation.

    `computes` promises of one that takes `info` that it only computes, and of `info` looks at `context` only. Those that know
    nothing but their source promise it by that. Such fields are answered without the library's ceremony, for many items at once.
    `reads` answers it where only values of a model are picked of what it shows; see `READS`.
    `asks_app` says that it may ask the external app, and `together` that it does so for many values at once.
    """

    def decorate(resolver: Resolver) -> Any:
        return strawberry.field(
            resolver=resolver,
            description=description,
            graphql_type=type,
            metadata={COMPUTES: computes, READS: reads, ASKS_APP: asks_app, TOGETHER: together},
        )

    return decorate


TYPE_NAME = "__typename"
"""Where a dict says of which type it is; no field of a type begins so."""


class Look(Enum):
    """What alone tells the type of a source, so that not each has to be asked for it."""

    CLASS = "class"
    TYPE_NAME = "type name"
    """What a dict has for `TYPE_NAME`: there is no such source that is none."""


def looks_at(look: Look) -> Callable[[Resolver], Resolver]:
    """Marks an `is_type_of` or a `resolve_type` that looks at nothing else of a source."""

    def mark(judge: Resolver) -> Resolver:
        vars(judge)[LOOKS_AT] = look
        return judge

    return mark


Asked = tuple[Loader[Any, Any], Any]
"""A loader, and the key that it is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Loads:
    """A field whose value comes from one loader."""

    asks: Callable[[Any, Any], Asked | None]
    """From the source and the info: which loader is asked, and for which key; null where the value is null."""
    value: Callable[[Any, Any, Any], Any]
    """From the source, the info and what was loaded. It only computes, and of the info it looks at `context` only."""


def loaded(description: str, *, type: Any, asks: Callable[[Any, Any], Asked | None]) -> Callable[[Resolver], Any]:
    """Makes a field of a method `(self, info, loaded)` that shows what a loader found; see `Loads`.

    Where many such fields are asked for, all that they need is loaded first, and they are answered together.
    """

    def decorate(value: Resolver) -> Any:
        async def resolve(self: Any, info: strawberry.Info) -> Any:
            asked = asks(self, info)
            return value(self, info, await asked[0].load(asked[1])) if asked is not None else None

        return strawberry.field(resolver=resolve, description=description, graphql_type=type, metadata={LOADS: Loads(asks, value)})

    return decorate


@dataclass(frozen=True, slots=True)
class Part:
    """An attribute of an item of a source that is a tuple."""

    index: int
    name: str


def part(index: int, name: str, description: str) -> Any:
    """Makes a field that shows an attribute of an item of its source, which is a tuple. Where many are asked for, none is called for."""

    def resolve(self: Any) -> Any:
        return getattr(self[index], name)

    return strawberry.field(resolver=resolve, description=description, metadata={PART: Part(index, name)})


def reference(name: str, module: str) -> Any:
    """A type of `gateway.graphql.types` by name: types that name each other would else import each other."""
    return cast(Any, Annotated)[ForwardRef(name), strawberry.lazy(f"gateway.graphql.types.{module}")]


def read(source: object, name: str) -> object:
    """The value of a field without a resolver: an item of a dict, an attribute of anything else."""
    return source.get(name) if isinstance(source, dict) else getattr(source, name)


def given(value: Value | None) -> Value | None:
    """The value of an optional argument; null where it was left out."""
    return None if value is strawberry.UNSET else value


def items(values: Iterable[Value] | None) -> tuple[Value, ...] | None:
    """The items of an optional list argument; null where it was left out."""
    return tuple(values) if values is not None and values is not strawberry.UNSET else None


CONNECTOR = reference("Connector", "connector")
INTEGRATION = reference("Integration", "integration")
CUSTOMER = reference("Customer", "customer")
CONNECTION = reference("Connection", "connection")
DATA_COLLECTION = reference("DataCollection", "location")
LOCATION = reference("Location", "location")
COLLECTION_SPEC = reference("CollectionSpec", "collection")
UNIVERSAL_DATA_MODEL = reference("UniversalDataModel", "udm")
DATA_SOURCE = reference("DataSource", "data_source")
DATA_SOURCE_INSTANCE = reference("DataSourceInstance", "data_source_instance")
RECORD = reference("Record", "record")
EVENT_SUBSCRIPTION = reference("EventSubscription", "event_subscription")
CHANGE_EVENT = reference("ChangeEvent", "change_event")
SYNC_RUN = reference("SyncRun", "sync_run")


def pages(connection: Any, node: Any) -> Any:
    """A generic of `relay` for one type of nodes."""
    return cast(Any, connection)[node]


IF_REVISION = "The `revision` that you have read: where it has changed meanwhile, the answer is CONFLICT."
"""The description of `ifRevision`, which says the same everywhere."""
