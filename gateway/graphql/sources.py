"""What the schema shows of an app: places with the way they were found, and records as dicts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.models import Connection, Integration, JsonObject, Location, LocationKind, Pointer, Record
from gateway.services.record_places import RecordPlace

RecordSource = dict[str, Any]
"""A record by the Python names of its fields in the schema, with the record itself as `source` and its `RecordPlace` as `home`."""


class UnifiedSource(dict[str, Any]):
    """A record as a model: its fields by the model's names. A part of one, such as a line item, is one too."""

    __slots__ = ("record", "type_name")

    def __init__(self, values: Mapping[str, Any], *, type_name: str, record: RecordSource) -> None:
        super().__init__(values)
        self.type_name = type_name
        """The name of the model's type."""
        self.record = record

    @property
    def home(self) -> RecordPlace:
        """Where the record is."""
        home: RecordPlace = self.record["home"]
        return home

    def part(self, value: Any) -> Any:
        """A nested value, or each of a list of them, as a source of its own."""
        if isinstance(value, list):
            return [self.part(each) for each in value]
        return UnifiedSource(value, type_name=self.type_name, record=self.record) if isinstance(value, dict) else None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Through what an app is looked at: a connection, an instance in it, or an integration alone."""

    connection: Connection | None = None
    integration: Integration | None = None
    """Set where there is no connection."""
    is_instance: bool = False
    default: Pointer | None = None
    """The collection that a reset of the instance returns to."""
    udm: str | None = None
    """The instance's model: locations that suit it come first."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A location and its origin."""

    origin: Origin
    pointer: Pointer
    kind: LocationKind = LocationKind.COLLECTION
    known_name: str | None = None
    """What the app calls it, where it has been asked already."""
    is_connector_default: bool = field(default=False, compare=False)

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


def place_of(location: Location, origin: Origin) -> Place:
    """A location as the app gave it."""
    return Place(
        origin=origin, pointer=location.pointer, kind=location.kind, known_name=location.name, is_connector_default=location.is_default
    )


def collection_at(home: RecordPlace, *, is_connector_default: bool) -> Place:
    """The collection of a place that no location led to."""
    origin = Origin(connection=home.connection, udm=home.udm)
    return Place(origin=origin, pointer=home.pointer, is_connector_default=is_connector_default)


def records_of(place: Place, home: RecordPlace) -> Callable[[Record], RecordSource]:
    """Shows records of a place."""

    def show(record: Record) -> RecordSource:
        return {
            "external_id": record.external_id,
            "name": record.name,
            "url": record.url,
            "version": record.version,
            "fields": record.fields,
            "raw_fields": record.raw_fields,
            "created_at": record.created_at,
            "updated_at": record.updated_at,
            "collection": place,
            "source": record,
            "home": home,
        }

    return show
