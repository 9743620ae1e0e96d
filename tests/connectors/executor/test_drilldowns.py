import json

import pytest

from gateway.connectors.operation import Operation
from gateway.errors import CursorExpiredError, UpstreamResponseError
from gateway.models import PageRequest, Pointer
from gateway.testing import Answer
from tests.connectors.executor.notes import access_with, items, read, read_all

COLLECTION = {
    "parameters": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"folder": {"type": "string", "default": "root"}, "state": {"type": "string"}},
    }
}


def drilled(**parts):
    return {
        "request": {"path": "/notes", "query": {"folder": "${parameters.folder}", "state": "${parameters.state}"}},
        "drilldowns": "${body.folders[].{parameters: {folder: @}}}",
        "pagination": {"type": "cursor", "next": "${body.next}"},
        **parts,
    }


def folders(app, tree):
    """An app of folders: by name the pages of each, a page being its notes and the folders in it."""

    def respond(request):
        pages = tree[request.query["folder"]]
        number = int(request.query.get("cursor", "0"))
        notes, inner = pages[number]
        following = {"next": str(number + 1)} if number + 1 < len(pages) else {}
        return Answer(json={**items(*notes), "folders": inner, **following})

    app.answer_with(respond)


def asked(app):
    return [request.query["folder"] + request.query.get("cursor", "") for request in app.requests]


async def test_the_lists_that_a_page_leads_to_are_read_before_its_next_page(app, connector, access):
    folders(
        app,
        {"root": [([1], ["a", "b"]), ([2], ["c"])], "a": [([3], ["d"]), ([4], [])], "b": [([], [])], "c": [([5], [])], "d": [([6], [])]},
    )

    pages = await read_all(connector(listing=drilled(), collection=COLLECTION), access)

    assert [page for page in pages if page] == [["1"], ["3"], ["6"], ["4"], ["2"], ["5"]]


async def test_every_record_comes_once_whatever_the_size_of_the_pages(app, connector, access):
    tree = {"root": [([], [f"f{number}" for number in range(5)])]}
    tree |= {f"f{number}": [([f"{number}-{page}"], [f"g{number}"] if page == 0 else []) for page in range(3)] for number in range(5)}
    tree |= {f"g{number}": [([f"deep-{number}"], [])] for number in range(5)}
    folders(app, tree)

    pages = await read_all(connector(listing=drilled(), collection=COLLECTION), access, most=100)

    found = [number for page in pages for number in page]
    assert sorted(found) == sorted(
        [f"{number}-{page}" for number in range(5) for page in range(3)] + [f"deep-{number}" for number in range(5)]
    )


async def test_a_drilldown_keeps_the_other_parameters_and_takes_the_types_of_the_schema(app, connector, access):
    folders(app, {"root": [([1], [7])], "7": [([2], [])]})
    notes = connector(listing=drilled(), collection=COLLECTION)

    page = await notes.records(access, Pointer("notes", {"state": "open"}), PageRequest(size=10))
    await notes.records(access, Pointer("notes", {"state": "open"}), PageRequest(size=10, token=page.next_token))

    assert [request.target for request in app.requests] == ["/notes?folder=root&state=open", "/notes?folder=7&state=open"]


async def test_records_know_the_parameters_of_their_list(app, connector, access):
    folders(app, {"root": [([], ["a"])], "a": [([1], [])]})
    collection = {**COLLECTION, "from_api": {"id": "${record.id}", "folder": "${parameters.folder}"}}

    page = await read(connector(listing=drilled(), collection=collection), access)

    assert page.items[0].fields == {"id": 1, "folder": "a"}


@pytest.mark.parametrize(
    "tree",
    [
        {"root": [([1], ["root"])]},
        {"root": [([1], ["a"])], "a": [([], ["b"])], "b": [([], ["a"])]},
        {"root": [([1], ["a"])], "a": [([], ["b"])], "b": [([], ["root"])]},
    ],
    ids=["itself", "each other", "the start"],
)
async def test_a_circle_is_refused(app, connector, access, tree):
    folders(app, tree)

    with pytest.raises(UpstreamResponseError, match="lead in a circle"):
        await read_all(connector(listing=drilled(), collection=COLLECTION), access)


async def test_what_nests_deeper_than_20_levels_is_refused(app, connector, access):
    tree = {"root": [([], ["f1"])]} | {f"f{level}": [([level], [f"f{level + 1}"])] for level in range(1, 30)}
    folders(app, tree)
    pages = []

    with pytest.raises(UpstreamResponseError, match="nest deeper than 20 levels"):
        await read_pages(connector(listing=drilled(), collection=COLLECTION), access, pages)
    assert pages[-1] == ["19"]


async def read_pages(notes, access, pages):
    token = None
    while True:
        page = await read(notes, access, token=token)
        pages.append([record.external_id for record in page.items])
        token = page.next_token


async def test_20_levels_are_read_with_a_token_of_some_kilobytes(app, connector, access):
    tree = {"root": [([], ["f1"])]} | {f"f{level}": [([level], [f"f{level + 1}"] if level < 20 else [])] for level in range(1, 21)}
    folders(app, tree)
    notes = connector(listing=drilled(), collection=COLLECTION)
    largest, token, found = 0, None, []
    while True:
        page = await read(notes, access, token=token)
        found += [record.external_id for record in page.items]
        token = page.next_token
        largest = max(largest, len(json.dumps(token)))
        if token is None:
            break

    assert found == [str(level) for level in range(1, 21)]
    assert largest < 4000


@pytest.mark.parametrize("found", ["a", 7, {"a": 1}, True], ids=repr)
async def test_drilldowns_that_are_no_list_are_not_what_was_promised(app, connector, access, found):
    app.answer(json={**items(1), "folders": found})

    with pytest.raises(UpstreamResponseError, match="expects a list"):
        await read(connector(listing=drilled(drilldowns="${body.folders}"), collection=COLLECTION), access)


@pytest.mark.parametrize(
    ("drilldown", "message"),
    [
        ("a", "text without `parameters`"),
        (None, "null without `parameters`"),
        ({"parameters": []}, "an object without `parameters`"),
        ({"parameters": {"shelf": 1}}, "does not take"),
        ({"parameters": {"folder": ["a"]}}, "does not take"),
    ],
    ids=["text", "null", "list", "unknown", "type"],
)
async def test_a_drilldown_that_the_collection_does_not_take_is_not_what_was_promised(app, connector, access, drilldown, message):
    app.answer(json={**items(1), "folders": [drilldown]})

    with pytest.raises(UpstreamResponseError, match=message):
        await read(connector(listing=drilled(drilldowns="${body.folders}"), collection=COLLECTION), access)


async def test_a_page_that_leads_to_too_many_lists_is_refused(app, connector, access):
    folders(app, {"root": [([1], [f"f{number}" for number in range(10_001)])]})

    with pytest.raises(UpstreamResponseError, match="leads to 10001 further lists"):
        await read(connector(listing=drilled(), collection=COLLECTION), access)


async def test_a_null_is_no_drilldown(app, connector, access):
    app.answer(json=items(1))

    assert await read_all(connector(listing=drilled(drilldowns="${body.folders}"), collection=COLLECTION), access) == [["1"]]


async def test_a_folder_that_is_gone_is_read_no_further_and_the_next_one_is(app, connector, access):
    tree = {"root": [([], ["a", "b", "c"])], "a": [([1], [])], "b": [([2], [])], "c": [([3], [])]}
    folders(app, tree)
    notes = connector(listing=drilled(), collection=COLLECTION)
    page = await read(notes, access)
    assert [record.external_id for record in page.items] == ["1"]
    tree["root"] = [([], ["b", "c"])]

    page = await read(notes, access, token=page.next_token)

    assert [record.external_id for record in page.items] == ["2"]


async def test_partitions_and_drilldowns_make_one_walk(app, connector, access):
    tree = {"root": ["a"], "a": []}
    app.answer_with(
        lambda request: Answer(json={**items(request.target), "folders": tree[request.query["folder"]]}),
    )
    listing = drilled(
        request={"path": "/${partition.box}", "query": {"folder": "${parameters.folder}"}},
        partitions=[{"as": "box", "values": ["x", "y"]}],
        pagination="none",
    )

    pages = await read_all(connector(listing=listing, collection=COLLECTION), access)

    assert [page for page in pages if page] == [["/x?folder=root"], ["/x?folder=a"], ["/y?folder=root"], ["/y?folder=a"]]


async def test_what_is_read_again_on_the_way_is_asked_once_in_one_operation(app, connector):
    folders(app, {"root": [([], ["a", "b", "c"])], "a": [([1], [])], "b": [([2], [])], "c": [([3], [])]})

    await read_all(connector(listing=drilled(), collection=COLLECTION), access_with(operation=Operation(remembers=True)))

    assert asked(app) == ["root", "a", "b", "c"]


@pytest.mark.parametrize("parameters", [{"shelf": 1}, {"folder": 7}, None, []], ids=repr)
async def test_a_token_with_parameters_that_the_collection_does_not_take_is_expired(app, connector, access, parameters):
    frames = [[None, 0, None, False, None], [None, None, None, False, parameters]]

    with pytest.raises(CursorExpiredError):
        await read(connector(listing=drilled(), collection=COLLECTION), access, token={"walk": 1, "steps": 1, "frames": frames})
    assert app.requests == []


async def test_a_list_that_never_ends_is_stopped(app, connector, access):
    folders(app, {"root": [([1], [])]})
    token = {"walk": 1, "steps": 100_000, "frames": [[None, None, None, False, None]]}
    folders(app, {"root": [([1], ["a"])], "a": [([2], [])]})

    with pytest.raises(UpstreamResponseError, match="more than 100000 pages"):
        await read(connector(listing=drilled(), collection=COLLECTION), access, token=token)
