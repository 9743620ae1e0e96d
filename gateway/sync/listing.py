"""The pages of a complete listing, gathered while they come quickly: a commit costs as much as many records."""

from dataclasses import dataclass, field

from gateway.errors import GatewayError
from gateway.events.observations import Observation
from gateway.models import ChangePage, JsonValue, Page, Record, Since
from gateway.sync.followed import FollowedApp
from gateway.sync.pages import MAXIMUM_RECORDS_PER_COMMIT, Work

LONGEST_GATHERING_SECONDS = 1.0


@dataclass(kw_only=True)
class Pages:
    """Pages that follow each other."""

    observations: list[Observation] = field(default_factory=list)
    next_token: JsonValue = None
    """Where the listing goes on; null at its end, or when not even the first page came."""
    delta_token: JsonValue = None
    count: int = 0
    error: GatewayError | None = None
    """Why the page after these did not come."""

    @property
    def is_last(self) -> bool:
        """Whether these are all that were left."""
        return self.next_token is None


async def gathered(work: Work, token: JsonValue) -> Pages:
    """The next pages of all records there are, as many as come within a second, and one at least.

    Raises what the app raises for the first of them; what it raises for a later one is part of the answer.
    """
    clock, pages = work.runtime.clock, Pages(next_token=token)
    begun = clock.monotonic()
    while pages.count == 0 or not _is_enough(pages, clock.monotonic() - begun):
        try:
            page = await _page(work.app, pages.next_token)
        except GatewayError as error:
            if pages.count == 0:
                raise
            pages.error = error
            break
        _add(pages, page)
    return pages


def _is_enough(pages: Pages, seconds: float) -> bool:
    return pages.is_last or seconds >= LONGEST_GATHERING_SECONDS or len(pages.observations) >= MAXIMUM_RECORDS_PER_COMMIT


async def _page(app: FollowedApp, token: JsonValue) -> Page[Record] | ChangePage:
    return await app.changes(Since(), token) if app.support.has_delta else await app.records(token)


def _add(pages: Pages, page: Page[Record] | ChangePage) -> None:
    # What a listing says of deleted records is nothing: they are missing in it.
    records = [change.record for change in page.changes] if isinstance(page, ChangePage) else page.items
    pages.observations += [Observation(external_id=record.external_id, record=record) for record in records if record is not None]
    pages.next_token, pages.count = page.next_token, pages.count + 1
    if isinstance(page, ChangePage) and page.delta_token is not None:
        pages.delta_token = page.delta_token
