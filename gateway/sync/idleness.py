"""Lists and changes without an end: an app that repeats itself, or gives empty pages for ever, is told from one that has much to give."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import UpstreamResponseError
from gateway.models import JsonObject

MOST_IDLE_PAGES = 10_000
"""So many pages in a row with nothing new are no list: the app repeats itself, or gives empty pages for ever."""
PAGES_WITHOUT_NOTES = 1_000
"""So many pages a pull reads before it begins to note which records it meets: nearly all are over long before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """For how long a pull has followed page tokens, since it began with a range or began anew."""

    page_count: int = 0
    idle_count: int = 0
    """How many pages in a row held no record that was not met before; counted from where records are noted."""

    @property
    def notes_records(self) -> bool:
        """Whether the next page's records are to be noted as met."""
        return self.page_count >= PAGES_WITHOUT_NOTES

    @property
    def is_endless(self) -> bool:
        """Whether nothing new has come for so long that nothing will."""
        return self.idle_count > MOST_IDLE_PAGES

    def after_page(self, *, new_count: int) -> "Length":
        """The length after a page with so many records that were not met before."""
        is_idle = self.notes_records and new_count == 0
        return Length(page_count=self.page_count + 1, idle_count=self.idle_count + 1 if is_idle else 0)

    def as_json(self) -> JsonObject:
        """The length as it is kept in a task's progress."""
        return {"page_count": self.page_count, "idle_count": self.idle_count}


def length_of(progress: Mapping[str, Any]) -> Length:
    """The length that `as_json` wrote; none where nothing was."""
    return Length(page_count=progress.get("page_count", 0), idle_count=progress.get("idle_count", 0))


def require_end(what: str, *, idle_count: int) -> None:
    """Returns unless so many pages in a row with nothing new are too many. Raises UpstreamResponseError."""
    if idle_count > MOST_IDLE_PAGES:
        raise UpstreamResponseError(
            f"The app gave {idle_count} pages in a row with nothing new. Its {what} no end. "
            "See how its connector finds the next page and tells the last one."
        )
