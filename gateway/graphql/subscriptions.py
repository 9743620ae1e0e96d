"""The entry points for listening.

Each resolver is a source and nothing more: it yields what the service gives, and the types show it. Whoever executes may therefore
show one thing that was yielded to many who asked the same.
"""

from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any

import strawberry

from gateway import models
from gateway.events.batches import Batch
from gateway.graphql import ids
from gateway.graphql.context import Info
from gateway.graphql.fields import Resolver, given, items
from gateway.graphql.inputs.selectors import ConnectionSelector, DataSourceInstanceSelector
from gateway.graphql.types.change_event import ChangeEventBatch
from gateway.graphql.types.data_source_instance import ChangeTypes, DataSourceInstance
from gateway.graphql.types.sync_run import SyncRun
from gateway.services import checks, streams

After = Annotated[
    str | None,
    strawberry.argument(
        description="A `cursor` of a batch or an event, or an `eventsCursor`: all that was recorded since comes first. Left out, only what "
        "is recorded from now on comes."
    ),
]
_TYPES = ["types"]


def _subscription(description: str, *, type: Any) -> Callable[[Resolver], Any]:
    def decorate(resolver: Resolver) -> Any:
        return strawberry.subscription(resolver=resolver, description=description, graphql_type=type)

    return decorate


@strawberry.type(description="What can be listened to.")
class Subscription:
    @_subscription(
        "Changes of an instance's records as they are recorded, one or more at once, the oldest first. The first frame, which may be "
        "empty, says that the instance is in sync: whoever reads the records from then on misses no change. While somebody listens, the "
        "instance is kept in sync. Ends with CURSOR_EXPIRED after what is no longer kept.",
        type=ChangeEventBatch,
    )
    def records_changed(
        self,
        info: Info,
        data_source_instance: Annotated[DataSourceInstanceSelector, strawberry.argument(description="Which instance.")],
        types: ChangeTypes = strawberry.UNSET,
        after: After = strawberry.UNSET,
    ) -> AsyncGenerator[Batch, None]:
        caller = info.context.caller
        by, wanted = data_source_instance.read("dataSourceInstance"), checks.change_types(items(types), field=_TYPES)
        return streams.records_changed(*caller, by=by, types=wanted, after=given(after))

    @_subscription(
        "The same for all instances of a connection that are in use, those included that are created while somebody listens.",
        type=ChangeEventBatch,
    )
    def connection_records_changed(
        self,
        info: Info,
        connection: Annotated[ConnectionSelector, strawberry.argument(description="Which connection.")],
        types: ChangeTypes = strawberry.UNSET,
        after: After = strawberry.UNSET,
    ) -> AsyncGenerator[Batch, None]:
        caller = info.context.caller
        by, wanted = connection.read("connection"), checks.change_types(items(types), field=_TYPES)
        return streams.connection_records_changed(*caller, by=by, types=wanted, after=given(after))

    @_subscription("An instance now, and again whenever it has changed.", type=DataSourceInstance)
    def data_source_instance_changed(
        self, info: Info, by: Annotated[DataSourceInstanceSelector, strawberry.argument(description="Which instance.")]
    ) -> AsyncGenerator[models.DataSourceInstance, None]:
        return streams.data_source_instance_changed(*info.context.caller, by=by.read("by"))

    @_subscription("A sync run now, and again whenever it is further, until it has ended.", type=SyncRun)
    def sync_run_progressed(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The id of the run.")]
    ) -> AsyncGenerator[models.SyncRun, None]:
        caller = info.context.caller
        run_id = ids.local_id(id, models.SyncRun, field=["id"])
        return streams.sync_run_progressed(*caller, id=run_id)
