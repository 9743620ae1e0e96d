"""What the schema shows of changes and of who is interested in them."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from gateway.errors import NotFoundError
from gateway.events import bodies
from gateway.events.batches import Batch
from gateway.events.cursors import cursor_of
from gateway.events.log import RecordedEvent
from gateway.graphql import relay
from gateway.graphql.batching import ByIdentity
from gateway.graphql.context import Context
from gateway.graphql.fields import given
from gateway.graphql.layers import InstanceLayers
from gateway.graphql.relay import Page, Position
from gateway.graphql.sources import RecordSource, records_of
from gateway.models import ChangeType, DataSourceInstance, EventSubscription
from gateway.services import change_events, checks, detection, event_subscriptions
from gateway.services.change_events import HistoryWindow
from gateway.services.event_subscriptions import Interest
from gateway.services.record_places import RecordPlace


@dataclass(frozen=True, slots=True)
class ChangeEventSource:
    """An event, and the log that it stands in."""

    log_id: UUID
    event: RecordedEvent

    @property
    def cursor(self) -> str:
        """The place after it."""
        return cursor_of(self.log_id, self.event.pos)


def events_of(batch: Batch) -> list[ChangeEventSource]:
    """What came in together."""
    return [ChangeEventSource(batch.log_id, event) for event in batch.events]


async def history_of(
    context: Context, instance: DataSourceInstance, *, first: int, after: str | None, types: list[ChangeType] | None
) -> Page[ChangeEventSource]:
    """A page of what was recorded of an instance, oldest first."""
    wanted = checks.change_types(given(types), field=["types"])
    size = relay.bounded(first, maximum=context.runtime.settings.max_page_size)
    window = HistoryWindow(types=wanted, first=size, after=given(after))
    page = await context.loaders.events.history(window).load(ByIdentity(instance))
    context.budget.spend(len(page.events))
    sources = (ChangeEventSource(page.log_id, event) for event in page.events)
    edges = tuple(Position(source.cursor, source) for source in sources)
    count = partial(context.loaders.events.history_count(wanted).load, instance.id)
    return Page(edges=edges, has_next_page=page.has_next, has_previous_page=window.after is not None, count=count)


async def instance_of(context: Context, instance_id: UUID) -> DataSourceInstance:
    """The instance that an event, a subscription or a run is of. Raises NotFoundError where it was deleted meanwhile."""
    instance = await context.loaders.row_by_id(DataSourceInstance).load(instance_id)
    if instance is None:
        raise NotFoundError("The instance of this was deleted at this moment.")
    return instance


async def record_of(context: Context, source: ChangeEventSource) -> RecordSource | None:
    """The record as it was after a change; null where it is gone, or was not kept."""
    event = source.event
    if event.body is None:
        return None
    layers = await _layers_of(context, event.instance_id)
    pointer = await context.loaders.events.pointer_by_generation.load((event.instance_id, event.generation))
    if pointer is None:
        raise NotFoundError("What is known of this event was deleted at this moment.")
    connection, integration = layers.context.connection, layers.context.integration
    home = RecordPlace(connection=connection, integration=integration, pointer=pointer, udm=layers.settings.udm)
    return records_of(context.loaders.records.collection_of(home), home)(bodies.decode(event.body, event.record_id))


async def changed_fields_of(context: Context, source: ChangeEventSource) -> list[str] | None:
    """The names of the fields that a change changed; null where that is not known."""
    event = source.event
    if event.body is None or event.previous is None:
        return None
    layers = await _layers_of(context, event.instance_id)
    pointer = await context.loaders.events.pointer_by_generation.load((event.instance_id, event.generation))
    support = detection.support_of(context.runtime, layers.context.integration, pointer)
    return change_events.changed_fields(event, volatile_fields=support.volatile_fields)


async def interest_of(context: Context, subscription: EventSubscription) -> Interest:
    """What a subscription means at this moment."""
    layers = await _layers_of(context, subscription.instance_id)
    runs = await context.loaders.events.next_runs_by_instance.load(subscription.instance_id)
    return event_subscriptions.interest(context.runtime, subscription, context=layers.context, runs=runs)


async def webhook_url_of(context: Context, subscription: EventSubscription) -> str | None:
    """Where somebody has to tell the app to send the changes that a subscription is about; null where nobody has to."""
    return await context.loaders.events.webhook_url_by_instance.load(subscription.instance_id)


async def _layers_of(context: Context, instance_id: UUID) -> InstanceLayers:
    return await context.loaders.layers_by_instance.load(ByIdentity(await instance_of(context, instance_id)))
