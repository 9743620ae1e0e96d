import asyncio
import json

import pytest

from gateway.errors import CursorExpiredError, UpstreamRejectedError, UpstreamResponseError
from gateway.models import PageRequest, Pointer
from gateway.testing import Answer
from tests.connectors.executor.notes import items, read, read_all


def by_box(**parts):
    """The notes of each box, at an address of its own."""
    return {"request": {"path": "/boxes/${partition.box}/notes"}, "partitions": [{"as": "box", "values": ["a", "b", "c"]}], **parts}


class Boxes:
    """An app with boxes that hold notes, two to a page."""

    def __init__(self, app, boxes, *, boxes_of_a_page=10):
        self.boxes = boxes
        self.boxes_of_a_page = boxes_of_a_page
        app.answer_with(self.respond)

    def respond(self, request):
        page = int(request.query.get("page", "1"))
        if request.path == "/boxes":
            start = (page - 1) * self.boxes_of_a_page
            keys = list(self.boxes)[start : start + self.boxes_of_a_page]
            return Answer(json={"boxes": [{"key": key, "open": not key.startswith("-")} for key in keys]})
        key = request.path.split("/")[2]
        return Answer(json=items(*self.boxes[key][(page - 1) * 2 : page * 2]))


SHORT = {"type": "page", "stop": "short_page", "size": {"default": 2}}
OF_BOXES = {"as": "box", "request": {"path": "/boxes"}, "items": "${body.boxes}"}


def listed_boxes(*, pagination="none", **parts):
    partition = {**OF_BOXES, "pagination": pagination, **parts}
    return {"request": {"path": "/boxes/${partition.box.key}/notes"}, "pagination": SHORT, "partitions": [partition]}


def targets(app):
    return [request.target for request in app.requests]


async def test_a_list_is_read_for_each_of_the_given_values(app, connector, access):
    app.answer(Answer(json=items(1, 2)), Answer(json=items(3)), Answer(json=items(4)))

    assert await read_all(connector(listing=by_box()), access) == [["1", "2"], ["3"], ["4"]]
    assert targets(app) == ["/boxes/a/notes", "/boxes/b/notes", "/boxes/c/notes"]


async def test_the_pages_of_one_value_come_before_the_next_value(app, connector, access):
    Boxes(app, {"a": [1, 2, 3], "b": [4]})

    assert await read_all(connector(listing=listed_boxes()), access) == [["1", "2"], ["3"], ["4"]]
    assert [target for target in targets(app) if target != "/boxes"] == [
        "/boxes/a/notes?page=1",
        "/boxes/a/notes?page=2",
        "/boxes/b/notes?page=1",
    ]


async def test_an_empty_branch_is_no_end(app, connector, access):
    Boxes(app, {"a": [], "b": [], "c": [1], "d": [], "e": [2], "f": []})

    assert await read_all(connector(listing=listed_boxes()), access) == [["1"], ["2"], []]


async def test_no_values_are_an_empty_list(app, connector, access):
    assert await read_all(connector(listing=by_box(partitions=[{"as": "box", "values": []}])), access) == [[]]
    assert app.requests == []


async def test_many_empty_branches_in_a_row_give_an_empty_page_with_a_token(app, connector, access):
    Boxes(app, {f"b{number}": [] for number in range(60)} | {"last": [1]}, boxes_of_a_page=100)

    pages = await read_all(connector(listing=listed_boxes()), access)

    assert [page for page in pages if page] == [["1"]]
    assert len(pages) > 1
    assert len([target for target in targets(app) if target != "/boxes"]) == 61


async def test_parents_are_read_page_by_page(app, connector, access):
    Boxes(app, {"a": [1], "b": [2], "c": [3]}, boxes_of_a_page=2)
    pagination = {"type": "page", "stop": "short_page", "size": {"name": "per", "max": 2}}

    assert await read_all(connector(listing=listed_boxes(pagination=pagination)), access) == [["1"], ["2"], ["3"]]


async def test_parents_that_do_not_fit_are_left_out(app, connector, access):
    Boxes(app, {"a": [1], "-b": [2], "c": [3]})

    assert await read_all(connector(listing=listed_boxes(where="item.open")), access) == [["1"], ["3"]]


async def test_several_partitions_multiply_and_the_last_is_the_fastest(app, connector, access):
    partitions = [{"as": "box", "values": ["a", "b"]}, {"as": "state", "values": ["open", "closed"]}]
    app.answer_with(lambda request: Answer(json=items(request.target)))

    pages = await read_all(
        connector(listing=by_box(partitions=partitions, request={"path": "/${partition.box}/${partition.state}"})), access
    )

    assert pages == [["/a/open"], ["/a/closed"], ["/b/open"], ["/b/closed"]]


async def test_a_partition_sees_those_before_it(app, connector, access):
    partitions = [
        {"as": "box", "values": ["a", "b"]},
        {"as": "shelf", "request": {"path": "/${partition.box}/shelves"}, "items": "${body}"},
    ]
    shelves = {"/a/shelves": ["1", "2"], "/b/shelves": [], "/c/shelves": ["3"]}
    app.answer_with(lambda request: Answer(json=shelves.get(request.path) if request.path in shelves else items(request.target)))
    listing = by_box(partitions=partitions, request={"path": "/${partition.box}/${partition.shelf}"})

    assert [page for page in await read_all(connector(listing=listing), access) if page] == [["/a/1"], ["/a/2"]]


async def test_values_come_in_batches(app, connector, access):
    partitions = [{"as": "ids", "values": [1, 2, 3, 4, 5], "batch": 2}]
    app.answer_with(lambda request: Answer(json=items(request.target)))

    pages = await read_all(
        connector(listing=by_box(partitions=partitions, request={"path": "/n", "query": {"id": "${partition.ids}"}})), access
    )

    assert pages == [["/n?id=1&id=2"], ["/n?id=3&id=4"], ["/n?id=5"]]


async def test_what_stands_around_a_list_comes_along_with_its_records(app, connector, access):
    app.answer(Answer(json={"items": [{"id": 1}]}))
    notes = connector(
        listing=by_box(partitions=[{"as": "box", "values": ["a"]}], records="${add_to_each(body.items, {box: partition.box})}")
    )

    assert (await read(notes, access)).items[0].fields == {"id": 1, "box": "a"}


async def test_the_size_that_the_caller_wants_is_asked_for_in_each_list(app, connector, access):
    app.answer_with(lambda request: Answer(json=items(1)))
    notes = connector(listing=by_box(pagination={"type": "page", "stop": "short_page", "size": {"name": "n", "max": 50}}))

    await read_all(notes, access, size=20)

    assert targets(app) == ["/boxes/a/notes?n=20&page=1", "/boxes/b/notes?n=20&page=1", "/boxes/c/notes?n=20&page=1"]


async def test_a_token_is_small_json_that_another_process_understands(app, connector, access):
    Boxes(app, {"a": [1, 2, 3], "b": [4]})
    page = await read(connector(listing=listed_boxes()), access)

    token = json.loads(json.dumps(page.next_token))
    assert len(json.dumps(token)) < 300
    again = await read(connector(listing=listed_boxes()), access, token=token)

    assert [record.external_id for record in again.items] == ["3"]


async def test_a_place_moves_with_its_parent(app, connector, access):
    boxes = Boxes(app, {"a": [1, 2, 3], "b": [4]})
    notes = connector(listing=listed_boxes())
    page = await read(notes, access)
    boxes.boxes = {"new": [9], "a": [1, 2, 3], "b": [4]}

    page = await read(notes, access, token=page.next_token)
    assert [record.external_id for record in page.items] == ["3"]
    page = await read(notes, access, token=page.next_token)
    assert [record.external_id for record in page.items] == ["4"]


async def test_a_parent_that_is_gone_is_passed_over(app, connector, access):
    boxes = Boxes(app, {"a": [1, 2, 3], "b": [4]})
    notes = connector(listing=listed_boxes())
    page = await read(notes, access)
    boxes.boxes = {"b": [4]}

    page = await read(notes, access, token=page.next_token)

    assert [record.external_id for record in page.items] == ["4"]


async def test_a_failing_branch_fails_the_list(app, connector, access):
    app.answer(Answer(json=items(1)), Answer(status=403, json={}))
    notes = connector(listing=by_box())
    page = await read(notes, access)

    with pytest.raises(UpstreamRejectedError, match="403"):
        await read(notes, access, token=page.next_token)


async def test_a_branch_that_a_rule_calls_empty_is_passed_over(app, connector, access):
    app.answer(Answer(status=404), Answer(status=404), Answer(json=items(1)))
    notes = connector(listing=by_box(), http={"errors": [{"when": {"status": [404]}, "action": "empty"}]})

    assert await read_all(notes, access) == [["1"]]


async def test_thousands_of_empty_combinations_leave_everybody_else_their_turns(app, connector, access):
    first_only = {"as": "b", "values": ["x"], "where": "partition.a == `0`"}
    pairs = connector(listing={"request": {"path": "/notes"}, "partitions": [{"as": "a", "values": list(range(2000))}, first_only]})
    app.answer(json=items(1))
    turns = 0

    async def count_turns():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count_turns())
    assert await read_all(pairs, access) == [["1"]]
    counting.cancel()

    assert turns > 2000


@pytest.mark.parametrize("values", ["${connection.boxes}", "a", {"a": 1}, 7], ids=repr)
async def test_values_that_are_no_list_are_refused_unsent(app, connector, access, values):
    with pytest.raises(UpstreamRejectedError, match=r"partition 'box' is .*, not a list"):
        await read(connector(listing=by_box(partitions=[{"as": "box", "values": values}])), access)
    assert app.requests == []


async def test_values_may_come_from_the_connection(app, connector, access):
    app.answer_with(lambda request: Answer(json=items(request.target)))
    notes = connector(
        listing=by_box(partitions=[{"as": "box", "values": "${parameters.boxes}"}]), collection={"parameters": {"type": "object"}}
    )

    page = await notes.records(access, Pointer("notes", {"boxes": ["x/y?z"]}), PageRequest(size=10))

    assert [record.external_id for record in page.items] == ["/boxes/x%2Fy%3Fz/notes"]


@pytest.mark.parametrize("body", [{}, {"boxes": None}, {"boxes": {"a": 1}}, [], None], ids=repr)
async def test_parents_that_are_no_list_are_not_what_was_promised(app, connector, access, body):
    app.answer(json=body)

    with pytest.raises(UpstreamResponseError, match="expects a list"):
        await read(connector(listing=listed_boxes()), access)


async def test_parents_that_repeat_are_stopped(app, connector, access):
    app.answer_with(lambda request: Answer(json={"boxes": [{"key": "a"}]} if request.path == "/boxes" else items()))

    with pytest.raises(UpstreamResponseError, match="gives a page again"):
        await read(connector(listing=listed_boxes(pagination={"type": "page"})), access)


FRAME = [None, 0, "0" * 18, False, None]


@pytest.mark.parametrize(
    "token",
    [
        {"type": "none", "size": 2, "position": None, "pages": 1, "prints": [None, None]},
        {"walk": 2, "steps": 0, "frames": [[None, None, None, False, None]]},
        {"walk": 1, "steps": -1, "frames": [[None, None, None, False, None]]},
        {"walk": 1, "steps": 0, "frames": []},
        {"walk": 1, "steps": 0, "frames": [1]},
        {"walk": 1, "steps": 0, "frames": [FRAME, FRAME, FRAME]},
        {"walk": 1, "steps": 0, "frames": [[None, None, None, False, None], FRAME]},
        {"walk": 1, "steps": 0, "frames": [[None, -1, None, False, None]]},
        {"walk": 1, "steps": 0, "frames": [[None, 0, "x" * 100, False, None]]},
        {"walk": 1, "steps": 0, "frames": [[None, 0, None, False, {"a": 1}]]},
        {"walk": 1, "steps": 0, "frames": [["page", None, None, False, None]]},
        {"walk": 1, "steps": 0, "frames": [[None, True, None, False, None]]},
        {"walk": True, "steps": 0, "frames": [[None, None, None, None, None]]},
        "token",
        [],
        7,
    ],
    ids=lambda token: json.dumps(token)[:60],
)
async def test_a_token_that_is_no_way_through_the_lists_is_expired(app, connector, access, token):
    Boxes(app, {"a": [1, 2, 3]})

    with pytest.raises(CursorExpiredError):
        await read(connector(listing=listed_boxes(pagination={"type": "page"})), access, token=token)


async def test_items_that_do_not_fit_are_left_out_and_count_for_the_pages(app, connector, access):
    app.answer(
        Answer(json={"items": [{"id": 1, "archived": True}, {"id": 2}]}),
        Answer(json={"items": [{"id": 3, "archived": True}, {"id": 4, "archived": True}]}),
        Answer(json={"items": [{"id": 5}]}),
    )
    notes = connector(listing={"where": "!(item.archived)", "pagination": SHORT})

    assert await read_all(notes, access) == [["2"], [], ["5"]]


async def test_an_item_that_cannot_be_judged_is_an_error(app, connector, access):
    app.answer(json={"items": [{"id": 1, "size": "x"}]})

    with pytest.raises(UpstreamResponseError, match="Whether item 1 belongs to the list"):
        await read(connector(listing={"where": "abs(item.size) > `1`"}), access)
