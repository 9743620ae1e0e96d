"""Every nested object comes through one of these: read together, and once for an operation."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy.orm import InstrumentedAttribute
from sqlmodel import SQLModel, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.errors import NotFoundError
from gateway.graphql import relay
from gateway.graphql.batching import ByIdentity, EachLoader, Loader
from gateway.graphql.budget import Budget
from gateway.graphql.event_loaders import EventLoaders
from gateway.graphql.instance_places import Answer, InstancePlace, instances_at
from gateway.graphql.layers import DefinitionLayers, InstanceLayers
from gateway.graphql.record_loaders import RecordLoaders
from gateway.models import (
    CollectionSpec,
    Connection,
    DataSource,
    DataSourceInstance,
    Integration,
    Location,
    Pointer,
    Principal,
)
from gateway.runtime import Runtime
from gateway.services import instance_context, places
from gateway.services.elements import Known
from gateway.storage import rows
from gateway.storage.rows import RowPage, RowWindow

Model = TypeVar("Model", bound=SQLModel)

_REMEMBERED_ROWS = 20
"""Of one read, that is remembered while nothing is committed: what most operations look at first, and never a whole page."""


@dataclass(frozen=True)
class _Children:
    """The rows that name a parent in one of their columns."""

    column: InstrumentedAttribute[Any]
    includes_archived: bool
    integration_id: UUID | None
    """For instances: only those in connections of this integration."""

    @property
    def statement(self) -> SelectOfScalar[Any]:
        child = self.column.class_
        statement = select(child)
        if not self.includes_archived:
            statement = statement.where(child.archived_at.is_(None))
        if self.integration_id is not None:
            of_integration = select(Connection.id).where(Connection.integration_id == self.integration_id)
            statement = statement.where(child.connection_id.in_(of_integration))
        return statement


@dataclass(frozen=True)
class PlaceKey:
    """A location of an app as a key: equal to the same place in the same connection."""

    identity: str
    connection: Connection = field(compare=False)
    pointer: Pointer = field(compare=False)

    @classmethod
    def of(cls, connection: Connection, pointer: Pointer) -> "PlaceKey":
        """The place of a pointer in a connection."""
        return cls(json.dumps([str(connection.id), pointer.key, pointer.parameters], sort_keys=True), connection, pointer)


class Loaders:
    """The loaders of one operation; each is made when it is first used, and named by what it finds and by what."""

    def __init__(self, runtime: Runtime, principal: Principal, budget: Budget) -> None:
        self._runtime = runtime
        self._principal = principal
        self._budget = budget
        self._pages: dict[tuple[_Children, RowWindow], Loader[UUID, RowPage[Any]]] = {}
        self._counts: dict[_Children, Loader[UUID, int]] = {}
        self._rows: dict[type[SQLModel], Loader[UUID, Any]] = {}
        self._at_hand: dict[type[SQLModel], dict[int, Any]] = {}
        """Rows of types that nobody has waited for yet, by the numbers of their ids."""
        self._records: RecordLoaders | None = None

    @cached_property
    def instance_by_place(self) -> Loader[InstancePlace, DataSourceInstance | None]:
        """The instance of a data source in a connection, if there is one."""
        return Loader(self._read_instances)

    @cached_property
    def layers_by_definition(self) -> Loader[ByIdentity[DataSource], DefinitionLayers]:
        """What decides the settings of a definition, as the row that is passed stands, saved or not."""
        return EachLoader(self._layers_of)

    @cached_property
    def layers_by_instance(self) -> Loader[ByIdentity[DataSourceInstance], InstanceLayers]:
        """What decides the settings of an instance, as the row that is passed stands, saved or not."""
        return Loader(self._read_instance_layers)

    @cached_property
    def location_by_place(self) -> Loader[PlaceKey, Location | None]:
        """What the app calls a place; null when it has none there."""
        return EachLoader(self._ask_location)

    @cached_property
    def spec_by_place(self) -> Loader[PlaceKey, CollectionSpec]:
        """What a collection can do in a connection."""
        return EachLoader(self._ask_spec)

    @property
    def records(self) -> RecordLoaders:
        """The loaders of records that are named one by one."""
        if self._records is None:
            self._records = RecordLoaders(self._runtime, self._principal)
        return self._records

    @cached_property
    def events(self) -> EventLoaders:
        """The loaders of what is known of changes."""
        return EventLoaders(self._runtime, self._principal)

    def row_by_id(self, model: type[Model]) -> Loader[UUID, Model | None]:
        """The loader of a type's rows, archived or not."""
        if model not in self._rows:
            self._rows[model] = Loader(self._read_by_ids, model)
            for row in self._at_hand.get(model, {}).values():
                self._rows[model].prime(row.id, row)
        return self._rows[model]

    def row_at_hand(self, model: type[Model], row_id: UUID) -> Model | None:
        """One row of a type that nobody has to wait for: it was read lately, and nothing was committed since. Null for any other."""
        # A UUID takes twice the steps of its number to look up.
        number = row_id.int
        at_hand: dict[int, Model] = self._at_hand.setdefault(model, {})
        row = at_hand.get(number)
        if row is None and model not in self._rows:
            recent: list[Model | None] | None = self._runtime.database.recent((model, self._principal.identity, number))
            row = recent[0] if recent is not None else None
            if row is not None:
                at_hand[number] = row
        return row

    async def integration_of(self, connection: Connection) -> Integration:
        """The integration of a connection."""
        integration_id = connection.integration_id
        integration = self.row_at_hand(Integration, integration_id) or await self.row_by_id(Integration).load(integration_id)
        assert integration is not None  # noqa: S101 - a foreign key holds it, and everybody sees integrations.
        return integration

    async def children(
        self,
        column: Any,
        parent_id: UUID,
        *,
        first: int,
        after: str | None,
        include_archived: bool = False,
        integration_id: UUID | None = None,
        is_newest_first: bool = False,
    ) -> relay.Page[Any]:
        """A page of the rows that name a parent in a column; the same page of many parents is read at once."""
        window = relay.window(first, after, maximum=self._runtime.settings.max_page_size, is_newest_first=is_newest_first)
        children = _Children(cast(InstrumentedAttribute[Any], column), include_archived, integration_id)
        if (children, window) not in self._pages:
            self._pages[children, window] = Loader(self._read_pages, children, window)
        page = await self._pages[children, window].load(parent_id)
        self._budget.spend(len(page.rows))
        return relay.page_of_rows(page, after=window.after, count=partial(self._count, children, parent_id))

    async def _count(self, children: _Children, parent_id: UUID) -> int:
        if children not in self._counts:
            self._counts[children] = Loader(self._read_counts, children)
        return await self._counts[children].load(parent_id)

    async def _read_by_ids(self, model: type[Model], ids: list[UUID]) -> list[Model | None]:
        async def read() -> list[Model | None]:
            async with self._runtime.database.read_once(self._principal) as session:
                found = await rows.by_ids(session, model, ids)
            return [found.get(row_id) for row_id in ids]

        if len(ids) > _REMEMBERED_ROWS:
            return await read()
        return await self._runtime.database.remembered((model, self._principal.identity, *[row_id.int for row_id in ids]), read)

    async def _read_instances(self, keys: list[InstancePlace]) -> Sequence[Answer]:
        async with self._runtime.database.read(self._principal) as session:
            return await instances_at(session, keys)

    async def _read_pages(self, children: _Children, window: RowWindow, parent_ids: list[UUID]) -> list[RowPage[Any]]:
        async with self._runtime.database.read_once(self._principal) as session:
            found = await rows.pages_by_parent(
                session, children.statement, parent_column=children.column, parent_ids=parent_ids, window=window
            )
        return [found[parent_id] for parent_id in parent_ids]

    async def _read_counts(self, children: _Children, parent_ids: list[UUID]) -> list[int]:
        async with self._runtime.database.read_once(self._principal) as session:
            found = await rows.counts_by_parent(session, children.statement, parent_column=children.column, parent_ids=parent_ids)
        return [found[parent_id] for parent_id in parent_ids]

    async def _ask_location(self, place: PlaceKey) -> Location | None:
        integration = await self.integration_of(place.connection)
        path = place.pointer.path
        return await places.location(self._runtime, self._principal, connection=place.connection, integration=integration, path=path)

    async def _ask_spec(self, place: PlaceKey) -> CollectionSpec:
        integration = await self.integration_of(place.connection)
        return await places.spec(
            self._runtime, self._principal, connection=place.connection, integration=integration, pointer=place.pointer
        )

    async def _layers_of(self, key: ByIdentity[DataSource]) -> DefinitionLayers:
        definition = key.value
        universal = await self.row_by_id(DataSource).load(definition.universal_id) if definition.universal_id else None
        integration = await self.row_by_id(Integration).load(definition.integration_id) if definition.integration_id else None
        return DefinitionLayers(self._runtime, definition, universal, integration)

    async def _read_instance_layers(self, keys: list[ByIdentity[DataSourceInstance]]) -> list[InstanceLayers | NotFoundError]:
        async with self._runtime.database.read(self._principal) as session:
            found = await instance_context.contexts(session, [key.value for key in keys])
        for context in {id(context.root): context for context in found if context is not None}.values():
            self._note(context.root)
        for integration in {id(context.integration): context.integration for context in found if context is not None}.values():
            # What was read to decide the settings is not read again to be shown.
            self.row_by_id(Integration).prime(integration.id, integration)
        known = Known()
        return [InstanceLayers(self._runtime, context, known) if context is not None else instance_context.gone() for context in found]

    def _note(self, root: DataSource) -> None:
        """Makes known what decides the settings of a definition that is universal: nothing but itself."""
        if root.universal_id is None and root.integration_id is None:
            self.layers_by_definition.prime(ByIdentity(root), DefinitionLayers(self._runtime, root, None, None))
