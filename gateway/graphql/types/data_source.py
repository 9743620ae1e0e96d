"""Definitions of data sources in the schema."""

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.graphql import relay
from gateway.graphql.context import Info
from gateway.graphql.fields import DATA_SOURCE, DATA_SOURCE_INSTANCE, INTEGRATION, Asked, field, loaded, pages
from gateway.graphql.relay import After, First
from gateway.graphql.types.element import Pointing, from_layers


def _integration_of(definition: models.DataSource, info: Info) -> Asked | None:
    return (info.context.loaders.row_by_id(models.Integration), definition.integration_id) if definition.integration_id else None


def _universal_of(definition: models.DataSource, info: Info) -> Asked | None:
    return (info.context.loaders.row_by_id(models.DataSource), definition.universal_id) if definition.universal_id else None


@strawberry.type(
    description="A named pointer to a collection. Universal ones work with any integration; one of an integration stands for itself, "
    "or customises a universal one there."
)
class DataSource(Pointing):
    key: str = strawberry.field(description="The name that code uses.")
    name = from_layers("What people call it.", lambda layers: layers.settings.name, type=str)
    fields_schema = from_layers(
        "JSON Schema that field mappings build on: the model's fields when it is universal, else the static fields of its collection. "
        "Null where neither is known.",
        lambda layers: layers.fields_schema,
        type=JSON | None,
    )

    @loaded("The integration that it belongs to. Null when it is universal.", type=INTEGRATION | None, asks=_integration_of)
    def integration(self: models.DataSource, info: Info, integration: models.Integration | None) -> models.Integration | None:
        return integration

    @loaded("The universal data source that it customises. Null where it stands for itself.", type=DATA_SOURCE | None, asks=_universal_of)
    def universal_data_source(self: models.DataSource, info: Info, universal: models.DataSource | None) -> models.DataSource | None:
        return universal

    @field("Whether it overrides anything of the universal data source that it customises; false where it stands for itself.")
    def is_customized(self: models.DataSource) -> bool:
        return self.is_customized

    @field(
        "Its customisations in integrations that are in use, the oldest first; empty unless it is universal.",
        type=pages(relay.Connection, DATA_SOURCE),
    )
    async def customizations(
        self: models.DataSource, info: Info, first: First = 50, after: After = strawberry.UNSET
    ) -> relay.Page[models.DataSource]:
        return await info.context.loaders.children(models.DataSource.universal_id, self.id, first=first, after=after)

    @field(
        "Its instances that are in use, as far as you may see them, the oldest first.", type=pages(relay.Connection, DATA_SOURCE_INSTANCE)
    )
    async def instances(
        self: models.DataSource, info: Info, first: First = 50, after: After = strawberry.UNSET
    ) -> relay.Page[models.DataSourceInstance]:
        # Instances hang on the root; those of a customisation are the root's in its integration.
        root_id, integration_id = (self.universal_id, self.integration_id) if self.universal_id else (self.id, None)
        column = models.DataSourceInstance.data_source_id
        return await info.context.loaders.children(column, root_id, first=first, after=after, integration_id=integration_id)
