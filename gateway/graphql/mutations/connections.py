"""Mutations of connections."""

import strawberry

from gateway import models
from gateway.graphql import ids
from gateway.graphql.context import Info
from gateway.graphql.errors import Payload, PayloadType
from gateway.graphql.inputs.connections import (
    ConnectionArchiveInput,
    ConnectionCreateInput,
    ConnectionRestoreInput,
    ConnectionTestInput,
    ConnectionUpdateInput,
)
from gateway.graphql.inputs.patches import changes, json_object
from gateway.graphql.mutations.base import mutation
from gateway.graphql.types.connection import Connection
from gateway.services import connections


@strawberry.type
class ConnectionPayload(PayloadType):
    connection: Connection | None = strawberry.field(description="The connection as it is now. Null when nothing was done.")


@strawberry.type
class TestedConnectionPayload(ConnectionPayload):
    is_accepted: bool | None = strawberry.field(description="Whether the app accepts the credentials. Null when it could not be asked.")


@strawberry.type
class ConnectionMutations:
    @mutation("Connect an app: it is asked whether it accepts the connection before anything is saved.", payload=ConnectionPayload)
    async def connection_create(self, info: Info, input: ConnectionCreateInput) -> Payload:
        connection = await connections.create(
            *info.context.caller,
            integration_key=input.integration_key,
            name=input.name,
            parameters=json_object(input.parameters),
            auth_method=input.auth_method,
            credentials=json_object(input.credentials),
            customer_external_id=input.customer_external_id,
        )
        return {"connection": connection}

    @mutation(
        "Change a connection, or connect it again with new credentials: the app is asked before anything is saved.",
        payload=ConnectionPayload,
    )
    async def connection_update(self, info: Info, input: ConnectionUpdateInput) -> Payload:
        given = changes(input, "name", "parameters", "auth_method", "credentials")
        by = input.by.read("input", "by")
        return {"connection": await connections.update(*info.context.caller, by=by, if_revision=input.if_revision, **given)}

    @mutation(
        "Ask the app whether it accepts a connection now; the connection's state follows its answer.", payload=TestedConnectionPayload
    )
    async def connection_test(self, info: Info, input: ConnectionTestInput) -> Payload:
        test = await connections.test(*info.context.caller, by=input.by.read("input", "by"))
        return {"connection": test.connection, "is_accepted": test.is_accepted}

    @mutation("Archive a connection with its instances.", payload=ConnectionPayload)
    async def connection_archive(self, info: Info, input: ConnectionArchiveInput) -> Payload:
        return {"connection": await connections.archive(*info.context.caller, by=input.by.read("input", "by"))}

    @mutation("Restore an archived connection with the instances that were archived with it.", payload=ConnectionPayload)
    async def connection_restore(self, info: Info, input: ConnectionRestoreInput) -> Payload:
        row_id = ids.local_id(input.id, models.Connection, field=["input", "id"])
        return {"connection": await connections.restore(*info.context.caller, id=row_id)}
