"""Short ways to records that tests of their reads and writes share."""

from collections.abc import Callable
from typing import Any, TypeVar

from gateway.errors import CombinedUserError, GatewayError, UserError
from gateway.models import Pointer
from gateway.services import record_writes, records
from gateway.services.record_places import RecordPlace
from gateway.services.selectors import FieldValues, RecordListQuery
from tests.services.conftest import World
from tests.support import runtime as given

Value = TypeVar("Value")
Told = tuple[type[GatewayError], str, tuple[str, ...] | None]


async def cards(world: World, *, udm: str | None = None) -> RecordPlace:
    """The cards of the customer's connection."""
    return await given.place(world.runtime, world.connection, Pointer("cards"), udm=udm)


async def people(world: World) -> RecordPlace:
    """The people of the customer's connection."""
    return await given.place(world.runtime, world.connection, Pointer("people"))


async def notes(world: World) -> RecordPlace:
    """The notes of the customer's connection, which can only be listed."""
    return await given.place(world.runtime, world.connection)


async def listed(world: World, place: RecordPlace | None = None, *, first: int = 50, **query: Any) -> list[str]:
    """The ids that a list gives."""
    place = place or await cards(world)
    page = await records.page(world.runtime, world.acme, place=place, first=first, after=None, query=RecordListQuery(**query))
    return [record.external_id for _, record in page.edges]


async def create(world: World, place: RecordPlace | None = None, *, udm: str | None = None, key: str | None = None, **values: Any) -> Any:
    """A new card."""
    place = place or await cards(world)
    return await record_writes.create(world.runtime, world.acme, place=place, values=FieldValues(**values), udm=udm, idempotency_key=key)


async def update(world: World, external_id: str, *, udm: str | None = None, if_version: str | None = None, **values: Any) -> Any:
    """A changed card."""
    return await record_writes.update(
        world.runtime,
        world.acme,
        place=await cards(world),
        external_id=external_id,
        values=FieldValues(**values),
        udm=udm,
        if_version=if_version,
    )


async def delete(world: World, external_id: str, *, if_version: str | None = None) -> str:
    """The id of a card that is gone."""
    return await record_writes.delete(world.runtime, world.acme, place=await cards(world), external_id=external_id, if_version=if_version)


def outcome(read: Callable[[], Value]) -> tuple[Value | None, list[Told]]:
    """What is read, or what is said instead."""
    try:
        return read(), []
    except (UserError, CombinedUserError) as error:
        return None, told(error)


def told(error: GatewayError) -> list[Told]:
    """What an error says, part by part: class, message and the place of the input."""
    parts = error.errors if isinstance(error, CombinedUserError) else (error,)
    return [
        (type(part), part.message, tuple(part.field) if isinstance(part, UserError) and part.field is not None else None) for part in parts
    ]
