"""Customers in the schema."""

import strawberry
from strawberry.scalars import JSON

from gateway import models
from gateway.graphql import relay
from gateway.graphql.context import Info
from gateway.graphql.fields import CONNECTION, CUSTOMER, field, pages
from gateway.graphql.relay import After, First
from gateway.graphql.types.element import Stored


@strawberry.type(description="A customer of the product, who owns connections and sees nothing of another's.")
class Customer(Stored):
    external_id: str = strawberry.field(description="What the product calls the customer: the `id` claim of its tokens.")
    name: str | None = strawberry.field(description="What people call the customer. Null where no token said.")
    fields: JSON = strawberry.field(description="What the product's tokens say of the customer.")

    @field("The customer's connections that are in use, the oldest first.", type=pages(relay.Connection, CONNECTION))
    async def connections(
        self: models.Customer, info: Info, first: First = 50, after: After = strawberry.UNSET
    ) -> relay.Page[models.Connection]:
        return await info.context.loaders.children(models.Connection.customer_id, self.id, first=first, after=after)


@strawberry.type(description="Who asks.")
class Viewer:
    is_admin: bool = strawberry.field(description="Whether the token is an admin's.")

    @field("The customer that the token names. Null for an admin who is no customer.", type=CUSTOMER | None)
    async def customer(self: models.Principal, info: Info) -> models.Customer | None:
        if self.customer_id is None:
            return None
        return await info.context.loaders.row_by_id(models.Customer).load(self.customer_id)
