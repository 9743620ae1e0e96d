"""Reading what changed: since a value that grows with each change."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import CursorExpiredError, UnsupportedError, UpstreamResponseError
from gateway.models import Change, CursorOrder, CursorSync, CursorType, PageRequest, Pointer, RecordQuery, Since, SyncSupport
from gateway.testing import Answer

NOTES = Pointer("notes")
ALL = Since()
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
UPDATED = {"record": {"id": "${record.id}", "updated_at": "${record.at}"}}
LISTING = {
    "request": {"path": "/notes", "query": {"sort": "${order && concat(order.field, ' ', order.direction)}"}},
    "pagination": {"type": "page", "stop": "short_page", "size": {"name": "per", "max": 50}},
    "filters": {"at": {"gte": {"query": "from"}, "lte": {"query": "to"}}},
    "order": {"fields": ["at"]},
}
BY_FILTER = {"cursor": {"filter": "at", "order": "ascending"}}
SINCE = {"path": "/changes", "query": {"from": "${since.start}", "to": "${since.end}"}}


def at(minute, second=0):
    return START + timedelta(minutes=minute, seconds=second)


def note(number, minute, **fields):
    return {"id": number, "at": at(minute).isoformat(), **fields}


def text(time):
    return time.isoformat().replace("+00:00", "Z")


async def changes(connector, access, since=ALL, *, size=2, token=None):
    return await connector.changes(access, NOTES, since, PageRequest(size=size, token=token))


async def all_changes(connector, access, since=ALL, *, size=2, most=20):
    """The ids of every page, in the order they came."""
    pages, token = [], None
    while len(pages) < most:
        page = await changes(connector, access, since, size=size, token=token)
        pages.append([change.external_id for change in page.changes])
        token = page.next_token
        if token is None:
            return pages
    raise AssertionError(f"the pages did not end: {pages}")


class Journal:
    """An app that lists notes by the time of their change, page by page, and in which something may happen between two requests."""

    def __init__(self, notes):
        self.notes = {note["id"]: note for note in notes}
        self.meanwhile = {}
        self.served = 0

    def answer(self, request):
        query = request.query
        wanted = [note for note in self.notes.values() if note["at"] >= query.get("from", "").replace("Z", "+00:00")]
        wanted.sort(key=lambda note: (note["at"], note["id"]))
        size, page = int(query["per"]), int(query["page"])
        answer = Answer(json={"items": wanted[(page - 1) * size : page * size]})
        self.served += 1
        self.meanwhile.pop(self.served, lambda: None)()
        return answer


@pytest.mark.parametrize(
    ("sync", "expected"),
    [
        (None, SyncSupport()),
        ({"volatile_fields": ["views"]}, SyncSupport(volatile_fields=("views",))),
        ({"cursor": {}}, SyncSupport(cursor=CursorSync(is_filtered=False))),
        ({"cursor": {"order": "newest_first"}}, SyncSupport(cursor=CursorSync(order=CursorOrder.NEWEST_FIRST, is_filtered=False))),
        (BY_FILTER, SyncSupport(cursor=CursorSync(order=CursorOrder.ASCENDING))),
        (
            {
                "cursor": {
                    "type": "count",
                    "value": "${record.seq}",
                    "request": SINCE,
                    "inclusive": False,
                    "granularity": 1,
                    "lookback": 5,
                    "window": 100,
                    "max_records": 50,
                },
                "deleted": {"when": "item.gone"},
            },
            SyncSupport(
                cursor=CursorSync(type=CursorType.COUNT, is_inclusive=False, granularity=1, lookback=5, window=100, maximum_records=50),
                sees_deletions=True,
            ),
        ),
        ({"delta": {"request": SINCE, "token": "${body.next}"}}, SyncSupport(has_delta=True)),
    ],
)
def test_what_the_file_says_is_what_the_collection_supports(connector, sync, expected):
    notes = connector(collection={**UPDATED, **({"sync": sync} if sync is not None else {})}, listing=LISTING)

    assert notes.sync_support(NOTES) == expected


async def test_the_filter_and_order_of_the_list_tell_the_app_which_records_are_wanted(app, connector, access):
    app.answer(json={"items": [note(7, 3)]})
    notes = connector(collection={**UPDATED, "sync": BY_FILTER}, listing=LISTING)

    page = await changes(notes, access, Since(start=at(2), end=at(9)))

    assert app.requests[0].query == {"from": text(at(2)), "to": text(at(9)), "sort": "at asc", "per": "2", "page": "1"}
    assert [(change.external_id, change.cursor, change.record.fields) for change in page.changes] == [("7", at(3), note(7, 3))]
    assert (page.next_token, page.delta_token) == (None, None)


async def test_without_bounds_every_record_comes_with_its_value(app, connector, access):
    journal = Journal([note(number, number) for number in range(1, 6)])
    app.answer_with(journal.answer)
    notes = connector(collection={**UPDATED, "sync": BY_FILTER}, listing=LISTING)

    pages = await all_changes(notes, access)

    assert sorted({external_id for page in pages for external_id in page}) == ["1", "2", "3", "4", "5"]
    assert "from" not in app.requests[0].query


async def test_a_record_that_moves_while_it_is_read_pushes_no_other_out_of_sight(app, connector, access):
    journal = Journal([note(number, number) for number in range(1, 8)])
    # Between the first two pages, note 1 changes: all that stood behind it move up by one.
    journal.meanwhile[1] = lambda: journal.notes.update({1: note(1, 50)})
    app.answer_with(journal.answer)
    notes = connector(collection={**UPDATED, "sync": BY_FILTER}, listing=LISTING)

    pages = await all_changes(notes, access, Since(start=at(1)))

    assert sorted({external_id for page in pages for external_id in page}) == ["1", "2", "3", "4", "5", "6", "7"]


async def test_more_records_of_one_value_than_fit_a_page_are_read_to_their_end(app, connector, access):
    journal = Journal([*(note(number, 3) for number in range(1, 8)), note(8, 4)])
    app.answer_with(journal.answer)
    notes = connector(collection={**UPDATED, "sync": BY_FILTER}, listing=LISTING)

    pages = await all_changes(notes, access, Since(start=at(1)))

    assert sorted({external_id for page in pages for external_id in page}) == ["1", "2", "3", "4", "5", "6", "7", "8"]


async def test_an_app_that_does_not_keep_the_order_is_read_page_by_page(app, connector, access):
    for numbers in ((9, 3), (5, 1), (2,)):
        app.answer(json={"items": [note(number, number) for number in numbers]})
    notes = connector(collection={**UPDATED, "sync": BY_FILTER}, listing=LISTING)

    assert await all_changes(notes, access, Since(start=at(1))) == [["9", "3"], ["5", "1"], ["2"]]
    assert [request.query["page"] for request in app.requests] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "token",
    [
        "text",
        7,
        {"step": 2, "start": None, "page": None},
        {"step": 1, "start": 5, "page": None},
        {"step": 1, "start": True, "page": None},
        {"step": 1, "start": "not a time", "page": None},
        {"step": 1, "start": None, "page": {"type": "page", "size": 2, "position": -3, "pages": 1, "prints": [None, None]}},
        {"type": "page", "size": 2, "position": 2, "pages": 1, "prints": [None, None]},
    ],
)
async def test_a_page_token_that_the_connector_did_not_give_is_no_longer_known(app, connector, access, token):
    notes = connector(collection={**UPDATED, "sync": BY_FILTER}, listing=LISTING)

    with pytest.raises(CursorExpiredError):
        await changes(notes, access, token=token)
    assert app.requests == []


@pytest.mark.parametrize(
    ("cursor", "since", "expected"),
    [
        # In RFC 3339, or as the record's times are written; rounded to what the app tells apart, away from the middle.
        ({}, Since(start=at(1, 30), end=at(2, 30)), {"from": text(at(1, 30)), "to": text(at(2, 30))}),
        ({"granularity": 60}, Since(start=at(1, 30), end=at(2, 30)), {"from": text(at(1)), "to": text(at(3))}),
        ({"times": "epoch_s"}, Since(start=at(0)), {"from": str(int(at(0).timestamp()))}),
        ({"times": "epoch_ms"}, Since(start=at(0, 0.5)), {"from": str(int(at(0).timestamp() * 1000) + 500)}),
        # An app that leaves out the value that it is asked for is asked for one step more.
        ({"inclusive": False, "granularity": 1}, Since(start=at(1)), {"from": text(at(0, 59))}),
        ({"type": "count", "value": "${record.seq}"}, Since(start=7, end=9), {"from": "7", "to": "9"}),
        ({"type": "count", "value": "${record.seq}", "inclusive": False, "granularity": 1}, Since(start=7), {"from": "6"}),
        ({}, Since(start=datetime(1, 1, 1, tzinfo=UTC)), {"from": "0001-01-01T00:00:00Z"}),
        ({"granularity": 86400, "inclusive": False}, Since(start=datetime(1, 1, 1, tzinfo=UTC)), {"from": "0001-01-01T00:00:00Z"}),
        ({}, Since(), {}),
    ],
)
async def test_a_request_of_its_own_is_told_the_bounds_as_the_app_writes_them(app, connector, access, cursor, since, expected):
    app.answer(json={"items": []})
    notes = connector(collection={**UPDATED, "sync": {"cursor": {"request": SINCE, **cursor}}})

    await changes(notes, access, since)

    assert (app.requests[0].path, app.requests[0].query) == ("/changes", expected)


@pytest.mark.parametrize(
    ("cursor", "value", "expected"),
    [
        ({}, "2026-03-01 09:00:00.5Z", START + timedelta(seconds=0.5)),
        ({}, "yesterday", None),
        ({}, None, None),
        ({}, 7, None),
        ({"times": "epoch_s"}, 1772355600, START),
        ({"times": "epoch_ms"}, "1772355600000", START),
        ({"type": "count"}, 12, 12),
        ({"type": "count"}, "12", 12),
        ({"type": "count"}, 1.5, 1.5),
        ({"type": "count"}, "1e999", None),
        ({"type": "count"}, 10**30, None),
        ({"type": "count"}, True, None),
        ({"type": "count"}, "[" * 5000, None),
        ({"type": "count"}, {"n": 1}, None),
    ],
)
async def test_a_value_that_is_none_leaves_the_change_without_one(app, connector, access, cursor, value, expected):
    app.answer(json={"items": [{"id": 1, "at": value}]})
    notes = connector(collection={**UPDATED, "sync": {"cursor": {"request": SINCE, **cursor}}})

    page = await changes(notes, access)

    assert [(change.external_id, change.cursor) for change in page.changes] == [("1", expected)]


async def test_an_item_that_is_gone_is_told_with_its_id_alone(app, connector, access):
    app.answer(json={"items": [note(1, 1), {"key": "n-2", "gone": True, "at": at(2).isoformat()}, note(3, 3, draft=True)]})
    sync = {
        "cursor": {"request": SINCE, "where": "item.draft != `true`"},
        "deleted": {"when": "item.gone", "id": "${replace(item.key, 'n-', '')}"},
    }

    page = await changes(connector(collection={**UPDATED, "sync": sync}), access)

    assert page.changes[1:] == (Change(external_id="2", cursor=at(2)),)
    assert [change.external_id for change in page.changes] == ["1", "2"]


GONE = {"id": 2, "at": at(2).isoformat(), "gone": True}
OPERATIONS = {
    "list": {"request": {"path": "/notes"}, "records": "${body.items}"},
    "search": {"request": {"path": "/search", "query": {"q": "${search}"}}, "records": "${body.items}"},
    "match": {"fields": ["at"], "request": {"path": "/match"}, "record": "${body.items[0]}"},
    "get": {"request": {"path": "/notes/${id}"}, "record": "${body.items[0]}"},
    "get_many": {"request": {"path": "/notes"}, "records": "${body.items}", "max": 10},
}


@pytest.mark.parametrize(("deleted", "is_shown"), [({"when": "item.gone"}, False), ({"when": "item.gone", "id": "${item.id}"}, True)])
async def test_a_record_that_the_app_shows_although_it_is_gone_is_nowhere_among_the_records(app, connector, access, deleted, is_shown):
    app.answer_with(lambda request: Answer(json={"items": [GONE]}))
    notes = connector(collection={**UPDATED, "operations": OPERATIONS, "sync": {"cursor": {}, "deleted": deleted}})

    found = [
        *(await notes.records(access, NOTES, PageRequest(size=10))).items,
        *(await notes.records(access, NOTES, PageRequest(size=10), RecordQuery(search="x"))).items,
        await notes.match(access, NOTES, {"at": "x"}),
        await notes.record(access, NOTES, "2"),
        *(await notes.records_by_ids(access, NOTES, ["2"])).values(),
    ]

    assert [record.external_id for record in found if record is not None] == (["2"] * 5 if is_shown else [])
    assert (await changes(notes, access)).changes == (Change(external_id="2", cursor=at(2)),)


async def test_pages_of_nothing_but_what_is_left_out_do_not_end_the_list(app, connector, access):
    for numbers in ((1, 2), (3, 4), (5,)):
        app.answer(json={"items": [note(number, 1, draft=number < 5) for number in numbers]})
    sync = {"cursor": {"request": SINCE, "where": "item.draft != `true`", "pagination": LISTING["pagination"]}}

    assert await all_changes(connector(collection={**UPDATED, "sync": sync}), access) == [[], [], ["5"]]


async def test_without_a_filter_the_list_is_read_as_it_is(app, connector, access):
    app.answer(json={"items": [note(2, 9), note(1, 1)]})
    notes = connector(collection={**UPDATED, "sync": {"cursor": {"order": "newest_first"}}})

    page = await changes(notes, access, Since(start=at(5)))

    assert app.requests[0].target == "/notes"
    assert [(change.external_id, change.cursor) for change in page.changes] == [("2", at(9)), ("1", at(1))]


async def test_a_list_of_lists_tells_its_changes_too(app, connector, access):
    for numbers in ((1,), (2, 3)):
        app.answer(json={"items": [note(number, number) for number in numbers]})
    listing = {
        "request": {"path": "/boxes/${partition.box}"},
        "filters": LISTING["filters"],
        "partitions": [{"as": "box", "values": ["a", "b"]}],
    }
    notes = connector(collection={**UPDATED, "sync": {"cursor": {"filter": "at"}}}, listing=listing)

    assert await all_changes(notes, access, Since(start=at(0))) == [["1"], ["2", "3"]]
    assert [request.path for request in app.requests] == ["/boxes/a", "/boxes/b"]


async def test_an_app_that_gives_the_same_page_for_ever_does_not_loop(app, connector, access):
    app.answer_with(lambda request: Answer(json={"items": [note(1, 1), note(2, 2)]}))
    notes = connector(collection={**UPDATED, "sync": BY_FILTER}, listing=LISTING)

    with pytest.raises(UpstreamResponseError, match="The app gives a page again"):
        await all_changes(notes, access)


async def test_a_collection_that_says_nothing_of_changes_is_not_asked_for_them(app, connector, access):
    with pytest.raises(UnsupportedError, match=r"Notes does not tell what changed\. Compare its whole list\."):
        await changes(connector(), access)
    assert app.requests == []
