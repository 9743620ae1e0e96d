"""What the schema shows of an app: places with the way they were found, and records with where they were read."""

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

from msgspec import Struct

from gateway.graphql.fields import TYPE_NAME
from gateway.models import Connection, Integration, JsonObject, Location, LocationKind, Pointer, Record
from gateway.services.record_places import RecordPlace

UnifiedSource = dict[str, Any]
"""A record as a model: its fields by the model's names, the name of the model's type, and the `RecordSource` that was read.

A part of one, such as a line item, is one too, where it must know where it came from.
"""
READ_FROM = "__record"
"""Where it has that. No field of a model begins so."""


def part_of(source: UnifiedSource, value: Any) -> Any:
    """A nested value, or each of a list of them, as a source of its own."""
    if isinstance(value, list):
        return [part_of(source, each) for each in value]
    return {**value, TYPE_NAME: source[TYPE_NAME], READ_FROM: source[READ_FROM]} if isinstance(value, dict) else None


class Origin(Struct, frozen=True, kw_only=True):
    """Through what an app is looked at: a connection, an instance in it, or an integration alone."""

    connection: Connection | None = None
    integration: Integration | None = None
    """Set where there is no connection."""
    is_instance: bool = False
    default: Pointer | None = None
    """The collection that a reset of the instance returns to."""
    udm: str | None = None
    """The instance's model: locations that suit it come first."""


class Place(Struct, frozen=True, kw_only=True):
    """A location and its origin."""

    origin: Origin
    pointer: Pointer
    kind: LocationKind = LocationKind.COLLECTION
    known_name: str | None = None
    """What the app calls it, where it has been asked already."""
    is_connector_default: bool = False
    home: RecordPlace | None = None
    """Where its records are, where that has been found already."""

    @property
    def path(self) -> str:
        """Where it is."""
        return self.pointer.path

    @property
    def key(self) -> str:
        """Its key in the connector."""
        return self.pointer.key

    @property
    def parameters(self) -> JsonObject:
        """Its parameters."""
        return self.pointer.parameters

    @property
    def is_default(self) -> bool:
        """Whether it is the default: the instance's own under an instance, else the connector's."""
        return self.pointer == self.origin.default if self.origin.is_instance else self.is_connector_default


def place_of(location: Location, origin: Origin, *, home: RecordPlace | None = None) -> Place:
    """A location as the app gave it; `home` is where the records of a collection are."""
    return Place(
        origin=origin,
        pointer=location.pointer,
        kind=location.kind,
        known_name=location.name,
        is_connector_default=location.is_default,
        home=home,
    )


def collection_at(home: RecordPlace, *, is_connector_default: bool) -> Place:
    """The collection of a place that no location led to."""
    origin = Origin(connection=home.connection, udm=home.udm)
    return Place(origin=origin, pointer=home.pointer, is_connector_default=is_connector_default)


RecordSource = tuple[Record, Place, RecordPlace]
"""A record, the collection that it was read from as the schema shows it, and where that is. No other source is a tuple."""


def shown(place: Place, home: RecordPlace, records: Iterable[Record]) -> list[RecordSource]:
    """Records of a place: all of a page in one go."""
    return list(zip(records, repeat(place), repeat(home), strict=False))


def records_of(place: Place, home: RecordPlace) -> Callable[[Record], RecordSource]:
    """Shows a record of a place."""
    return lambda record: (record, place, home)
