"""What a call of an app leaves goes at once, the answer above all."""

from tests.connectors.executor.notes import items, read
from tests.support.garbage import garbage_of


async def test_reading_a_page_leaves_nothing_to_the_search_for_garbage(app, connector, access):
    app.answer(json=items(*range(100)))
    app.answer(json=items(*range(100)))
    notes = connector()

    assert await garbage_of(lambda: read(notes, access), "gateway.") == {}
