"""What the mutations of interest in changes take."""

import strawberry

from gateway.graphql.inputs.selectors import DataSourceInstanceSelector
from gateway.models import ChangeType


@strawberry.input(description="Changes to look for.")
class DataSourceInstanceSubscribeInput:
    by: DataSourceInstanceSelector = strawberry.field(description="The instance.")
    types: list[ChangeType] | None = strawberry.field(description="The types of change; all where it is left out.")
    emit_initial: bool = strawberry.field(
        description="Whether the records that are there when it begins are told as created. Means nothing where the instance is in sync "
        "already.",
        default=False,
    )


@strawberry.input(description="Changes that need not be looked for any longer.")
class DataSourceInstanceUnsubscribeInput:
    by: DataSourceInstanceSelector = strawberry.field(description="The instance.")
    types: list[ChangeType] | None = strawberry.field(description="The types of change; all where it is left out.")
