"""Customers: created on first sight, kept up to date by their tokens."""

from sqlalchemy import delete as delete_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import ConflictError, NotFoundError
from gateway.models import Connection, Customer, DataSourceInstance, JsonObject, Principal, is_same_json
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services import checks, listing
from gateway.services.authority import require_admin
from gateway.services.listing import Listing
from gateway.services.patches import KEEP, Keep
from gateway.storage.rows import RowWindow


async def page(runtime: Runtime, principal: Principal, *, window: RowWindow, search: str | None) -> Listing[Customer]:
    """Customers, the oldest first; `search` looks in their ids and names. Only for admins."""
    require_admin(principal)
    statement = select(Customer)
    statement = listing.matching(statement, search, Customer.external_id, Customer.name)
    return await listing.read(runtime, principal, statement, window=window)


async def by_external_id(runtime: Runtime, principal: Principal, *, external_id: str) -> Customer | None:
    """The customer of that id. Only for admins."""
    require_admin(principal)
    async with runtime.database.read_once(principal) as session:
        return await _find(session, external_id)


async def see(runtime: Runtime, *, external_id: str, name: str | None, fields: JsonObject | None) -> Customer:
    """The customer that a token names, created on first sight; a name and fields that the token states replace the stored ones.

    A blank name states nothing. Raises InvalidError for what cannot be stored.
    """
    checks.text(external_id, field=["input", "externalId"])
    name = name if name is not None and name.strip() else None
    async with runtime.database.read_once(SYSTEM) as session:
        known = await _find(session, external_id)
    if known is not None and name in (None, known.name) and (fields is None or is_same_json(fields, known.fields)):
        return known
    return await _store(
        runtime, SYSTEM, external_id=external_id, name=KEEP if name is None else name, fields=KEEP if fields is None else fields
    )


async def upsert(
    runtime: Runtime, principal: Principal, *, external_id: str, name: str | Keep | None = KEEP, fields: JsonObject | Keep | None = KEEP
) -> Customer:
    """The customer of that id, created if there is none. Only for admins."""
    require_admin(principal)
    return await _store(runtime, principal, external_id=external_id, name=name, fields=fields)


async def delete(runtime: Runtime, principal: Principal, *, external_id: str) -> str:
    """The id of the customer that is gone, with its connections, their credentials and instances. Only for admins; not to be undone."""
    require_admin(principal)
    try:
        async with runtime.database.write(principal) as session:
            customer = await _find(session, external_id)
            if customer is None:
                raise NotFoundError(f"There is no customer {external_id[:100]!r}.", field=["input", "externalId"])
            await session.exec(delete_rows(DataSourceInstance).where(col(DataSourceInstance.customer_id) == customer.id))
            await session.exec(delete_rows(Connection).where(col(Connection.customer_id) == customer.id))
            await session.delete(customer)
    except IntegrityError:
        raise ConflictError(f"Customer {external_id!r} connected an app at this moment. Delete it again.") from None
    return external_id


async def _store(
    runtime: Runtime, principal: Principal, *, external_id: str, name: str | Keep | None, fields: JsonObject | Keep | None
) -> Customer:
    checks.text(external_id, field=["input", "externalId"])
    try:
        return await _store_once(runtime, principal, external_id, name, fields)
    except IntegrityError:
        # Another request saw the customer first at the same moment: now it is there to be updated.
        return await _store_once(runtime, principal, external_id, name, fields)


async def _store_once(
    runtime: Runtime, principal: Principal, external_id: str, name: str | Keep | None, fields: JsonObject | Keep | None
) -> Customer:
    now = runtime.clock.now()
    async with runtime.database.write(principal) as session:
        customer = await _find(session, external_id) or Customer(external_id=external_id, created_at=now, updated_at=now)
        if not isinstance(name, Keep):
            customer.name = checks.optional_text(name, field=["input", "name"])
        if not isinstance(fields, Keep):
            customer.fields = checks.json_object(fields, field=["input", "fields"])
        customer.updated_at = now
        session.add(customer)
    return customer


async def _find(session: AsyncSession, external_id: str) -> Customer | None:
    return (await session.exec(select(Customer).where(Customer.external_id == external_id))).first()
