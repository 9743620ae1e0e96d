"""The log, followed: new events are read once a process, and given to everybody who listens to what they are of."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from gateway.errors import CursorExpiredError
from gateway.events import log
from gateway.events.batches import Batch
from gateway.events.bell import Bell
from gateway.events.feed import Feed
from gateway.events.log import LogMeta, RecordedEvent, Topic
from gateway.events.sharing import Sharing
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from gateway.storage.faults import UNREACHABLE

_POLL_SECONDS = 1.0
"""A ring may get lost on its way: this long it then takes at most."""
_READ_SECONDS = 5.0
"""A link that died without a word is given up after this, and another one is taken."""
_PAUSE_SECONDS = 0.2
_IDENTITY_SECONDS = 10.0
"""So long a log that another one has replaced may be followed on."""
_CHUNK = 500
_MAXIMUM_EVENTS = 100
"""In one batch: what is executed and sent at once."""
_READ_BYTES = 8 * 1024 * 1024
"""Bodies may be large, and many more are not read at once."""
_KEPT_EVENTS = 10_000
_KEPT_BYTES = 32 * 1024 * 1024
_KEPT_PAGES = 16
_PAGE_SECONDS = 5.0

_log = structlog.get_logger("gateway.events")


class Listener:
    """Somebody who listens to a topic: a position in the log, and nothing else that could grow."""

    def __init__(self, tail: "Tail", feed: Feed, position: int) -> None:
        self._tail = tail
        self._feed = feed
        self.position = position
        """Up to here everything was given out."""

    def __aiter__(self) -> AsyncIterator[Batch]:
        return self

    async def __anext__(self) -> Batch:
        while (batch := await self.next(seconds=_POLL_SECONDS)) is None:
            pass
        return batch

    async def next(self, *, seconds: float) -> Batch | None:
        """The batch that follows, as soon as there is one; null when there is none within so many seconds.

        Raises CursorExpiredError when what follows has been pruned from the log, and when the log is another one than before.
        """
        batch = await self._following(seconds)
        if batch is not None:
            self.position = batch.end
        return batch

    async def _following(self, seconds: float) -> Batch | None:
        feed, may_wait = self._feed, True
        while True:
            feed.require_log()
            if feed.start is not None and self.position < feed.start:
                batch = await self._tail.page(feed.topic, after=self.position, up_to=feed.start)
                if batch.events:
                    return batch
                self.position = batch.end
            elif (kept := feed.after(self.position)) is not None:
                return kept
            elif may_wait:
                # Looked at once more afterwards: something may come at the very moment at which the waiting ends.
                may_wait = await feed.grown(seconds)
            else:
                # There was nothing: only what comes after the log's present end is left to read.
                self.position = max(self.position, self._tail.position or 0)
                return None


class Tail:
    """Follows the log while anybody listens.

    New events are read once, and kept for a while as batches that all listeners of a topic share. Who is further behind
    than that reads pages from the log: nobody has a queue of its own.
    """

    def __init__(
        self,
        database: Database,
        bell: Bell,
        *,
        kept_events: int = _KEPT_EVENTS,
        kept_bytes: int = _KEPT_BYTES,
        read_bytes: int = _READ_BYTES,
        read_seconds: float = _READ_SECONDS,
        identity_seconds: float = _IDENTITY_SECONDS,
    ) -> None:
        self._database = database
        self._bell = bell
        self._maximum_events = kept_events
        self._maximum_bytes = kept_bytes
        self._read_bytes = read_bytes
        self._read_seconds = read_seconds
        self._identity_seconds = identity_seconds
        self._feeds: dict[Topic, Feed] = {}
        self._feeds_by_place: dict[UUID | None, list[Feed]] = {}
        self._is_wanted = asyncio.Event()
        self.position: int | None = None
        """Up to here the log was given out; null while nobody listens."""
        self._log_id: UUID | None = None
        self._identified_at = 0.0
        self._kept: deque[tuple[Feed, Batch]] = deque()
        self._kept_events = 0
        self._kept_bytes = 0
        self._is_away = False
        self._pages = Sharing(maximum=_KEPT_PAGES)

    @asynccontextmanager
    async def subscribed(self, topic: Topic, after_pos: int) -> AsyncIterator[Listener]:
        """Somebody who listens to a topic after a position, until the block ends."""
        feed = self._enter(topic)
        try:
            yield Listener(self, feed, after_pos)
        finally:
            self._leave(feed)

    async def run(self) -> None:
        """Follows the log until cancelled. A database that is away for a while is waited for."""
        while True:
            await self._is_wanted.wait()
            seen = self._bell.count
            try:
                async with asyncio.timeout(self._read_seconds):
                    has_more = await self._advance()
            except UNREACHABLE as error:
                await self._pause(error)
            else:
                self._is_away = False
                if not has_more:
                    await self._bell.wait(seen, seconds=_POLL_SECONDS)

    async def page(self, topic: Topic, *, after: int, up_to: int) -> Batch:
        """The first events of a topic after a position, from the log; without any, where it has none up to `up_to`.

        Raises CursorExpiredError when some may have been pruned.
        """
        while True:
            try:
                return await self._pages.get((topic, after, up_to), lambda: self._read_page(topic, after, up_to), seconds=_PAGE_SECONDS)
            except UNREACHABLE as error:
                await self._pause(error)

    async def close(self) -> None:
        """Ends what is under way."""
        await self._pages.close()

    async def _pause(self, error: Exception) -> None:
        if not self._is_away:
            _log.warning("The event log cannot be read", error=type(error).__name__)
        self._is_away = True
        await asyncio.sleep(_PAUSE_SECONDS)

    def _enter(self, topic: Topic) -> Feed:
        feed = self._feeds.get(topic)
        if feed is None:
            feed = self._feeds[topic] = Feed(topic, self.position)
            self._feeds_by_place.setdefault(_place_of(topic), []).append(feed)
        feed.listeners += 1
        if feed.start is None:
            self._is_wanted.set()
            self._bell.wake()
        return feed

    def _leave(self, feed: Feed) -> None:
        feed.listeners -= 1
        # A feed of a log that is gone is no longer here, and another one of its topic may be.
        if feed.listeners or self._feeds.get(feed.topic) is not feed:
            return
        del self._feeds[feed.topic]
        place = _place_of(feed.topic)
        self._feeds_by_place[place].remove(feed)
        if not self._feeds_by_place[place]:
            del self._feeds_by_place[place]
        if not self._feeds:
            self._rest()

    def _rest(self) -> None:
        """Nobody listens any more."""
        self._is_wanted.clear()
        self.position = None
        self._kept.clear()
        self._kept_events = self._kept_bytes = 0

    async def _advance(self) -> bool:
        """Reads once; whether more may be there already."""
        position = self.position
        if position is None or asyncio.get_running_loop().time() - self._identified_at >= self._identity_seconds:
            async with self._database.read_once(SYSTEM) as session:
                self._identify(await log.log_meta(session), position)
            return True
        async with self._database.read_once(SYSTEM) as session:
            events = await log.read_some(session, topic=Topic(), after_pos=position, first=_CHUNK, maximum_bytes=self._read_bytes)
        # Everybody may have left meanwhile, and somebody else come.
        if events and self.position == position:
            self._give(events, after=position)
        return self._is_cut(events, first=_CHUNK)

    def _is_cut(self, events: Sequence[RecordedEvent], *, first: int) -> bool:
        """Whether more may follow what was read at once."""
        return len(events) == first or sum(event.weight for event in events) >= self._read_bytes

    def _identify(self, meta: LogMeta, position: int | None) -> None:
        """Begins at the log's end, or makes sure that the log is still the one that is followed."""
        self._identified_at = asyncio.get_running_loop().time()
        if position is None or self.position is None:
            self._begin(meta)
        elif meta.log_id != self._log_id or meta.end < position:
            _log.warning("The event log is another one than before: whoever listens is told to begin anew")
            for feed in self._feeds.values():
                feed.lose()
            self._feeds.clear()
            self._feeds_by_place.clear()
            self._rest()

    def _begin(self, meta: LogMeta) -> None:
        if self._feeds:
            self._log_id, self.position = meta.log_id, meta.end
            for feed in self._feeds.values():
                feed.begin(meta.end)

    def _give(self, events: list[RecordedEvent], *, after: int) -> None:
        end = events[-1].pos
        by_feed: dict[Feed, list[RecordedEvent]] = {}
        for event in events:
            for feed in self._feeds_of(event):
                by_feed.setdefault(feed, []).append(event)
        batches = [(feed, batch) for feed, own in by_feed.items() for batch in self._batches(own, after=after, end=end)]
        # Nothing that could fail stands between the place in the log and what was given out up to there.
        self.position = end
        for feed, batch in batches:
            feed.add(batch)
            self._keep(feed, batch)

    def _feeds_of(self, event: RecordedEvent) -> Iterator[Feed]:
        for place in (event.instance_id, event.connection_id, None):
            for feed in self._feeds_by_place.get(place, ()):
                if event.type in feed.topic.types:
                    yield feed

    def _batches(self, events: list[RecordedEvent], *, after: int, end: int) -> Iterable[Batch]:
        assert self._log_id is not None  # noqa: S101 - it is known before the first event is read
        for index in range(0, len(events), _MAXIMUM_EVENTS):
            some = tuple(events[index : index + _MAXIMUM_EVENTS])
            is_last = index + _MAXIMUM_EVENTS >= len(events)
            batch = Batch(log_id=self._log_id, events=some, start=after, end=end if is_last else some[-1].pos)
            after = batch.end
            yield batch

    def _keep(self, feed: Feed, batch: Batch) -> None:
        self._kept.append((feed, batch))
        self._kept_events += len(batch.events)
        self._kept_bytes += batch.weight
        while self._kept_events > self._maximum_events or self._kept_bytes > self._maximum_bytes:
            oldest_feed, oldest = self._kept.popleft()
            oldest_feed.forget(oldest)
            self._kept_events -= len(oldest.events)
            self._kept_bytes -= oldest.weight

    async def _read_page(self, topic: Topic, after: int, up_to: int) -> Batch:
        async with asyncio.timeout(self._read_seconds), self._database.read(SYSTEM) as session:
            events = await log.read_some(
                session, topic=topic, after_pos=after, first=_MAXIMUM_EVENTS, maximum_bytes=self._read_bytes, up_to=up_to
            )
            meta = await log.log_meta(session)
        # The floor moves before anything below it goes.
        if after < meta.floor:
            raise CursorExpiredError("Changes after this cursor have been pruned. Read the records again, then subscribe anew.")
        end = events[-1].pos if self._is_cut(events, first=_MAXIMUM_EVENTS) else up_to
        return Batch(log_id=meta.log_id, events=tuple(events), start=after, end=end)


def _place_of(topic: Topic) -> UUID | None:
    return topic.instance_id or topic.connection_id
