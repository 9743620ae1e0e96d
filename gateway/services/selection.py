"""The rows that selectors mean, looked up within what the caller may see."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import AmbiguousError, InvalidError, NotFoundError
from gateway.models import Connection, Customer, DataSource, DataSourceInstance, Integration, Principal
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector, DataSourceSelector
from gateway.storage.rows import by_ids

Row = TypeVar("Row", bound=SQLModel)
Field = Sequence[str]

_NAMES = {"DataSource": "data source", "DataSourceInstance": "data source instance", "SyncRun": "sync run"}


async def by_id(session: AsyncSession, table: type[Row], id: UUID, *, field: Field) -> Row:
    """The row of that id, archived ones too. Raises NotFoundError."""
    row = (await by_ids(session, table, {id})).get(id)
    if row is None:
        raise NotFoundError(f"There is no {_name(table)} of that id.", field=field)
    return row


async def integration(session: AsyncSession, key: str, *, field: Field) -> Integration:
    """The integration of that key that is not archived. Raises NotFoundError."""
    statement = select(Integration).where(Integration.key == key, col(Integration.archived_at).is_(None))
    row = (await session.exec(statement)).first()
    if row is None:
        raise NotFoundError(f"There is no integration {key[:100]!r}.", field=field)
    return row


async def connection(session: AsyncSession, principal: Principal, by: ConnectionSelector, *, field: Field) -> Connection:
    """The connection that a selector means.

    Raises NotFoundError; AmbiguousError when the customer has several in the integration; InvalidError when an admin
    who is no customer names only the integration.
    """
    if by.id is not None:
        return await by_id(session, Connection, by.id, field=[*field, "id"])
    spelling = "integrationKey" if by.customer_external_id is None else "customerIntegration"
    statement = select(Connection).join(Integration, col(Integration.id) == Connection.integration_id)
    statement = statement.where(Integration.key == by.integration_key, col(Integration.archived_at).is_(None))
    statement = statement.where(col(Connection.archived_at).is_(None)).order_by(col(Connection.id)).limit(2)
    if by.customer_external_id is not None:
        statement = statement.join(Customer, col(Customer.id) == Connection.customer_id)
        statement = statement.where(Customer.external_id == by.customer_external_id)
    elif principal.customer_id is not None:
        statement = statement.where(Connection.customer_id == principal.customer_id)
    else:
        raise InvalidError("An admin who selects a connection by integration also names the customer: `customerIntegration`.", field=field)
    found = (await session.exec(statement)).all()
    named = f"{(by.integration_key or '')[:100]!r}"
    if len(found) > 1:
        raise AmbiguousError(f"There are several connections to {named}. Select one by id.", field=[*field, spelling])
    if not found:
        raise NotFoundError(f"There is no connection to {named}.", field=[*field, spelling])
    return found[0]


async def data_source(session: AsyncSession, by: DataSourceSelector, *, field: Field, integration_id: UUID | None = None) -> DataSource:
    """The definition that a selector means; a key alone means the one of `integration_id`, else the universal one, else the only one.

    Raises NotFoundError; AmbiguousError when several integrations have one of that key and no universal one exists.
    """
    if by.id is not None:
        return await by_id(session, DataSource, by.id, field=[*field, "id"])
    statement = select(DataSource).where(DataSource.key == by.key, col(DataSource.archived_at).is_(None))
    spelling = "key" if by.integration_key is None else "keyInIntegration"
    if by.integration_key is not None:
        home = await integration(session, by.integration_key, field=[*field, spelling, "integrationKey"])
        integration_id = home.id
    found = (await session.exec(statement.order_by(col(DataSource.id)))).all()
    universal = [row for row in found if row.is_universal]
    own = [row for row in found if row.integration_id == integration_id and integration_id is not None]
    # `tasks` in `hubspot` is the customisation where there is one, and the universal definition as it applies there otherwise.
    preferred = own or universal or (list(found) if by.integration_key is None else [])
    named = f"{(by.key or '')[:100]!r}"
    if len(preferred) > 1:
        raise AmbiguousError(
            f"Several integrations have a data source {named}. Name the integration, or select by id.", field=[*field, spelling]
        )
    if not preferred:
        raise NotFoundError(f"There is no data source {named}.", field=[*field, spelling])
    return preferred[0]


async def root_in(session: AsyncSession, by: DataSourceSelector, connection: Connection, *, field: Field) -> DataSource:
    """The definition that instances in a connection hang on: the one that a selector means, or the universal one that this customises.

    Raises as `data_source` does, and InvalidError for a definition of another integration than the connection's.
    """
    definition = await data_source(session, by, field=field, integration_id=connection.integration_id)
    if definition.integration_id not in (None, connection.integration_id):
        raise InvalidError(f"Data source {definition.key!r} belongs to another integration than the connection.", field=field)
    return definition if definition.universal_id is None else await by_id(session, DataSource, definition.universal_id, field=field)


async def instance(session: AsyncSession, principal: Principal, by: DataSourceInstanceSelector, *, field: Field) -> DataSourceInstance:
    """The instance that a selector means. Raises NotFoundError, also where its connection or data source is not found; AmbiguousError."""
    if by.id is not None:
        return await by_id(session, DataSourceInstance, by.id, field=[*field, "id"])
    if by.connection is None or by.data_source is None:
        raise InvalidError("An instance is selected by id, or by connection and data source.", field=field)
    home = await connection(session, principal, by.connection, field=[*field, "of", "connection"])
    root = await root_in(session, by.data_source, home, field=[*field, "of", "dataSource"])
    statement = select(DataSourceInstance).where(
        DataSourceInstance.connection_id == home.id,
        DataSourceInstance.data_source_id == root.id,
        col(DataSourceInstance.instance_key).is_(None) if not by.instance_key else DataSourceInstance.instance_key == by.instance_key,
        col(DataSourceInstance.archived_at).is_(None),
    )
    row = (await session.exec(statement)).first()
    if row is None:
        raise NotFoundError(f"Data source {root.key!r} has no such instance in this connection. Create it first.", field=[*field, "of"])
    return row


def _name(table: type[SQLModel]) -> str:
    return _NAMES.get(table.__name__, table.__name__.lower())
