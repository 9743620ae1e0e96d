"""Connectors in the schema."""

import strawberry
from strawberry.scalars import JSON

from gateway import udm
from gateway.graphql.context import Info
from gateway.graphql.fields import UNIVERSAL_DATA_MODEL, field
from gateway.graphql.types.collection import CollectionSpec
from gateway.graphql.types.udm import named
from gateway.models import AuthType, ConnectorSpec
from gateway.runtime import Runtime


@strawberry.type(description="One way to connect an app.")
class AuthMethod:
    key: str = strawberry.field(description="The name that `authMethod` of a connection takes.")
    name: str = strawberry.field(description="What a customer reads where there is a choice.")
    type: AuthType = strawberry.field(description="How requests prove who they come from.")
    credentials_schema: JSON = strawberry.field(description="JSON Schema of what the customer enters; secrets are marked `writeOnly`.")


@strawberry.type(description="The description of an app's API. Connectors come with the gateway or are added by its operator.")
class Connector:
    key: str = strawberry.field(description="The name that integrations use.")
    name: str = strawberry.field(description="What the app is called.")
    version: str = strawberry.field(description="The version of the description, as semantic versioning writes it.")
    description: str | None = strawberry.field(description="What the app is for. Null where the connector does not say.")
    categories: list[str] = strawberry.field(description="The kinds of apps that it belongs to.")
    logo_url: str | None = strawberry.field(description="Where the app's logo is found. Null where the connector does not say.")
    connection_schema: JSON = strawberry.field(description="JSON Schema of a connection's parameters, such as a server address.")
    auth_methods: list[AuthMethod] = strawberry.field(description="The ways to connect, the usual one first.")
    collections: list[CollectionSpec] = strawberry.field(description="Its collections, as far as they are known without a connection.")

    @field("The models that its collections can be read as.", type=list[UNIVERSAL_DATA_MODEL])
    def universal_data_models(self: ConnectorSpec, info: Info) -> list[udm.UniversalDataModel]:
        return named(info.context.runtime.udm, self.universal_data_models)


def spec_of(runtime: Runtime, key: str) -> ConnectorSpec:
    """The connector of that key; one that can do nothing where it is no longer installed, so that its integration stays readable.

    The integration's `errors` then say that the connector is missing.
    """
    connector = runtime.connectors.get(key)
    if connector is not None:
        return connector.spec
    description = "This connector is not installed in this gateway."
    return ConnectorSpec(key=key, name=key, version="0.0.0", description=description, auth_methods=(), collections=())
