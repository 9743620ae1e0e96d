"""Where the next pull of a generation begins. Each function is one step within a commit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.events.observations import ObservedPlace
from gateway.models import CursorValue, JsonObject, JsonValue, SyncGeneration, SyncSupport
from gateway.sync import marks

_DELTA_TOKEN = "delta_token"  # noqa: S105 - the name of a key
_MARK = "mark"


def is_usable(checkpoint: Mapping[str, Any] | None, support: SyncSupport) -> bool:
    """Whether a pull can begin there: a connector may have learned another way meanwhile."""
    return checkpoint is not None and (_DELTA_TOKEN if support.has_delta else _MARK) in checkpoint


def is_wanted(checkpoint: Mapping[str, Any] | None, support: SyncSupport) -> bool:
    """Whether changes could be pulled, if there were a place to begin at."""
    return (support.has_delta or support.cursor is not None) and not is_usable(checkpoint, support)


def delta_token_of(checkpoint: Mapping[str, Any]) -> JsonValue:
    """The delta token of a checkpoint that is usable."""
    return checkpoint[_DELTA_TOKEN]


def mark_of(checkpoint: Mapping[str, Any], support: SyncSupport) -> CursorValue | None:
    """The mark of a checkpoint that is usable; null for the beginning of all."""
    return marks.decode(checkpoint[_MARK], support.cursor) if support.cursor is not None else None


def of_delta_token(token: JsonValue) -> JsonObject:
    """The checkpoint of a delta token."""
    return {_DELTA_TOKEN: token}


def of_mark(mark: CursorValue | None) -> JsonObject:
    """The checkpoint of a mark."""
    return {_MARK: marks.encode(mark)}


def of_baseline(support: SyncSupport, *, delta_token: JsonValue, run_start: datetime) -> JsonObject | None:
    """Where the first pull after a complete listing begins; null where nothing can be pulled."""
    if support.has_delta:
        return of_delta_token(delta_token)
    return of_mark(marks.of_baseline(run_start, support.cursor)) if support.cursor is not None else None


async def save(session: AsyncSession, place: ObservedPlace, checkpoint: JsonObject | None) -> None:
    """Keeps where the next pull begins; null for nowhere, until a complete listing has found out anew."""
    await change(session, place, checkpoint=checkpoint)


async def change(session: AsyncSession, place: ObservedPlace, **values: object) -> None:
    """Changes the row of a generation."""
    of_place = (col(SyncGeneration.instance_id) == place.instance_id, col(SyncGeneration.generation) == place.generation)
    await session.exec(update(SyncGeneration).where(*of_place).values(**values).execution_options(synchronize_session=False))
