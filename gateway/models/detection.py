"""How changes are learned of: the best that a collection offers, decided at every read and never stored."""

from collections.abc import Collection
from dataclasses import dataclass

from gateway.models.changes import SyncSupport
from gateway.models.collections import ChangeType, CollectionEventSupport, EventMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What it takes to learn of changes of some types."""

    methods: dict[ChangeType, EventMethod]
    uses_webhook: bool
    uses_pull: bool
    """Whether changes are read since a token or a cursor value, also where webhooks tell of them: some get lost."""
    uses_full_sync: bool
    """Whether the whole list is compared at intervals."""


def method_of(support: SyncSupport, change: ChangeType, *, has_webhooks: bool) -> EventMethod:
    """How changes of a type are learned of; `has_webhooks` tells whether apps can reach this gateway.

    A webhook that somebody registers by hand only comes on top: nobody knows whether anybody has.
    """
    if has_webhooks and support.webhook is not None and support.webhook.is_registered and change in support.webhook.types:
        return EventMethod.WEBHOOK
    return _polled(support, change)


def detection_of(support: SyncSupport, types: Collection[ChangeType], *, has_webhooks: bool) -> Detection:
    """What it takes to learn of changes of these types."""
    methods = {change: method_of(support, change, has_webhooks=has_webhooks) for change in types}
    polled = {_polled(support, change) for change in types}
    return Detection(
        methods=methods,
        uses_webhook=has_webhooks and support.webhook is not None and not support.webhook.types.isdisjoint(types),
        uses_pull=not polled.isdisjoint({EventMethod.DELTA, EventMethod.PULL}),
        uses_full_sync=EventMethod.FULL_SCAN in polled,
    )


def event_support(support: SyncSupport) -> tuple[CollectionEventSupport, ...]:
    """What a collection's spec says of its events, where apps can reach the gateway."""
    return tuple(CollectionEventSupport(type=change, method=method_of(support, change, has_webhooks=True)) for change in ChangeType)


def _polled(support: SyncSupport, change: ChangeType) -> EventMethod:
    """The method without webhooks, which reconciles them too."""
    if change is ChangeType.DELETED and not support.sees_deletions:
        return EventMethod.FULL_SCAN
    if support.has_delta:
        return EventMethod.DELTA
    return EventMethod.PULL if support.cursor is not None else EventMethod.FULL_SCAN
