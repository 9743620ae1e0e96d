"""What the mutations of customers take."""

import strawberry
from strawberry.scalars import JSON


@strawberry.input(description="A customer as it shall be; what is left out stays.")
class CustomerUpsertInput:
    external_id: str = strawberry.field(description="What the product calls the customer.")
    name: strawberry.Maybe[str | None] = strawberry.field(description="What people call the customer; null clears it.")
    fields: strawberry.Maybe[JSON | None] = strawberry.field(
        description="What the product knows of the customer, replaced whole; null is the same as empty."
    )


@strawberry.input(description="The customer to delete.")
class CustomerDeleteInput:
    external_id: str = strawberry.field(description="What the product calls the customer.")
