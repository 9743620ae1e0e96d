"""Mutations of customers."""

import strawberry

from gateway.graphql.context import Info
from gateway.graphql.errors import Payload, PayloadType
from gateway.graphql.inputs.customers import CustomerDeleteInput, CustomerUpsertInput
from gateway.graphql.inputs.patches import changes
from gateway.graphql.mutations.base import mutation
from gateway.graphql.types.customer import Customer
from gateway.services import customers


@strawberry.type
class CustomerPayload(PayloadType):
    customer: Customer | None = strawberry.field(description="The customer as it is now. Null when nothing was done.")


@strawberry.type
class DeletedCustomerPayload(PayloadType):
    deleted_external_id: str | None = strawberry.field(description="What the product called the customer. Null when nothing was done.")


@strawberry.type
class CustomerMutations:
    @mutation("Create a customer, or change it where it exists. Only for admins.", payload=CustomerPayload)
    async def customer_upsert(self, info: Info, input: CustomerUpsertInput) -> Payload:
        given = changes(input, "name", "fields")
        return {"customer": await customers.upsert(*info.context.caller, external_id=input.external_id, **given)}

    @mutation(
        "Delete a customer with its connections, their credentials and instances. It cannot be undone. Only for admins.",
        payload=DeletedCustomerPayload,
    )
    async def customer_delete(self, info: Info, input: CustomerDeleteInput) -> Payload:
        return {"deleted_external_id": await customers.delete(*info.context.caller, external_id=input.external_id)}
