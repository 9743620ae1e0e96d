"""What a collection can do, as its app described it not long ago."""

from gateway.models import CollectionSpec, Principal
from gateway.runtime import Runtime
from gateway.services.record_places import RecordPlace


async def spec_of(runtime: Runtime, principal: Principal, *, place: RecordPlace) -> CollectionSpec:
    """The collection's spec in this connection, at most ten minutes old."""
    raise NotImplementedError
