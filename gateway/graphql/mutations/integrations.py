"""Mutations of integrations."""

import strawberry

from gateway import models
from gateway.graphql import ids
from gateway.graphql.context import Info
from gateway.graphql.errors import Payload, PayloadType
from gateway.graphql.inputs.integrations import (
    IntegrationArchiveInput,
    IntegrationCreateInput,
    IntegrationRestoreInput,
    IntegrationUpdateInput,
)
from gateway.graphql.inputs.patches import changes, json_object
from gateway.graphql.mutations.base import mutation
from gateway.graphql.types.integration import Integration
from gateway.services import integrations


@strawberry.type
class IntegrationPayload(PayloadType):
    integration: Integration | None = strawberry.field(description="The integration as it is now. Null when nothing was done.")


@strawberry.type
class IntegrationMutations:
    @mutation("Create an integration. Only for admins.", payload=IntegrationPayload)
    async def integration_create(self, info: Info, input: IntegrationCreateInput) -> Payload:
        integration = await integrations.create(
            *info.context.caller,
            key=input.key,
            name=input.name,
            connector_key=input.connector_key,
            parameters=json_object(input.parameters),
        )
        return {"integration": integration}

    @mutation("Change an integration. Only for admins.", payload=IntegrationPayload)
    async def integration_update(self, info: Info, input: IntegrationUpdateInput) -> Payload:
        given = changes(input, "name", "parameters")
        return {"integration": await integrations.update(*info.context.caller, key=input.key, if_revision=input.if_revision, **given)}

    @mutation("Archive an integration: its connections cannot be used until it is restored. Only for admins.", payload=IntegrationPayload)
    async def integration_archive(self, info: Info, input: IntegrationArchiveInput) -> Payload:
        return {"integration": await integrations.archive(*info.context.caller, key=input.key)}

    @mutation("Restore an archived integration. Only for admins.", payload=IntegrationPayload)
    async def integration_restore(self, info: Info, input: IntegrationRestoreInput) -> Payload:
        row_id = ids.local_id(input.id, models.Integration, field=["input", "id"])
        return {"integration": await integrations.restore(*info.context.caller, id=row_id)}
