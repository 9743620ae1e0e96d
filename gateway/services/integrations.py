"""Integrations: the connectors that this gateway offers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from gateway.errors import AlreadyExistsError, InvalidError, NotFoundError
from gateway.models import Integration, JsonObject, Principal
from gateway.runtime import Runtime
from gateway.services import checks, listing, pointers, selection, sync_requests
from gateway.services.authority import require_admin
from gateway.services.listing import Listing
from gateway.services.patches import KEEP, Keep
from gateway.storage.rows import RowWindow


async def page(
    runtime: Runtime, principal: Principal, *, window: RowWindow, search: str | None, include_archived: bool
) -> Listing[Integration]:
    """Integrations, the oldest first; `search` looks in their keys and names."""
    statement = select(Integration)
    if not include_archived:
        statement = statement.where(col(Integration.archived_at).is_(None))
    statement = listing.matching(statement, search, Integration.key, Integration.name)
    return await listing.read(runtime, principal, statement, window=window)


async def by_key(runtime: Runtime, principal: Principal, *, key: str) -> Integration | None:
    """The integration of that key that is not archived."""
    async with runtime.database.read_once(principal) as session:
        try:
            return await selection.integration(session, key, field=["key"])
        except NotFoundError:
            return None


async def create(
    runtime: Runtime, principal: Principal, *, key: str, name: str | None, connector_key: str, parameters: JsonObject | None
) -> Integration:
    """The new integration. Only for admins. Raises NotFoundError for an unknown connector, AlreadyExistsError for a key in use."""
    require_admin(principal)
    connector = runtime.connectors.get(connector_key)
    if connector is None:
        known = ", ".join(runtime.connectors)
        raise NotFoundError(f"There is no connector {connector_key[:100]!r}. There are: {known}.", field=["input", "connectorKey"])
    now = runtime.clock.now()
    integration = Integration(
        key=checks.key(key, field=["input", "key"]),
        name=checks.optional_text(name, field=["input", "name"]) or connector.spec.name,
        connector_key=connector_key,
        parameters=_valid_parameters(runtime, connector_key, parameters),
        created_at=now,
        updated_at=now,
    )
    try:
        async with runtime.database.write(principal) as session:
            session.add(integration)
    except IntegrityError:
        raise AlreadyExistsError(f"There is an integration {key!r} already. Choose another key.", field=["input", "key"]) from None
    return integration


async def update(
    runtime: Runtime,
    principal: Principal,
    *,
    key: str,
    name: str | Keep | None = KEEP,
    parameters: JsonObject | Keep | None = KEEP,
    if_revision: str | None = None,
) -> Integration:
    """The integration with the given values replaced; null returns to the default. Only for admins."""
    require_admin(principal)
    async with runtime.database.write(principal) as session:
        integration = await selection.integration(session, key, field=["input", "key"])
        checks.revision(integration.revision, expected=if_revision)
        if not isinstance(name, Keep):
            integration.name = checks.optional_text(name, field=["input", "name"]) or _default_name(runtime, integration)
        if not isinstance(parameters, Keep):
            integration.parameters = _valid_parameters(runtime, integration.connector_key, parameters)
        integration.updated_at = runtime.clock.now()
        await sync_requests.of_integration(session, runtime, integration.id)
    runtime.events.bell.ring()
    return integration


async def archive(runtime: Runtime, principal: Principal, *, key: str) -> Integration:
    """The integration, archived: its connections cannot be used until it is restored. Only for admins."""
    require_admin(principal)
    async with runtime.database.write(principal) as session:
        integration = await selection.integration(session, key, field=["input", "key"])
        integration.archived_at = integration.updated_at = runtime.clock.now()
        await sync_requests.of_integration(session, runtime, integration.id)
    runtime.events.bell.ring()
    return integration


async def restore(runtime: Runtime, principal: Principal, *, id: UUID) -> Integration:
    """The integration, no longer archived. Only for admins. Raises AlreadyExistsError when its key has been given to another."""
    require_admin(principal)
    try:
        async with runtime.database.write(principal) as session:
            integration = await selection.by_id(session, Integration, id, field=["input", "id"])
            key = integration.key
            if integration.archived_at is not None:
                integration.archived_at, integration.updated_at = None, runtime.clock.now()
                await sync_requests.of_integration(session, runtime, integration.id)
    except IntegrityError:
        raise AlreadyExistsError(f"There is an integration {key!r} again. Archive that one first.", field=["input", "id"]) from None
    runtime.events.bell.ring()
    return integration


def _valid_parameters(runtime: Runtime, connector_key: str, parameters: JsonObject | None) -> JsonObject:
    field: Sequence[str] = ["input", "parameters"]
    given = checks.json_object(parameters, field=field)
    connector = runtime.connectors.get(connector_key)
    if connector is None:
        raise InvalidError(f"Connector {connector_key!r} is not installed, so that no parameters can be checked.", field=field)
    problems = pointers.violations(connector.spec.integration_schema, given)
    if problems:
        raise InvalidError(f"The parameters are not valid: {'; '.join(problems)}.", field=field)
    return given


def _default_name(runtime: Runtime, integration: Integration) -> str:
    connector = runtime.connectors.get(integration.connector_key)
    return connector.spec.name if connector is not None else integration.key
