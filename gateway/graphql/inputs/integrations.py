"""What the mutations of integrations take."""

import strawberry
from strawberry.scalars import JSON

from gateway.graphql.fields import IF_REVISION


@strawberry.input(description="A new integration.")
class IntegrationCreateInput:
    key: str = strawberry.field(description="The name that code will use; letters, digits, `-` and `_`.")
    name: str | None = strawberry.field(description="What customers read; the connector's name where it is left out.")
    connector_key: str = strawberry.field(description="The connector to configure.")
    parameters: JSON | None = strawberry.field(description="What the connector asks of an operator, where it asks for anything.")


@strawberry.input(description="Changes to an integration; what is left out stays.")
class IntegrationUpdateInput:
    key: str = strawberry.field(description="The integration.")
    name: strawberry.Maybe[str | None] = strawberry.field(description="What customers read; null returns to the connector's name.")
    parameters: strawberry.Maybe[JSON | None] = strawberry.field(
        description="What the connector asks of an operator, replaced whole; null is the same as empty."
    )
    if_revision: str | None = strawberry.field(description=IF_REVISION)


@strawberry.input(description="The integration to archive.")
class IntegrationArchiveInput:
    key: str = strawberry.field(description="The integration.")


@strawberry.input(description="The integration to restore.")
class IntegrationRestoreInput:
    id: strawberry.ID = strawberry.field(description="The id of the archived integration.")
