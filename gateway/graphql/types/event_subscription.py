"""Subscriptions to changes, as they are stored, in the schema."""

from datetime import datetime

import strawberry

from gateway import models
from gateway.graphql.context import Info
from gateway.graphql.event_sources import instance_of, interest_of, webhook_url_of
from gateway.graphql.fields import DATA_SOURCE_INSTANCE, field
from gateway.graphql.types.element import ElementError, stored_error
from gateway.graphql.types.node import Node
from gateway.models import ChangeType, EventMethod, SubscriptionStatus


@strawberry.type(
    description="Somebody's interest in one type of change of an instance's records: durable, or for as long as somebody listens."
)
class EventSubscription(Node):
    @field("The instance whose records it is about.", type=DATA_SOURCE_INSTANCE)
    async def data_source_instance(self: models.EventSubscription, info: Info) -> models.DataSourceInstance:
        return await instance_of(info.context, self.instance_id)

    @field("The type of change.")
    def type(self: models.EventSubscription) -> ChangeType:
        return ChangeType(self.type)

    @field("How changes of this type are learned of: the best that the collection offers.")
    async def method(self: models.EventSubscription, info: Info) -> EventMethod:
        return (await interest_of(info.context, self)).method

    @field("Whether changes are looked for.")
    async def status(self: models.EventSubscription, info: Info) -> SubscriptionStatus:
        return (await interest_of(info.context, self)).status

    @field("Why changes cannot be learned of at present. Null when they can.", type=ElementError | None)
    def error(self: models.EventSubscription) -> models.ElementError | None:
        return stored_error(self.error)

    @field("Whether the app tells of changes by itself, within moments.")
    async def is_real_time(self: models.EventSubscription, info: Info) -> bool:
        return (await interest_of(info.context, self)).is_real_time

    @field("Whether changes are pulled at intervals, also where the app tells of them: some get lost on their way.")
    async def requires_pull(self: models.EventSubscription, info: Info) -> bool:
        return (await interest_of(info.context, self)).requires_pull

    @field("Whether the whole collection is read at intervals.")
    async def requires_full_sync(self: models.EventSubscription, info: Info) -> bool:
        return (await interest_of(info.context, self)).requires_full_sync

    @field("When changes are pulled next. Null where they are not, or are being pulled right now.")
    async def next_pull_at(self: models.EventSubscription, info: Info) -> datetime | None:
        return (await interest_of(info.context, self)).next_pull_at

    @field("When the whole collection is read next. Null where it is not, or is being read right now.")
    async def next_full_sync_at(self: models.EventSubscription, info: Info) -> datetime | None:
        return (await interest_of(info.context, self)).next_full_sync_at

    @field("When it ends unless whoever listens stays. Null where it is durable, and where it has ended.")
    async def expires_at(self: models.EventSubscription, info: Info) -> datetime | None:
        return (await interest_of(info.context, self)).expires_at

    @field(
        "Where somebody has to tell the app to send what changed, because the gateway cannot. Whoever knows the address can claim "
        "changes: keep it secret. Null where nothing is to be done by hand."
    )
    async def webhook_url(self: models.EventSubscription, info: Info) -> str | None:
        return await webhook_url_of(info.context, self)
