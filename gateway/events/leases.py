"""Interest that lives while somebody listens."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from itertools import islice
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, case, null, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.clock import Clock
from gateway.errors import ConflictError, NotFoundError
from gateway.events import requests
from gateway.events.bell import Bell
from gateway.events.sharing import Sharing
from gateway.models import ChangeType, DataSourceInstance, EventSubscription, SubscriptionStatus, TaskKind
from gateway.models.principal import SYSTEM
from gateway.storage import times
from gateway.storage.database import Database
from gateway.storage.faults import UNREACHABLE

LEASE_SECONDS = 60.0
"""How long the interest of a listener outlives its last sign of life: long enough to come back without a new baseline."""
_RENEWAL_SECONDS = 20.0
_AT_ONCE = 5_000
"""In one statement: a driver takes no more than 32,767 values."""
_RACE_SECONDS = 5.0
"""What ends as soon as this may already be taken for ended by somebody else."""
_ATTEMPTS = 5
_REMEMBERED = 10_000
_PASSING: tuple[type[Exception], ...] = (*UNREACHABLE, ConflictError)

_log = structlog.get_logger("gateway.events")


class Leases:
    """The interest of everybody who listens in this process, renewed together."""

    def __init__(self, database: Database, clock: Clock, bell: Bell) -> None:
        self._database = database
        self._clock = clock
        self._bell = bell
        self._holders: Counter[UUID] = Counter()
        """By subscription: how many listen."""
        self._begun = Sharing(maximum=_REMEMBERED, time=clock.monotonic)

    @asynccontextmanager
    async def held(self, instance: DataSourceInstance, types: Collection[ChangeType]) -> AsyncIterator[None]:
        """Somebody is interested in changes of these types while the block runs, and for a while after it.

        Interest that somebody declared for good stays as it is. Many who begin to listen to the same cost one unit of work.
        Raises NotFoundError when the instance is gone.
        """
        key = instance.id, frozenset(types)
        ids = await self._begun.get(key, lambda: self._secure(instance, types), seconds=_RENEWAL_SECONDS)
        self._holders.update(ids)
        try:
            yield
        finally:
            self._holders.subtract(ids)
            self._holders = +self._holders

    async def close(self) -> None:
        """Ends what is under way."""
        await self._begun.close()

    async def run(self) -> None:
        """Renews what is held, until cancelled."""
        while True:
            await asyncio.sleep(_RENEWAL_SECONDS)
            try:
                await self.renew()
            except _PASSING as error:
                _log.warning("The interest of listeners could not be renewed", error=type(error).__name__)

    async def renew(self) -> None:
        """Prolongs all that is held, and has the instances looked at whose interest had ended meanwhile."""
        held = iter(sorted(self._holders))
        while ids := list(islice(held, _AT_ONCE)):
            async with self._database.write(SYSTEM) as session:
                has_asked = await self._prolong(session, col(EventSubscription.id).in_(ids))
            if has_asked:
                self._bell.ring()

    async def _secure(self, instance: DataSourceInstance, types: Collection[ChangeType]) -> list[UUID]:
        for attempt in range(_ATTEMPTS):
            try:
                return await self._begin(instance, types)
            except (IntegrityError, ConflictError):
                # Another process began to listen to the same at this moment, or the instance is gone.
                if attempt + 1 == _ATTEMPTS:
                    raise NotFoundError("The instance was deleted at this moment.") from None
        raise AssertionError

    async def _begin(self, instance: DataSourceInstance, types: Collection[ChangeType]) -> list[UUID]:
        wanted = col(EventSubscription.instance_id) == instance.id, col(EventSubscription.type).in_([change.value for change in types])
        async with self._database.write(SYSTEM) as session:
            found = (await session.exec(select(EventSubscription.type).where(*wanted))).all()
            now = self._clock.now()
            session.add_all(
                EventSubscription(
                    instance_id=instance.id,
                    customer_id=instance.customer_id,
                    type=change.value,
                    status=SubscriptionStatus.UNSUBSCRIBED.value,
                    created_at=now,
                    updated_at=now,
                )
                for change in sorted(set(types) - {ChangeType(name) for name in found})
            )
            await session.flush()
            has_asked = await self._prolong(session, *wanted)
            ids = list(await session.exec(select(EventSubscription.id).where(*wanted)))
        if has_asked:
            self._bell.ring()
        return ids

    async def _prolong(self, session: AsyncSession, *which: ColumnElement[bool]) -> bool:
        """Prolongs leases and takes up what had ended; whether it asked for a look at any instance."""
        row = EventSubscription
        is_unsubscribed = col(row.status) == SubscriptionStatus.UNSUBSCRIBED.value
        has_ended = or_(is_unsubscribed, col(row.expires_at) <= times.later(session, self._clock, seconds=_RACE_SECONDS))
        ended = set(await session.exec(select(row.instance_id).where(*which, has_ended)))
        if ended:
            # Before the subscriptions, as everybody locks in this order.
            await requests.request(session, self._clock, instance_ids=ended, kinds=[TaskKind.SETUP])
        leases = (*which, or_(is_unsubscribed, col(row.expires_at).is_not(None)))
        await session.exec(select(row.id).where(*leases).order_by(col(row.id)).with_for_update())
        await session.exec(
            update(row)
            .where(*leases)
            .values(
                expires_at=times.later(session, self._clock, seconds=LEASE_SECONDS),
                status=case((has_ended, SubscriptionStatus.SUBSCRIBED.value), else_=col(row.status)),
                error=case((has_ended, null()), else_=col(row.error)),
                updated_at=case((has_ended, times.now(session, self._clock)), else_=col(row.updated_at)),
            )
            .execution_options(synchronize_session=False)
        )
        return bool(ended)
