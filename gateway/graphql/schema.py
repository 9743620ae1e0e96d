"""The schema as a whole."""

from functools import lru_cache

import strawberry
from graphql import GraphQLError
from strawberry.printer import print_schema as print_definitions
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from gateway.graphql.execution import call_directly
from gateway.graphql.fields import read
from gateway.graphql.masking import MaskErrors
from gateway.graphql.mutations.connections import ConnectionMutations
from gateway.graphql.mutations.customers import CustomerMutations
from gateway.graphql.mutations.data_source_instances import DataSourceInstanceMutations
from gateway.graphql.mutations.data_sources import DataSourceMutations
from gateway.graphql.mutations.event_subscriptions import EventSubscriptionMutations
from gateway.graphql.mutations.integrations import IntegrationMutations
from gateway.graphql.mutations.records import RecordMutations
from gateway.graphql.mutations.sync_runs import SyncRunMutations
from gateway.graphql.queries import Query
from gateway.graphql.scalars import SCALARS
from gateway.graphql.subscriptions import Subscription
from gateway.graphql.types.event_subscription import EventSubscription
from gateway.graphql.types.location import DataCollection, Directory
from gateway.graphql.types.record import Record
from gateway.graphql.types.sync_run import SyncRun
from gateway.graphql.types.unified_models import unified_types
from gateway.udm import MODELS, Models


@strawberry.type(
    description="What can be changed. Each takes one input and gives one payload; where `userErrors` has any, nothing has changed."
)
class Mutation(
    RecordMutations,
    SyncRunMutations,
    EventSubscriptionMutations,
    DataSourceInstanceMutations,
    DataSourceMutations,
    ConnectionMutations,
    CustomerMutations,
    IntegrationMutations,
):
    """The mutations of every aggregate."""


class Schema(strawberry.Schema):
    """The schema, which leaves logging to the masking of errors: a client's mistake is no event of ours."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: the library would log every mistake in a client's document with a trace."""


@lru_cache(maxsize=4)
def build_schema(models: Models = MODELS) -> Schema:
    """The schema that the gateway serves, with a type for each model.

    The same models give the same schema: to make it takes a quarter of a second, and nothing of it belongs to one gateway.
    """
    schema = Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[DataCollection, Directory, EventSubscription, Record, SyncRun, *unified_types(models)],
        extensions=[MaskErrors],
        config=StrawberryConfig(default_resolver=read, scalar_map=SCALARS),
    )
    call_directly(schema)
    return schema


def print_schema(models: Models = MODELS) -> str:
    """The schema in the schema definition language, as `schema.graphql` holds it for the models that come with the gateway."""
    return print_definitions(build_schema(models)) + "\n"
