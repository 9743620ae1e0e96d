"""What a collection can do, as its app described it not long ago."""

from collections.abc import Callable, Hashable
from typing import TypeVar

from gateway.errors import CombinedUserError, UnsupportedError, UserError
from gateway.models import CollectionOperation, CollectionSpec, Principal
from gateway.runtime import Runtime
from gateway.services.access import App
from gateway.services.record_places import RecordPlace, app_at

Decision = TypeVar("Decision")
Decide = Callable[[CollectionSpec], Decision]
"""Whether a spec allows what a caller wants, and what follows. Raises UserErrors where it does not; asks nobody."""


async def described(runtime: Runtime, app: App, place: RecordPlace) -> CollectionSpec:
    """The collection's spec as its app describes it now."""
    spec = await app.connector.describe(app.access, place.pointer)
    runtime.described.keep(_key(place), spec, now=runtime.clock.monotonic())
    return spec


async def decided_for(runtime: Runtime, principal: Principal, place: RecordPlace, decide: Decide[Decision]) -> Decision:
    """What is decided by the spec that is kept; nothing is refused but by the spec as the app describes it now."""
    allowed = _allowed(_kept(runtime, place), decide)
    if allowed is not None:
        return allowed[0]
    async with app_at(runtime, principal, place) as app:
        return decide(await described(runtime, app, place))


async def decided(runtime: Runtime, app: App, place: RecordPlace, decide: Decide[Decision]) -> Decision:
    """The same with an app that is at hand."""
    allowed = _allowed(_kept(runtime, place), decide)
    return allowed[0] if allowed is not None else decide(await described(runtime, app, place))


async def decided_at_once(runtime: Runtime, app: App, place: RecordPlace, decide: Decide[Decision]) -> Decision:
    """The same for what is mostly known without asking any app: operations, and nothing of fields."""
    allowed = _allowed(app.connector.spec.collection(place.pointer.key), decide)
    return allowed[0] if allowed is not None else await decided(runtime, app, place, decide)


def require_operation(spec: CollectionSpec, operation: CollectionOperation) -> None:
    """Returns when the collection supports an operation. Raises UnsupportedError that names what it does support."""
    if operation not in spec.operations:
        supported = ", ".join(spec.operations) or "nothing"
        raise UnsupportedError(f"Collection {spec.key!r} does not support {operation}. It supports {supported}.")


def _kept(runtime: Runtime, place: RecordPlace) -> CollectionSpec | None:
    return runtime.described.find(_key(place), now=runtime.clock.monotonic())


def _allowed(spec: CollectionSpec | None, decide: Decide[Decision]) -> tuple[Decision] | None:
    """What is decided, alone in a tuple; null where it is refused, or nothing is known: a field added a minute ago is no mistake."""
    if spec is None:
        return None
    try:
        return (decide(spec),)
    except (UserError, CombinedUserError):
        return None


def _key(place: RecordPlace) -> Hashable:
    # With other credentials, or in another region, an app may describe another collection.
    return place.identity, place.connection.revision, place.integration.revision
