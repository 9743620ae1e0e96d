"""Working with a connection's app: its connector, its credentials, and what follows when the app refuses them."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from msgspec import Struct

from gateway.connectors.operation import Operation
from gateway.connectors.protocol import Access, Connector
from gateway.connectors.redaction import Redactor
from gateway.errors import ConflictError, GatewayError, InternalError, InvalidError, UpstreamAuthError, trace_of
from gateway.models import Connection, Integration, JsonObject, JsonValue, Principal
from gateway.runtime import Runtime
from gateway.services import elements, sync_requests
from gateway.storage.rows import by_ids

CREDENTIALS = "connection.credentials"
"""The column that a connection's credentials are sealed for."""

_BYTES_OPENED, _BYTES_OF_A_CHARACTER = 6_144, 20
"""What an opened connection takes in memory with what its connector makes of it, and each character of its parameters and credentials
at most: so much take empty lists."""


class App(Struct, frozen=True, kw_only=True):
    """A connection's app, ready to be asked."""

    connector: Connector
    access: Access


def app_of(
    runtime: Runtime, principal: Principal, connection: Connection, integration: Integration | None = None
) -> AbstractAsyncContextManager[App, None]:
    """The app of a connection; when it refuses the credentials inside the block, the connection is DISCONNECTED from then on.

    The connection's integration is read unless the caller has it at hand.

    Raises InvalidError for an archived connection or a wrong configuration; UpstreamAuthError, without asking the app,
    for a connection that is DISCONNECTED already.
    """
    return Asking(runtime, principal, connection, integration)


class Asking(AbstractAsyncContextManager[App, None]):
    """What `app_of` gives; `app` is the connection's, where this operation has found already that it can be asked."""

    def __init__(
        self, runtime: Runtime, principal: Principal, connection: Connection, integration: Integration | None, *, app: App | None = None
    ) -> None:
        self._app = app
        self._runtime = runtime
        self._principal = principal
        self._connection = connection
        self._integration = integration

    async def __aenter__(self) -> App:
        if self._app is None:
            integration = self._integration or await integration_of(self._runtime, self._principal, self._connection)
            self._app = _usable_app(self._runtime, self._connection, integration)
        return self._app

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and self._app is not None:
            Redacted(self._app.access.credentials).__exit__(kind, error, trace)
        if isinstance(error, UpstreamAuthError):
            await disconnect(self._runtime, self._principal, self._connection, error)


def require_usable(runtime: Runtime, connection: Connection, integration: Integration) -> None:
    """Returns when requests may go out for the connection; else raises as `app_of` does."""
    if connection.archived_at is not None:
        raise InvalidError(f"Connection {connection.name!r} is archived. Restore it first.")
    errors = elements.connection_errors(runtime, connection, integration)
    if errors and errors[0].code == UpstreamAuthError.code:
        raise UpstreamAuthError(errors[0].message)
    if errors:
        raise InvalidError(f"Connection {connection.name!r} cannot be used: {errors[0].message}")


def _usable_app(runtime: Runtime, connection: Connection, integration: Integration) -> App:
    """The app of a connection that can be used. What was found once stays true of the rows as they were."""
    row_id = connection.id.int
    known = runtime.opened.get(row_id)
    if known is None or known[0] != _state(connection, integration):
        runtime.opened.drop(row_id)
        require_usable(runtime, connection, integration)
        state = connection.revision, connection.updated_at, integration.id, integration.revision, integration.updated_at
        # Without the operation, which remembers what it was answered.
        known = state, open_app(runtime, connection, integration).access.during(Operation())
        runtime.opened.put(row_id, known, weight=_weight(connection, integration))
    return App(connector=runtime.connectors[integration.connector_key], access=known[1].during(runtime.operation))


def _state(connection: Connection, integration: Integration) -> tuple[object, ...]:
    """What tells rows as they are now from what they were: as they hold it, which costs a tenth of asking for each column.

    A row that does not hold a column at the moment is told from all that were.
    """
    of_connection, of_integration = vars(connection).get, vars(integration).get
    changes = of_integration("id"), of_integration("revision"), of_integration("updated_at")
    return of_connection("revision"), of_connection("updated_at"), *changes


def _weight(connection: Connection, integration: Integration) -> int:
    characters = len(connection.credentials) + len(repr(connection.parameters)) + len(repr(integration.parameters))
    return _BYTES_OPENED + _BYTES_OF_A_CHARACTER * characters


def open_app(runtime: Runtime, connection: Connection, integration: Integration) -> App:
    """The app of a connection, whatever its state."""
    access = Access(
        connection_id=str(connection.id),
        parameters=connection.parameters,
        auth_method=connection.auth_method,
        credentials=runtime.cipher.open_json(connection.credentials, row=connection.id, column=CREDENTIALS),
        integration_parameters=integration.parameters,
        operation=runtime.operation,
    )
    return App(connector=runtime.connectors[integration.connector_key], access=access)


async def integration_of(runtime: Runtime, principal: Principal, connection: Connection) -> Integration:
    """The integration of a connection, archived or not."""
    async with runtime.database.read_once(principal) as session:
        return (await by_ids(session, Integration, {connection.integration_id}))[connection.integration_id]


class Redacted:
    """Takes the credentials out of the errors of its block: a connector that is a Python class may quote whatever it was given.

    A defect of such a connector leaves as an InternalError, whose text is the trace without the credentials.
    """

    def __init__(self, credentials: Mapping[str, JsonValue]) -> None:
        self._credentials = credentials

    def __enter__(self) -> None:
        """Nothing yet."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Lets every error on its way, cleaned."""
        if isinstance(error, GatewayError):
            Redactor(self._credentials).clean(error)
        elif isinstance(error, Exception):
            raise InternalError(Redactor(self._credentials).redact(trace_of(error))) from None


async def disconnect(runtime: Runtime, principal: Principal, connection: Connection, error: UpstreamAuthError) -> None:
    """Remembers that the app refused the credentials, unless the connection has changed since it was read."""
    if connection.error is None:
        await _remember(runtime, principal, connection, {"code": error.code, "message": error.message})


async def reconnect(runtime: Runtime, principal: Principal, connection: Connection) -> None:
    """Forgets that the app refused the credentials, unless the connection has changed since it was read."""
    if connection.error is not None:
        await _remember(runtime, principal, connection, None)


async def _remember(runtime: Runtime, principal: Principal, connection: Connection, error: JsonObject | None) -> None:
    try:
        async with runtime.database.write(principal) as session:
            row = (await by_ids(session, Connection, {connection.id})).get(connection.id)
            if row is not None and row.revision == connection.revision:
                row.error, row.updated_at = error, runtime.clock.now()
                if error is None:
                    await sync_requests.of_connection(session, runtime, row.id)
    except ConflictError:
        # Somebody changed it at this moment, perhaps its credentials: what the app said is of the old ones.
        return
    runtime.events.bell.ring()
