"""The loaders of what is known of changes: interest, schedules, the log."""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from uuid import UUID

from gateway.errors import UserError
from gateway.graphql.batching import ByIdentity, Loader
from gateway.models import ChangeType, DataSourceInstance, EventSubscription, Pointer, Principal
from gateway.runtime import Runtime
from gateway.services import change_events, event_subscriptions, webhook_urls
from gateway.services.change_events import GenerationKey, HistoryPage, HistoryWindow
from gateway.services.event_subscriptions import NextRuns


class EventLoaders:
    """The loaders of one operation that find what is known of changes."""

    def __init__(self, runtime: Runtime, principal: Principal) -> None:
        self._runtime = runtime
        self._principal = principal
        self._histories: dict[HistoryWindow, Loader[ByIdentity[DataSourceInstance], HistoryPage]] = {}
        self._history_counts: dict[frozenset[ChangeType], Loader[UUID, int]] = {}
        self._log_end: asyncio.Task[str] | None = None

    @cached_property
    def subscriptions_by_instance(self) -> Loader[UUID, list[EventSubscription]]:
        """The subscriptions of an instance, those that have ended too."""
        return Loader(self._read_subscriptions)

    @cached_property
    def next_runs_by_instance(self) -> Loader[UUID, NextRuns]:
        """When an instance is synced next."""
        return Loader(self._read_next_runs)

    @cached_property
    def webhook_url_by_instance(self) -> Loader[UUID, str | None]:
        """Where an app is to be told to send what changed."""
        return Loader(webhook_urls.of_instances, self._runtime, self._principal)

    @cached_property
    def pointer_by_generation(self) -> Loader[GenerationKey, Pointer | None]:
        """What an instance pointed at in a generation."""
        return Loader(self._read_pointers)

    def history(self, window: HistoryWindow) -> Loader[ByIdentity[DataSourceInstance], HistoryPage]:
        """The same page of the histories of many instances."""
        if window not in self._histories:
            self._histories[window] = Loader(self._read_histories, window)
        return self._histories[window]

    def history_count(self, types: frozenset[ChangeType]) -> Loader[UUID, int]:
        """How many events of these types are kept of an instance."""
        if types not in self._history_counts:
            self._history_counts[types] = Loader(self._count_histories, types)
        return self._history_counts[types]

    async def log_end(self) -> str:
        """The cursor of the log's end, one for the whole operation."""
        if self._log_end is None:
            self._log_end = asyncio.create_task(change_events.log_end(self._runtime, self._principal))
        return await asyncio.shield(self._log_end)

    async def _read_subscriptions(self, instance_ids: list[UUID]) -> list[list[EventSubscription]]:
        found = await event_subscriptions.of_instances(self._runtime, self._principal, instance_ids)
        return [found[instance_id] for instance_id in instance_ids]

    async def _read_next_runs(self, instance_ids: list[UUID]) -> list[NextRuns]:
        found = await event_subscriptions.next_runs(self._runtime, self._principal, instance_ids)
        return [found[instance_id] for instance_id in instance_ids]

    async def _read_pointers(self, keys: list[GenerationKey]) -> list[Pointer | None]:
        found = await change_events.pointers(self._runtime, self._principal, keys)
        return [found.get(key) for key in keys]

    async def _read_histories(self, window: HistoryWindow, keys: list[ByIdentity[DataSourceInstance]]) -> Sequence[HistoryPage | UserError]:
        return await change_events.pages(self._runtime, self._principal, [key.value for key in keys], window=window)

    async def _count_histories(self, types: frozenset[ChangeType], instance_ids: list[UUID]) -> list[int]:
        found = await change_events.counts(self._runtime, self._principal, instance_ids, types=types)
        return [found[instance_id] for instance_id in instance_ids]
