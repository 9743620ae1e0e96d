import json

import pytest

from gateway.connectors.executor.pagination import Place, Seen, fingerprint, first_place, place_after, place_of_token
from gateway.connectors.format.requests import CursorPagination, NoPagination, OffsetPagination, PagePagination
from gateway.errors import CursorExpiredError, UpstreamResponseError
from gateway.testing import Answer
from tests.connectors.executor.notes import TOKEN, items, read, read_all

PAGE = {"type": "page", "name": "p", "size": {"name": "per", "default": 50, "max": 50}}


async def test_without_pagination_one_answer_holds_everything(app, connector, access):
    app.answer(json=items(1, 2, 3))

    assert await read_all(connector(), access) == [["1", "2", "3"]]
    assert app.requests[0].target == "/notes"


async def test_pages_by_number_start_at_one_and_end_at_an_empty_page(app, connector, access):
    for ids in ((1, 2), (3,), ()):
        app.answer(json=items(*ids))

    assert await read_all(connector(listing={"pagination": PAGE}), access, size=2) == [["1", "2"], ["3"], []]
    assert [request.target for request in app.requests] == ["/notes?per=2&p=1", "/notes?per=2&p=2", "/notes?per=2&p=3"]


async def test_pages_by_number_may_start_at_zero_and_end_at_a_short_page(app, connector, access):
    app.answer(json=items(1, 2))
    app.answer(json=items(3))

    paged = connector(listing={"pagination": {**PAGE, "start": 0, "stop": "short_page"}})

    assert await read_all(paged, access, size=2) == [["1", "2"], ["3"]]
    assert [request.query["p"] for request in app.requests] == ["0", "1"]


async def test_what_the_app_says_of_more_pages_counts_more_than_their_length(app, connector, access):
    app.answer(json={**items(), "more": True})
    app.answer(json={**items(1, 2), "more": False})

    paged = connector(listing={"pagination": {**PAGE, "stop": "short_page", "has_more": "body.more"}})

    assert await read_all(paged, access, size=2) == [[], ["1", "2"]]


async def test_more_pages_can_be_told_by_number_size_and_count(app, connector, access):
    app.answer(json=items(1, 2))
    app.answer(json=items(3, 4))

    paged = connector(listing={"pagination": {**PAGE, "has_more": "page.number < `2` && page.count == page.size"}})

    assert await read_all(paged, access, size=2) == [["1", "2"], ["3", "4"]]


async def test_offsets_grow_by_what_came_so_that_an_app_with_smaller_pages_is_read_without_gaps(app, connector, access):
    for ids in ((1, 2), (3, 4), ()):
        app.answer(json=items(*ids))

    paged = connector(listing={"pagination": {"type": "offset", "name": "skip", "size": {"name": "take"}}})

    assert await read_all(paged, access, size=3) == [["1", "2"], ["3", "4"], []]
    assert [request.target for request in app.requests] == ["/notes?take=3&skip=0", "/notes?take=3&skip=2", "/notes?take=3&skip=4"]


async def test_a_cursor_is_sent_from_the_second_page_on_and_ends_when_there_is_none(app, connector, access):
    app.answer(json={**items(1), "next": "a+b/c="})
    app.answer(json={**items(2), "next": 12345678901234567890123})
    app.answer(json={**items(3), "next": None})

    paged = connector(listing={"pagination": {"type": "cursor", "name": "after", "next": "${body.next}"}})

    assert await read_all(paged, access) == [["1"], ["2"], ["3"]]
    assert [request.target for request in app.requests] == [
        "/notes",
        "/notes?after=a%2Bb%2Fc%3D",
        "/notes?after=12345678901234567890123",
    ]


async def test_a_cursor_may_come_from_the_last_item_or_a_header(app, connector, access):
    app.answer(json=items(1, 2))
    app.answer(json=items())
    by_item = connector(listing={"pagination": {"type": "cursor", "name": "starting_after", "next": "${last.id}"}})

    assert await read_all(by_item, access) == [["1", "2"], []]
    assert app.requests[1].target == "/notes?starting_after=2"

    app.answer(json=items(1), headers={"X-Next": "n2"})
    app.answer(json=items(2))
    by_header = connector(listing={"pagination": {"type": "cursor", "next": '${headers."x-next"}'}})

    assert await read_all(by_header, access) == [["1"], ["2"]]


async def test_empty_pages_with_different_cursors_are_read_on(app, connector, access):
    for cursor in ("a", "b", "c", None):
        app.answer(json=items(), headers={"X-Next": cursor} if cursor else {})

    paged = connector(listing={"pagination": {"type": "cursor", "next": '${headers."x-next"}'}})

    assert await read_all(paged, access) == [[], [], [], []]


async def test_an_app_that_says_there_is_more_and_not_where_is_refused(app, connector, access):
    app.answer(json={**items(1), "more": True})
    paged = connector(listing={"pagination": {"type": "cursor", "next": "${body.next}", "has_more": "body.more"}})

    with pytest.raises(UpstreamResponseError, match="there are more pages, and not where"):
        await read(paged, access)


@pytest.mark.parametrize("cursor", [{"a": 1}, ["a"], True, "x" * 8193], ids=["object", "list", "boolean", "long text"])
async def test_a_cursor_that_is_no_cursor_is_refused(app, connector, access, cursor):
    app.answer(json={**items(1), "next": cursor})
    paged = connector(listing={"pagination": {"type": "cursor", "next": "${body.next}"}})

    with pytest.raises(UpstreamResponseError, match="names the next page with"):
        await read(paged, access)


async def test_next_addresses_may_be_absolute_relative_or_in_a_link_header(app, connector, access):
    app.answer(json=items(1), headers={"Link": f'<{app.url}/notes?page=2>; rel="next", <{app.url}/notes?page=9>; rel="last"'})
    app.answer(json=items(2), headers=[("Link", "</notes?page=1>; rel=prev"), ("Link", '<?page=3&x=1,2;3>; title=a; REL="up next"')])
    app.answer(json=items(3))
    paged = connector(
        listing={
            "request": {"path": "/notes", "query": {"q": "a b"}},
            "pagination": {"type": "next_url", "next": "${headers.link.next}", "size": {"name": "per"}},
        }
    )

    assert await read_all(paged, access, size=7) == [["1"], ["2"], ["3"]]
    assert [request.target for request in app.requests] == ["/notes?q=a%20b&per=7", "/notes?page=2", "/notes?page=3&x=1,2;3"]
    assert {request.headers["authorization"] for request in app.requests} == {f"Bearer {TOKEN}"}


async def test_a_next_address_whose_path_starts_with_two_slashes_stays_on_its_host(app, connector, access):
    app.answer(json={**items(1), "next": f"{app.url}//evil.test/notes"})
    app.answer(json=items(2))

    assert await read_all(connector(listing={"pagination": {"type": "next_url", "next": "${body.next}"}}), access) == [["1"], ["2"]]
    assert app.requests[1].target == "//evil.test/notes"


async def test_the_first_of_several_links_of_one_relation_counts(app, connector, access):
    app.answer(json=items(1), headers={"Link": "</notes?page=2>; rel=next, </notes?page=9>; rel=next"})
    app.answer(json=items(2))

    await read_all(connector(listing={"pagination": {"type": "next_url", "next": "${headers.link.next}"}}), access)

    assert app.requests[1].target == "/notes?page=2"


async def test_a_post_that_reads_is_sent_whole_for_each_page(app, connector, access):
    app.answer(json={**items(1), "next": "/search?after=1"})
    app.answer(json=items(2))
    paged = connector(
        listing={
            "request": {"method": "POST", "read": True, "path": "/search", "json": {"limit": "${page.size}", "of": ["a"]}},
            "pagination": {"type": "next_url", "next": "${body.next}", "size": {"default": 40}},
        }
    )

    assert await read_all(paged, access) == [["1"], ["2"]]
    assert [(request.method, request.json()) for request in app.requests] == [("POST", {"limit": 40, "of": ["a"]})] * 2


async def test_a_named_pagination_serves_several_operations(app, connector, access):
    app.answer(json=items())

    assert await read_all(connector(listing={"pagination": "numbers"}, pagination={"numbers": PAGE}), access, size=1000) == [[]]
    assert app.requests[0].target == "/notes?per=50&p=1"


async def test_a_token_is_small_json_that_another_process_reads_with_the_size_of_the_first_page(app, connector, access):
    app.answer(json=items(*range(20)))
    app.answer(json=items(20))
    first = await read(connector(listing={"pagination": PAGE}), access, size=20)

    token = json.loads(json.dumps(first.next_token))
    page = await read(connector(listing={"pagination": PAGE}), access, size=50, token=token)

    assert len(json.dumps(first.next_token)) < 150
    assert [record.external_id for record in page.items] == ["20"]
    assert app.requests[1].target == "/notes?per=20&p=2"


async def test_a_next_address_outlives_a_move_of_the_server(app, other_app, connector, access):
    app.answer(json={**items(1), "next": f"{app.url}/notes?after=1"})
    listing = {"pagination": {"type": "next_url", "next": "${body.next}"}}
    first = await read(connector(listing=listing), access)
    other_app.answer(json=items(2))

    await read(connector(listing=listing, server=other_app.url), access, token=first.next_token)

    assert other_app.requests[0].target == "/notes?after=1"


@pytest.mark.parametrize(
    "token",
    [
        "page-2",
        [],
        {},
        {"type": "offset", "size": 2, "position": 2, "pages": 1, "prints": [None, None]},
        {"type": "page", "size": 0, "position": 2, "pages": 1, "prints": [None, None]},
        {"type": "page", "size": 2, "position": "2", "pages": 1, "prints": [None, None]},
        {"type": "page", "size": 2, "position": True, "pages": 1, "prints": [None, None]},
        {"type": "page", "size": 2, "position": -1, "pages": 1, "prints": [None, None]},
        {"type": "page", "size": 2, "position": 2, "pages": 0, "prints": [None, None]},
        {"type": "page", "size": 2, "position": 2, "pages": 1, "prints": [1, 2]},
    ],
)
async def test_a_token_of_other_pages_is_refused_and_nothing_is_asked(app, connector, access, token):
    with pytest.raises(CursorExpiredError, match="Start again from the first page"):
        await read(connector(listing={"pagination": PAGE}), access, token=token)

    assert app.requests == []


async def test_an_app_that_gives_the_last_page_again_is_stopped_though_the_pages_were_read_apart(app, connector, access):
    for ids in ((1, 2), (3, 4), (3, 4)):
        app.answer(json=items(*ids))
    paged = connector(listing={"pagination": PAGE})
    second = await read(paged, access, size=2, token=(await read(paged, access, size=2)).next_token)

    with pytest.raises(UpstreamResponseError, match=r"gives a page again \(page 3\)"):
        await read(paged, access, size=2, token=second.next_token)


async def test_pages_that_go_in_a_circle_are_noticed(app, connector, access):
    circle = [items(*ids) for ids in ((1, 2), (3, 4), (5, 6))]
    app.answer_with(lambda request: _json(circle[int(request.query["p"]) % 3]))

    with pytest.raises(UpstreamResponseError, match=r"gives a page again \(page 7\)"):
        await read_all(connector(listing={"pagination": PAGE}), access, size=2)


async def test_a_page_that_names_itself_as_the_next_is_refused(app, connector, access):
    app.answer(json={**items(1), "next": "/notes?after=1"})
    app.answer(json={**items(2), "next": "/notes?after=1"})

    with pytest.raises(UpstreamResponseError, match="names page 2 as the page after itself"):
        await read_all(connector(listing={"pagination": {"type": "next_url", "next": "${body.next}"}}), access)


async def test_pages_that_do_not_end_are_stopped_at_the_most_the_connector_reads(app, connector, access):
    app.answer_with(lambda request: _json(items(int(request.query["p"]))))

    with pytest.raises(UpstreamResponseError, match="did not end after 5"):
        await read_all(connector(listing={"pagination": {**PAGE, "max_pages": 5}}), access)
    assert len(app.requests) == 5


async def test_empty_pages_for_ever_are_noticed(app, connector, access):
    app.answer_with(lambda request: _json({**items(), "more": True}))

    with pytest.raises(UpstreamResponseError, match="gives a page again"):
        await read_all(connector(listing={"pagination": {**PAGE, "has_more": "body.more"}}), access)
    assert len(app.requests) == 2


async def test_an_answer_that_a_rule_calls_empty_ends_the_pages(app, connector, access):
    app.answer(status=400, json={"code": "page_out_of_range"})
    rule = {"when": {"status": [400], "body": "body.code == 'page_out_of_range'"}, "action": "empty"}

    page = await read(connector(listing={"pagination": PAGE}, http={"errors": [rule]}), access)

    assert (page.items, page.next_token) == ((), None)


def test_the_size_is_at_most_what_the_app_allows_and_the_apps_own_where_it_cannot_be_said():
    named = PagePagination(type="page", size={"name": "per", "max": 50, "default": 10})
    unnamed = PagePagination(type="page", size={"default": 25})

    assert [first_place(named, size=size).size for size in (1, 50, 51)] == [1, 50, 50]
    assert first_place(unnamed, size=1000).size == 25


def test_a_place_survives_its_token():
    numbered = PagePagination(type="page")
    place = Place(size=5, position=7, pages_before=6, last_print="a", marked_print="b")

    assert place_of_token(numbered, json.loads(json.dumps(place.as_token(numbered)))) == place


def test_an_offset_goes_on_after_a_page_without_items_when_the_app_says_so():
    skipping = OffsetPagination(type="offset", has_more="body.more")
    following = place_after(skipping, Place(size=10, position=20), _seen(count=0, body={"more": True}))

    assert following is not None
    assert following.position == 30


def test_no_pagination_never_goes_on():
    assert place_after(NoPagination(type="none"), Place(size=1, position=None), _seen(count=1)) is None


@pytest.mark.parametrize(("before", "circle"), [(0, 1), (0, 2), (0, 7), (3, 5), (10, 4)])
def test_every_circle_of_pages_is_noticed(before, circle):
    numbered = PagePagination(type="page")

    def read_round(place):
        for number in range(4 * (before + circle)):
            key = number if number < before else before + (number - before) % circle
            place = place_after(numbered, place, _seen(count=1, identities=(str(key),)))

    with pytest.raises(UpstreamResponseError, match="gives a page again"):
        read_round(Place(size=1, position=1))


def test_fingerprints_tell_parts_apart():
    assert fingerprint(["a", "b"]) == fingerprint(["a", "b"])
    assert len({fingerprint(parts) for parts in ([], [""], ["ab"], ["a", "b"], ["b", "a"], ["a", "b", ""], ["\ud800"])}) == 7


def test_a_next_cursor_whose_expression_fails_is_an_answer_that_is_not_as_promised():
    broken = CursorPagination(type="cursor", next="${add(body.next, body.next)}")

    with pytest.raises(UpstreamResponseError, match="The next page cannot be told"):
        place_after(broken, Place(size=1, position=None), _seen(count=1, body={"next": "text"}))


def _seen(*, count, identities=("p",), body=None) -> Seen:
    return Seen(count=count, identities=lambda: identities, names={"body": body}, follow=lambda target: target)


def _json(value):
    return Answer(json=value)
