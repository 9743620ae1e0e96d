"""Records that are named one by one, by ids and references: read together, and once for an operation."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast
from uuid import UUID

from gateway.errors import GatewayError
from gateway.graphql.batching import EachLoader, Loader, each
from gateway.graphql.fields import TYPE_NAME, given
from gateway.graphql.sources import READ_FROM, Place, RecordSource, UnifiedSource, collection_at, records_of
from gateway.models import JsonObject, LocationKind, Pointer, Principal, Record
from gateway.models.answer_objects import AnswerObject
from gateway.runtime import Runtime
from gateway.services import record_places, records, references, unified
from gateway.services.record_places import RecordPlace
from gateway.udm import PageReader, Translation
from gateway.udm.shapes import type_name

_Read = Callable[[Record], JsonObject]
_Picks = Callable[[Translation], PageReader]
_ReaderKey = tuple[RecordPlace, str | None]
"""A place, and the model that was asked for."""
_ROOT = Pointer("")


@dataclass(frozen=True, slots=True)
class RecordKey:
    """A record of a place as a key: equal to the same record of the same collection, whatever led there."""

    identity: str
    external_id: str
    place: RecordPlace = field(compare=False)

    @classmethod
    def of(cls, place: RecordPlace, external_id: str) -> "RecordKey":
        """The record of that id at a place."""
        return cls(place.identity, external_id, place)


@dataclass(frozen=True, slots=True)
class FieldKey:
    """A field of a collection as a key."""

    identity: str
    name: str
    place: RecordPlace = field(compare=False)

    @classmethod
    def of(cls, place: RecordPlace, name: str) -> "FieldKey":
        """The field of that name at a place."""
        return cls(place.identity, name, place)


@dataclass(frozen=True, slots=True)
class ModelKey:
    """A model in a connection as a key."""

    connection_id: UUID
    model: str
    place: RecordPlace = field(compare=False)
    """Any place in the connection."""

    @classmethod
    def of(cls, place: RecordPlace, model: str) -> "ModelKey":
        """The model where a place is."""
        return cls(place.connection.id, model, place)


@dataclass(frozen=True, slots=True)
class ReferenceKey:
    """A record of a model in a connection as a key."""

    connection_id: UUID
    model: str
    external_id: str
    place: RecordPlace = field(compare=False)
    """Any place in the connection."""

    @classmethod
    def of(cls, place: RecordPlace, model: str, external_id: str) -> "ReferenceKey":
        """The record of that id of a model where a place is."""
        return cls(place.connection.id, model, external_id, place)

    @property
    def of_model(self) -> ModelKey:
        """The model in the connection."""
        return ModelKey.of(self.place, self.model)


@dataclass(frozen=True, slots=True)
class AddressKey:
    """What a record's id says of its place, as a key."""

    identity: str
    connection_id: UUID = field(compare=False)
    pointer: Pointer = field(compare=False)

    @classmethod
    def of(cls, connection_id: UUID, pointer: Pointer) -> "AddressKey":
        """The address of a pointer in a connection."""
        return cls(json.dumps([str(connection_id), pointer.key, pointer.parameters], sort_keys=True), connection_id, pointer)


class RecordLoaders:
    """The loaders of records of one operation, and what it has worked out of their places."""

    def __init__(self, runtime: Runtime, principal: Principal) -> None:
        self._runtime = runtime
        self._principal = principal
        self._translations: dict[_ReaderKey, Translation] = {}
        self._readers: dict[_ReaderKey, tuple[_Read, str]] = {}
        self._picking: dict[tuple[int, _Picks], PageReader] = {}
        """By the ids of translations, which `_translations` keeps."""
        self._refusals: dict[_ReaderKey, GatewayError] = {}
        self._collections: dict[tuple[str, str | None], Place] = {}

    @cached_property
    def record_by_key(self) -> Loader[RecordKey, Record | None]:
        """Records by their places and ids; null where the app has none. Those of one place are read in the fewest requests."""
        return Loader(self._read_records)

    @cached_property
    def place_by_model(self) -> Loader[ModelKey, RecordPlace]:
        """Where the records of a model are in a connection."""
        return EachLoader(self._find_model)

    @cached_property
    def unified_by_reference(self) -> Loader[ReferenceKey, UnifiedSource | None]:
        """Records of models as the fields of others name them: each translated once, however often it is named."""
        return Loader(self._read_references)

    @cached_property
    def target_by_field(self) -> Loader[FieldKey, JsonObject]:
        """What collections' own fields refer to: found once, however many records are followed."""
        return EachLoader(self._find_target)

    @cached_property
    def place_by_address(self) -> Loader[AddressKey, RecordPlace | None]:
        """The places that ids of records name."""
        return EachLoader(self._find_address)

    def unified(self, record: RecordSource, udm: str | None) -> UnifiedSource:
        """A record as a model: the named one, the data source's, or the collection's only one. Raises as `unified.translation_of` does.

        The name may be an argument as it was given or left out: that is looked at once for a place, not for each of its records.
        """
        native, _, home = record
        read, type_name = self._readers.get((home, udm)) or self._reader(home, udm)
        source = read(native)
        source[TYPE_NAME], source[READ_FROM] = type_name, record
        return source

    def picked(self, shown: Sequence[RecordSource | None], udm: str | None, picks: _Picks) -> Sequence[AnswerObject | None]:
        """What `picks` gives reads of each record as a model, null of null. Raises as `unified` does.

        Those of a page, which all are of one place, are read in one go.
        """
        first = next(filter(None, shown), None)
        if first is None:
            return [None] * len(shown)
        home = first[2]
        records = [record for record, _, at in filter(None, shown) if at is home]
        if len(records) < len(shown):
            return [self.picked((each,), udm, picks)[0] for each in shown]
        translation = self._translation(home, udm)
        # Each of many events has a place of its own, all of which have one translation: to compile what reads it takes long.
        key = (id(translation), picks)
        read = self._picking.get(key)
        if read is None:
            read = self._picking[key] = picks(translation)
        return read(records)

    def unified_fields(self, record: RecordSource, udm: str | None) -> JsonObject:
        """The fields of a record as a model, as JSON. Raises as `unified` does."""
        native, _, home = record
        return self._translation(home, udm).read(native)

    def _reader(self, home: RecordPlace, udm: str | None) -> tuple[_Read, str]:
        """What reads a place's records as a model, and the name of the model's type."""
        translation = self._translation(home, udm)
        reader = self._readers[home, udm] = translation.read, type_name(translation.model)
        return reader

    def _translation(self, home: RecordPlace, udm: str | None) -> Translation:
        """How a place's records translate into a model: told once."""
        key = (home, udm)
        if key in self._refusals:
            # Without its trace: an error that is raised again and again would drag an ever longer one along.
            raise self._refusals[key].with_traceback(None)
        if key not in self._translations:
            try:
                self._translations[key] = unified.translation_of(self._runtime, home, given(udm))
            except GatewayError as error:
                self._refusals[key] = error
                raise
        return self._translations[key]

    def collection_of(self, place: RecordPlace) -> Place:
        """The collection of a place, as the schema shows it."""
        key = (place.identity, place.udm)
        if key not in self._collections:
            self._collections[key] = collection_at(place, is_connector_default=self._is_default(place))
        return self._collections[key]

    def _is_default(self, place: RecordPlace) -> bool:
        connector = self._runtime.connectors.get(place.integration.connector_key)
        held = (connector.static_locations(_ROOT) if connector is not None else None) or ()
        collections = [location for location in held if location.kind is LocationKind.COLLECTION]
        return any(location.is_default and location.pointer == place.pointer for location in collections)

    async def _read_records(self, keys: list[RecordKey]) -> Sequence[Record | GatewayError | None]:
        by_place: dict[str, list[RecordKey]] = defaultdict(list)
        for key in keys:
            by_place[key.identity].append(key)
        answers = await each(self._read_place, list(by_place.values()))
        found = dict(zip(by_place, answers, strict=True))

        def answer(key: RecordKey) -> Record | GatewayError | None:
            of_place = found[key.identity]
            # Whatever ended the reading of a place, each of its records hears of it.
            return of_place.get(key.external_id) if isinstance(of_place, dict) else cast(GatewayError, of_place)

        return [answer(key) for key in keys]

    async def _read_place(self, keys: Sequence[RecordKey]) -> dict[str, Record | GatewayError | None]:
        external_ids = [key.external_id for key in keys]
        return await records.by_ids(self._runtime, self._principal, place=keys[0].place, external_ids=external_ids)

    async def _read_references(self, keys: list[ReferenceKey]) -> list[UnifiedSource | BaseException | None]:
        # All places first, then all records: those of one place that several models name are read together too.
        models = list(dict.fromkeys(key.of_model for key in keys))
        places = dict(zip(models, await each(self.place_by_model.load, models), strict=True))

        async def read(key: ReferenceKey) -> UnifiedSource | BaseException | None:
            place = places[key.of_model]
            if isinstance(place, BaseException):
                # Not raised: an error that is raised again and again would drag an ever longer trace along.
                return place
            record = await self.record_by_key.load(RecordKey.of(place, key.external_id))
            return self.unified(records_of(self.collection_of(place), place)(record), key.model) if record is not None else None

        return await each(read, keys)

    async def _find_model(self, key: ModelKey) -> RecordPlace:
        return await unified.model_place(self._runtime, self._principal, place=key.place, model=key.model)

    async def _find_target(self, key: FieldKey) -> JsonObject:
        return await references.target_of(self._runtime, self._principal, place=key.place, field=key.name)

    async def _find_address(self, key: AddressKey) -> RecordPlace | None:
        return await record_places.place_at(self._runtime, self._principal, connection_id=key.connection_id, pointer=key.pointer)
