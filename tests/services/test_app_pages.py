"""Pages of any size over an app's pages of any size: nothing twice, nothing left out, whatever the cursor."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Settings
from gateway.errors import InvalidError, UpstreamCallsExceededError, UpstreamUnavailableError
from gateway.models import Page, PageRequest
from gateway.services import app_pages
from tests.support.notes_connector import NotesApp

SCOPE = "a list"


@dataclass
class Pages:
    """A list in pages of given lengths, named by tokens; the sizes asked for make no difference to it."""

    lengths: list[int]
    requests: list[PageRequest] = field(default_factory=list)

    @property
    def items(self) -> list[int]:
        return list(range(sum(self.lengths)))

    async def fetch(self, request: PageRequest) -> Page[int]:
        self.requests.append(request)
        index = request.token or 0
        start = sum(self.lengths[:index])
        items = self.items[start : start + self.lengths[index]]
        return Page(items=tuple(items), next_token=index + 1 if index + 1 < len(self.lengths) else None)


async def walk(runtime, fetch, *, sizes, after=None):
    """All items from a cursor on, read in pages of the given sizes in turn; and each item's cursor."""
    found = []
    for size in sizes:
        page = await app_pages.read(runtime, fetch, first=size, after=after, scope=lambda: SCOPE)
        assert len(page.edges) <= size
        found += page.edges
        if not page.has_next:
            return found
        after = page.edges[-1][0] if page.edges else after
    raise AssertionError("The list did not end.")


@pytest.mark.parametrize("lengths", [[0], [1], [5], [3, 3, 1], [0, 2, 0, 0, 3, 0], [1, 1, 1, 1, 1], [7, 1], [2, 2]])
async def test_every_page_size_reads_the_whole_list_once_from_every_place(runtime, lengths):
    pages = Pages(lengths)
    for size in range(1, len(pages.items) + 3):
        found = await walk(runtime, pages.fetch, sizes=[size] * 99)
        assert [item for _, item in found] == pages.items
        for cursor, item in found:
            rest = await walk(runtime, pages.fetch, sizes=[size] * 99, after=cursor)
            assert [other for _, other in rest] == pages.items[item + 1 :]


async def test_a_full_page_says_that_more_may_follow_only_when_the_app_does(runtime):
    at_the_end = await app_pages.read(runtime, Pages([2, 3]).fetch, first=5, after=None, scope=lambda: SCOPE)
    before_an_empty_page = await app_pages.read(runtime, Pages([2, 3, 0]).fetch, first=5, after=None, scope=lambda: SCOPE)

    assert (len(at_the_end.edges), at_the_end.has_next) == (5, False)
    assert (len(before_an_empty_page.edges), before_an_empty_page.has_next) == (5, True)
    last = before_an_empty_page.edges[-1][0]
    rest = await app_pages.read(runtime, Pages([2, 3, 0]).fetch, first=5, after=last, scope=lambda: SCOPE)
    assert (rest.items, rest.has_next) == ((), False)


async def test_a_page_that_fits_the_apps_costs_one_request(runtime):
    pages = Pages([50, 50, 50])
    first = await app_pages.read(runtime, pages.fetch, first=50, after=None, scope=lambda: SCOPE)
    await app_pages.read(runtime, pages.fetch, first=50, after=first.edges[-1][0], scope=lambda: SCOPE)

    assert pages.requests == [PageRequest(size=50), PageRequest(size=50, token=1)]


async def test_what_is_appended_after_the_end_is_found_with_the_last_cursor(runtime):
    pages = Pages([2, 2])
    found = await walk(runtime, pages.fetch, sizes=[10])
    pages.lengths = [2, 3]

    rest = await walk(runtime, pages.fetch, sizes=[10], after=found[-1][0])

    assert [item for _, item in rest] == [4]


@given(
    count=st.integers(0, 60),
    largest=st.integers(1, 25),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
async def test_an_app_that_pages_by_number_is_read_whole_also_when_the_sizes_change_on_the_way(read_runtime, count, largest, sizes):
    app = NotesApp(page_size=largest)
    items = list(range(count))

    async def fetch(request):
        return app.page(items, request)

    found = await walk(read_runtime, fetch, sizes=sizes * 70)

    assert [item for _, item in found] == items


@pytest.fixture(scope="module")
def read_runtime():
    """What reading pages needs of a runtime: the secret that cursors are signed with."""
    return SimpleNamespace(settings=Settings(token_secret="t" * 32, encryption_keys="k"))


async def test_a_list_begun_one_by_one_can_be_read_a_thousand_at_a_time(runtime):
    app = NotesApp()
    items = list(range(1_500))

    async def fetch(request):
        return app.page(items, request)

    begun = await app_pages.read(runtime, fetch, first=1, after=None, scope=lambda: SCOPE)
    more = await app_pages.read(runtime, fetch, first=1_000, after=begun.edges[0][0], scope=lambda: SCOPE)

    assert [item for _, item in more.edges] == items[1:1_001]


async def test_an_error_on_the_way_is_raised_and_never_a_short_page(runtime):
    pages = Pages([2, 2, 2])

    async def fetch(request):
        if request.token == 2:
            raise UpstreamUnavailableError("The app is down.", may_have_been_received=False)
        return await pages.fetch(request)

    with pytest.raises(UpstreamUnavailableError):
        await app_pages.read(runtime, fetch, first=5, after=None, scope=lambda: SCOPE)
    before = await app_pages.read(runtime, fetch, first=4, after=None, scope=lambda: SCOPE)
    assert [item for _, item in before.edges] == [0, 1, 2, 3]


async def test_an_app_that_gives_nothing_but_more_pages_is_asked_a_hundred_times(runtime):
    pages = Pages([0] * 1_000)

    with pytest.raises(UpstreamCallsExceededError) as caught:
        await app_pages.read(runtime, pages.fetch, first=5, after=None, scope=lambda: SCOPE)

    assert caught.value.message == "The app's pages are too small: 100 of them hold fewer than 5 items. Ask for fewer."
    assert len(pages.requests) == 100


async def test_a_cursor_of_another_list_is_refused_before_the_app_is_asked(runtime):
    pages = Pages([5])
    page = await app_pages.read(runtime, pages.fetch, first=2, after=None, scope=lambda: "another list")

    with pytest.raises(InvalidError):
        await app_pages.read(runtime, pages.fetch, first=2, after=page.edges[0][0], scope=lambda: SCOPE)

    assert len(pages.requests) == 1
