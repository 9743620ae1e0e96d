"""Asking the app for single records that a listing did not hold: lists shift while they are read."""

from collections.abc import Sequence

from gateway.events.observations import Observation
from gateway.sync.followed import FollowedApp

MAXIMUM_REQUESTS = 100
"""Beyond so many, another complete listing says the same for less."""


def is_confirmable(app: FollowedApp, count: int) -> bool:
    """Whether the app can be asked for so many records by their ids."""
    return app.finds_at_once > 0 and count <= MAXIMUM_REQUESTS * app.finds_at_once


async def confirmed(app: FollowedApp, record_ids: Sequence[str]) -> list[Observation]:
    """What the app says of each of these records. Raises what the app raises."""
    observations: list[Observation] = []
    for start in range(0, len(record_ids), app.finds_at_once):
        some = record_ids[start : start + app.finds_at_once]
        found = await app.found(some)
        observations += [Observation(external_id=record_id, record=found.get(record_id)) for record_id in some]
    return observations
