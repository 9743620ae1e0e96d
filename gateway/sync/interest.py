"""What those who are interested in changes are told of how it goes. Each function is one step within a commit."""

from uuid import UUID

from sqlalchemy import update
from sqlmodel import and_, col, exists, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.models import EventSubscription, SubscriptionStatus, SyncTask, TaskKind
from gateway.storage import times
from gateway.sync.tasks import told


async def tell_failure(session: AsyncSession, clock: Clock, *, instance_id: UUID, error: GatewayError) -> None:
    """The subscriptions of an instance say why changes cannot be learned of at present."""
    await _tell(session, clock, instance_id=instance_id, status=SubscriptionStatus.ERROR, error=error)


async def tell_success(session: AsyncSession, clock: Clock, *, instance_id: UUID, kind: TaskKind) -> None:
    """The subscriptions of an instance say that all is well again, unless another of its tasks still fails."""
    of_others = and_(col(SyncTask.instance_id) == instance_id, col(SyncTask.kind) != kind.value, col(SyncTask.failures) > 0)
    if not (await session.exec(select(exists().where(of_others)))).one():
        await _tell(session, clock, instance_id=instance_id, status=SubscriptionStatus.SUBSCRIBED, error=None)


async def _tell(session: AsyncSession, clock: Clock, *, instance_id: UUID, status: SubscriptionStatus, error: GatewayError | None) -> None:
    others = (SubscriptionStatus.UNSUBSCRIBED.value, *([status.value] if error is None else []))
    affected = select(EventSubscription.id).where(
        col(EventSubscription.instance_id) == instance_id, col(EventSubscription.status).not_in(others)
    )
    # Whoever renews the leases of many instances locks their rows too, in an order of its own: never wait for it here.
    chosen = affected.with_for_update(skip_locked=True)
    values = {"status": status.value, "error": told(error) if error is not None else None, "updated_at": times.now(session, clock)}
    await session.exec(
        update(EventSubscription).where(col(EventSubscription.id).in_(chosen)).values(**values).execution_options(synchronize_session=False)
    )
