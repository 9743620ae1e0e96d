"""Connections: one customer's links to integrations, checked against the app before they are saved."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import update as update_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.connectors.protocol import Access
from gateway.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError, UpstreamAuthError
from gateway.models import Connection, Customer, DataSourceInstance, Integration, JsonObject, Principal
from gateway.models.base import new_id
from gateway.runtime import Runtime
from gateway.services import access, checks, connection_inputs, elements, listing, selection, sync_requests
from gateway.services.connection_inputs import ConnectionInputs
from gateway.services.listing import Listing
from gateway.services.patches import KEEP, Keep, patched
from gateway.services.selectors import ConnectionFilter, ConnectionSelector
from gateway.storage.rows import RowWindow, by_ids
from gateway.storage.statements import locked

_BY = ["input", "by"]


async def page(
    runtime: Runtime, principal: Principal, *, window: RowWindow, filter: ConnectionFilter, include_archived: bool
) -> Listing[Connection]:
    """Connections, the oldest first; `search` looks in their names."""
    statement = select(Connection)
    if not include_archived:
        statement = statement.where(col(Connection.archived_at).is_(None))
    if filter.integration_key is not None:
        of_key = select(Integration.id).where(Integration.key == filter.integration_key, col(Integration.archived_at).is_(None))
        statement = statement.where(col(Connection.integration_id).in_(of_key))
    if filter.customer_external_id is not None:
        of_customer = select(Customer.id).where(Customer.external_id == filter.customer_external_id)
        statement = statement.where(col(Connection.customer_id).in_(of_customer))
    statement = listing.matching(statement, filter.search, Connection.name)
    if filter.states is None:
        return await listing.read(runtime, principal, statement, window=window)
    states = filter.states

    async def keeps(session: AsyncSession, rows: list[Connection]) -> list[bool]:
        integrations = await by_ids(session, Integration, {row.integration_id for row in rows})
        return [elements.connection_state(runtime, row, integrations[row.integration_id]) in states for row in rows]

    return await listing.read(runtime, principal, statement, window=window, keeps=keeps)


async def by_selector(runtime: Runtime, principal: Principal, *, by: ConnectionSelector) -> Connection | None:
    """The connection that a selector means, if there is one. Raises AmbiguousError."""

    async def find() -> Connection | None:
        async with runtime.database.read(principal) as session:
            try:
                return await selection.connection(session, principal, by, field=["by"])
            except NotFoundError:
                return None

    return await runtime.database.remembered(("connection", principal.identity, by), find)


async def create(
    runtime: Runtime,
    principal: Principal,
    *,
    integration_key: str,
    name: str | None,
    parameters: JsonObject | None,
    auth_method: str | None,
    credentials: JsonObject | None,
    customer_external_id: str | None,
) -> Connection:
    """The new connection, which its app has accepted.

    Raises UpstreamError when the app refuses or cannot be asked: then nothing is saved.
    """
    async with runtime.database.read(principal) as session:
        customer_id = await _owner(session, principal, customer_external_id)
        integration = await selection.integration(session, integration_key, field=["input", "integrationKey"])
    inputs = connection_inputs.read(runtime, integration, parameters=parameters, auth_method=auth_method, credentials=credentials)
    row_id, now = new_id(), runtime.clock.now()
    connection = Connection(
        id=row_id,
        integration_id=integration.id,
        customer_id=customer_id,
        name=checks.optional_text(name, field=["input", "name"]) or integration.name,
        parameters=inputs.parameters,
        auth_method=inputs.auth_method,
        credentials=_sealed(runtime, row_id, inputs),
        created_at=now,
        updated_at=now,
    )
    await _check(runtime, integration, row_id, inputs)
    try:
        async with runtime.database.write(principal) as session:
            _require_same(integration, await locked(session, integration, shared=True), field=["input", "integrationKey"])
            session.add(connection)
    except IntegrityError:
        raise NotFoundError("The customer was deleted at this moment.", field=["input", "customerExternalId"]) from None
    return connection


async def update(
    runtime: Runtime,
    principal: Principal,
    *,
    by: ConnectionSelector,
    name: str | Keep | None = KEEP,
    parameters: JsonObject | Keep | None = KEEP,
    auth_method: str | Keep | None = KEEP,
    credentials: JsonObject | Keep | None = KEEP,
    if_revision: str | None = None,
) -> Connection:
    """The connection with the given values replaced; the app is asked again unless only the name changes.

    Raises UpstreamError when the app refuses the new values, ConflictError when the row changed meanwhile: then nothing is saved.
    """
    connection, integration = await _read(runtime, principal, by)
    checks.revision(connection.revision, expected=if_revision)
    is_recheck = not (isinstance(parameters, Keep) and isinstance(auth_method, Keep) and isinstance(credentials, Keep))
    inputs = _patched_inputs(runtime, connection, integration, parameters, auth_method, credentials) if is_recheck else None
    if inputs is not None:
        await _check(runtime, integration, connection.id, inputs)
    async with runtime.database.write(principal) as session:
        row = await _same(session, connection)
        if inputs is not None:
            _require_same(integration, await locked(session, integration, shared=True), field=_BY)
        if not isinstance(name, Keep):
            row.name = checks.optional_text(name, field=["input", "name"]) or integration.name
        if inputs is not None:
            row.parameters, row.auth_method, row.error = inputs.parameters, inputs.auth_method, None
            row.credentials = _sealed(runtime, row.id, inputs)
        row.updated_at = runtime.clock.now()
        await sync_requests.of_connection(session, runtime, row.id)
    runtime.events.bell.ring()
    return row


@dataclass(frozen=True, kw_only=True)
class ConnectionTest:
    """What the app said of a connection."""

    connection: Connection
    is_accepted: bool


async def test(runtime: Runtime, principal: Principal, *, by: ConnectionSelector) -> ConnectionTest:
    """Whether the app accepts the connection's credentials now; its state follows the answer.

    Raises UpstreamError when the app cannot be asked, which says nothing of the credentials.
    """
    connection, integration = await _read(runtime, principal, by)
    app = access.open_app(runtime, connection, integration)
    try:
        with access.Redacted(app.access.credentials):
            await app.connector.check(app.access)
    except UpstreamAuthError as error:
        await access.disconnect(runtime, principal, connection, error)
        return ConnectionTest(connection=await _reread(runtime, principal, connection), is_accepted=False)
    await access.reconnect(runtime, principal, connection)
    return ConnectionTest(connection=await _reread(runtime, principal, connection), is_accepted=True)


async def archive(runtime: Runtime, principal: Principal, *, by: ConnectionSelector) -> Connection:
    """The connection, archived with its instances; archiving it again changes nothing."""
    async with runtime.database.write(principal) as session:
        connection = await _held(session, await selection.connection(session, principal, by, field=_BY))
        if connection.archived_at is None:
            now = runtime.clock.now()
            await _move_instances(session, connection, archived_from=None, to=now, now=now)
            connection.archived_at = connection.updated_at = now
            await sync_requests.of_connection(session, runtime, connection.id)
    runtime.events.bell.ring()
    return connection


async def restore(runtime: Runtime, principal: Principal, *, id: UUID) -> Connection:
    """The connection as it was before it was archived, with the instances that were archived with it."""
    async with runtime.database.write(principal) as session:
        connection = await _held(session, await selection.by_id(session, Connection, id, field=["input", "id"]))
        if connection.archived_at is not None:
            now = runtime.clock.now()
            await _move_instances(session, connection, archived_from=connection.archived_at, to=None, now=now)
            connection.archived_at, connection.updated_at = None, now
            await sync_requests.of_connection(session, runtime, connection.id)
    runtime.events.bell.ring()
    return connection


async def _owner(session: AsyncSession, principal: Principal, external_id: str | None) -> UUID:
    field = ["input", "customerExternalId"]
    if external_id is None:
        if principal.customer_id is None:
            raise InvalidError("An admin names the customer whose connection this is.", field=field)
        return principal.customer_id
    if not principal.is_admin:
        raise AccessDeniedError("Only an admin may connect an app for a customer.", field=field)
    customer = (await session.exec(select(Customer).where(Customer.external_id == external_id))).first()
    if customer is None:
        raise NotFoundError(f"There is no customer {external_id[:100]!r}. Create it first.", field=field)
    return customer.id


async def _read(runtime: Runtime, principal: Principal, by: ConnectionSelector) -> tuple[Connection, Integration]:
    """A connection that can be changed, and its integration, which must be usable."""
    async with runtime.database.read(principal) as session:
        connection = await selection.connection(session, principal, by, field=_BY)
        integration = await selection.by_id(session, Integration, connection.integration_id, field=_BY)
    if connection.archived_at is not None:
        raise InvalidError(f"Connection {connection.name!r} is archived. Restore it first.", field=_BY)
    errors = elements.integration_errors(runtime, integration)
    if errors:
        raise InvalidError(errors[0].message, field=_BY)
    return connection, integration


async def _same(session: AsyncSession, read: Connection) -> Connection:
    """The row to change, provided that it is the one that was read before the app was asked."""
    row = await selection.by_id(session, Connection, read.id, field=_BY)
    if row.revision != read.revision:
        raise ConflictError(f"Connection {read.name!r} was changed by somebody else. Read it again.", field=_BY)
    return row


async def _held(session: AsyncSession, connection: Connection) -> Connection:
    """The connection as it stands now, held so that no instance comes or goes while its instances are moved."""
    held = await locked(session, connection)
    if held is None:
        raise NotFoundError("The connection was deleted at this moment.", field=_BY)
    return held


def _require_same(read: Integration, row: Integration | None, *, field: list[str]) -> None:
    """Returns when the integration is still the one that the app was asked with."""
    if row is None or row.revision != read.revision:
        raise ConflictError(f"Integration {read.key!r} was changed by somebody else. Repeat the request.", field=field)


async def _reread(runtime: Runtime, principal: Principal, connection: Connection) -> Connection:
    async with runtime.database.read_once(principal) as session:
        return await selection.by_id(session, Connection, connection.id, field=_BY)


def _patched_inputs(
    runtime: Runtime,
    connection: Connection,
    integration: Integration,
    parameters: JsonObject | Keep | None,
    auth_method: str | Keep | None,
    credentials: JsonObject | Keep | None,
) -> ConnectionInputs:
    stored = access.open_app(runtime, connection, integration).access
    if stored.credentials and isinstance(credentials, Keep) and patched(parameters, dict(stored.parameters)) != stored.parameters:
        # Else whoever may change the server's address could have the stored credentials sent to a server of their own.
        raise InvalidError(
            "New parameters need the credentials again: the stored ones were given for another app.", field=["input", "credentials"]
        )
    return connection_inputs.read(
        runtime,
        integration,
        parameters=patched(parameters, dict(stored.parameters)),
        auth_method=patched(auth_method, stored.auth_method),
        credentials=patched(credentials, dict(stored.credentials)),
    )


async def _check(runtime: Runtime, integration: Integration, connection_id: UUID, inputs: ConnectionInputs) -> None:
    candidate = Access(
        connection_id=str(connection_id),
        parameters=inputs.parameters,
        auth_method=inputs.auth_method,
        credentials=inputs.credentials,
        integration_parameters=integration.parameters,
    )
    with access.Redacted(inputs.credentials):
        await runtime.connectors[integration.connector_key].check(candidate)


def _sealed(runtime: Runtime, row_id: UUID, inputs: ConnectionInputs) -> bytes:
    return runtime.cipher.seal_json(inputs.credentials, row=row_id, column=access.CREDENTIALS)


async def _move_instances(
    session: AsyncSession, connection: Connection, *, archived_from: datetime | None, to: datetime | None, now: datetime
) -> None:
    column = col(DataSourceInstance.archived_at)
    statement = update_rows(DataSourceInstance).where(
        col(DataSourceInstance.connection_id) == connection.id, column.is_(None) if archived_from is None else column == archived_from
    )
    changes = {"archived_at": to, "updated_at": now, "revision": col(DataSourceInstance.revision) + 1}
    # None of them is loaded, so that there is nothing to keep in step.
    await session.exec(statement.values(changes), execution_options={"synchronize_session": False})
