"""What the mutations of connections take."""

import strawberry
from strawberry.scalars import JSON

from gateway.graphql.fields import IF_REVISION
from gateway.graphql.inputs.selectors import ConnectionSelector


@strawberry.input(description="A new connection.")
class ConnectionCreateInput:
    integration_key: str = strawberry.field(description="The integration to connect to.")
    name: str | None = strawberry.field(description="What the customer calls it; the integration's name where it is left out.")
    parameters: JSON | None = strawberry.field(description="What `connectionSchema` of the connector asks for.")
    auth_method: str | None = strawberry.field(description="The key of the auth method; needed where the connector offers several.")
    credentials: JSON | None = strawberry.field(
        description="What `credentialsSchema` of the auth method asks for; stored encrypted, and never shown."
    )
    customer_external_id: str | None = strawberry.field(
        description="The customer to connect for. Only admins give it; customers connect for themselves."
    )


@strawberry.input(description="Changes to a connection; what is left out stays.")
class ConnectionUpdateInput:
    by: ConnectionSelector = strawberry.field(description="The connection.")
    name: strawberry.Maybe[str | None] = strawberry.field(description="What the customer calls it; null returns to the integration's name.")
    parameters: strawberry.Maybe[JSON | None] = strawberry.field(
        description="What `connectionSchema` of the connector asks for, replaced whole."
    )
    auth_method: strawberry.Maybe[str | None] = strawberry.field(
        description="The key of the auth method; null means the only one that the connector offers."
    )
    credentials: strawberry.Maybe[JSON | None] = strawberry.field(
        description="What `credentialsSchema` of the auth method asks for, replaced whole."
    )
    if_revision: str | None = strawberry.field(description=IF_REVISION)


@strawberry.input(description="The connection to test.")
class ConnectionTestInput:
    by: ConnectionSelector = strawberry.field(description="The connection.")


@strawberry.input(description="The connection to archive.")
class ConnectionArchiveInput:
    by: ConnectionSelector = strawberry.field(description="The connection.")


@strawberry.input(description="The connection to restore.")
class ConnectionRestoreInput:
    id: strawberry.ID = strawberry.field(description="The id of the archived connection.")
