"""Mutations of interest in changes."""

import strawberry

from gateway.graphql.context import Info
from gateway.graphql.errors import Payload
from gateway.graphql.fields import items
from gateway.graphql.inputs.event_subscriptions import DataSourceInstanceSubscribeInput, DataSourceInstanceUnsubscribeInput
from gateway.graphql.mutations.base import mutation
from gateway.graphql.mutations.data_source_instances import DataSourceInstancePayload
from gateway.services import event_subscriptions


@strawberry.type
class EventSubscriptionMutations:
    @mutation(
        "Keep an instance in sync and record its changes from now on, whether or not anybody listens. Safe to repeat.",
        payload=DataSourceInstancePayload,
    )
    async def data_source_instance_subscribe(self, info: Info, input: DataSourceInstanceSubscribeInput) -> Payload:
        instance = await event_subscriptions.subscribe(
            *info.context.caller, by=input.by.read("input", "by"), types=items(input.types), emit_initial=input.emit_initial
        )
        return {"data_source_instance": instance}

    @mutation(
        "End what `dataSourceInstanceSubscribe` began; while somebody listens, changes are still recorded. Safe to repeat.",
        payload=DataSourceInstancePayload,
    )
    async def data_source_instance_unsubscribe(self, info: Info, input: DataSourceInstanceUnsubscribeInput) -> Payload:
        instance = await event_subscriptions.unsubscribe(*info.context.caller, by=input.by.read("input", "by"), types=items(input.types))
        return {"data_source_instance": instance}
