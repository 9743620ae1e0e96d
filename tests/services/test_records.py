"""Records of a collection, read through a connection in pages of any size."""

import pytest

from gateway.errors import InvalidError, UpstreamResponseError
from gateway.models import Pointer
from gateway.services import records
from tests.support import runtime as given
from tests.support.runtime import refused


async def read(world, pointer=None, *, connection=None, principal=None, first=3, after=None):
    page = await records.page(
        world.runtime,
        principal or world.acme,
        place=await given.place(world.runtime, connection or world.connection, pointer),
        first=first,
        after=after,
    )
    return [record.external_id for _, record in page.edges], page


async def test_records_come_in_the_apps_order_from_any_place(world, notes_app):
    notes_app.page_size = 2
    everything, page = await read(world, first=50)

    assert everything == notes_app.notes
    for place, (cursor, _) in enumerate(page.edges, start=1):
        rest, _ = await read(world, first=50, after=cursor)
        assert rest == notes_app.notes[place:]


async def test_a_cursor_works_with_the_same_collection_and_parameters_in_whatever_order(world):
    both = Pointer("notes", {"notebookId": 7, "label": "x"})
    _, page = await read(world, both, first=1)
    cursor = page.edges[0][0]

    assert (await read(world, Pointer("notes", {"label": "x", "notebookId": 7}), after=cursor))[0] == ["note 2", "note 3", "note 4"]
    second = await given.connection(world.runtime, world.acme, name="Second")
    message = "The cursor is damaged or belongs to another list. Start again without `after`."
    for elsewhere in ({"pointer": Pointer("notes")}, {"pointer": Pointer("people")}, {"pointer": both, "connection": second}):
        async with refused(world.runtime, InvalidError, message, field=["after"]):
            await read(world, after=cursor, **elsewhere)


@pytest.mark.parametrize(
    ("pointer", "message"),
    [
        (
            Pointer("notes", {"notebookId": "seven"}),
            'The parameters of \'notes\' are not valid: notebookId: "seven" is not of type "integer".',
        ),
        (Pointer("nowhere"), "Notes has no location 'nowhere'. It has '/data/notes', '/data/people', '/data/scraps?box=...'."),
        (
            Pointer("archive"),
            "Path '/data/archive' is a directory. Point the data source at a collection, such as '/data/notes?isPinned=false'.",
        ),
    ],
)
async def test_a_pointer_that_leads_nowhere_is_refused_and_the_app_is_not_asked(world, notes_app, pointer, message):
    notes_app.requests.clear()
    async with refused(world.runtime, InvalidError, message):
        await read(world, pointer)

    assert notes_app.requests == []


async def test_an_app_that_fails_on_a_later_page_gives_no_page_at_all(world, notes_app):
    notes_app.page_size = 2

    async def then_fail():
        async def fail():
            notes_app.failure = UpstreamResponseError("Notes answered with HTML.")

        notes_app.meanwhile = fail

    notes_app.meanwhile = then_fail
    async with refused(world.runtime, UpstreamResponseError, "Notes answered with HTML."):
        await read(world, first=5)

    assert notes_app.requests == ["check", "records", "records"]


async def test_what_an_errors_text_quotes_of_the_credentials_is_taken_out(world, notes_app):
    notes_app.failure = UpstreamResponseError("Notes sent back: Authorization: Bearer a-token-that-notes-accepts")

    async with refused(world.runtime, UpstreamResponseError, "Notes sent back: Authorization: Bearer [redacted]"):
        await read(world)
