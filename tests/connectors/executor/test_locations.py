import pytest

from gateway.errors import CursorExpiredError, UpstreamRejectedError, UpstreamResponseError
from gateway.models import Location, LocationKind, PageRequest, Pointer
from gateway.testing import Answer
from tests.connectors.executor.notes import access_with

ROOT = Pointer("")
BOX_SCHEMA = {"type": "object", "required": ["box"], "properties": {"box": {"type": "string"}}}
SHELF_SCHEMA = {"type": "object", "required": ["box", "shelf"], "properties": {"box": {"type": "string"}, "shelf": {"type": "integer"}}}
NOTES_SCHEMA = {"type": "object", "properties": {"box": {"type": "string"}, "shelf": {"type": "integer"}, "state": {"type": "string"}}}
PAGES = {"type": "page", "size": {"name": "per", "default": 2, "max": 2}, "stop": "short_page"}

SHELF = {
    "directory": "shelf",
    "name": "${item.title}",
    "parameters_schema": SHELF_SCHEMA,
    "parameters": {"box": "${parameters.box}", "shelf": "${item.id}"},
    "list": {"request": {"path": "/boxes/${parameters.box}/shelves"}, "items": "${body}"},
    "locations": [{"collection": "notes", "parameters": {"box": "${parameters.box}", "shelf": "${parameters.shelf}"}}],
}
BOX = {
    "directory": "box",
    "name": "${item.title}",
    "parameters_schema": BOX_SCHEMA,
    "parameters": {"box": "${item.id}"},
    "list": {"request": {"path": "/boxes"}, "pagination": PAGES, "items": "${body}"},
    "read": {"request": {"path": "/boxes/${parameters.box}"}, "item": "${body}"},
    "locations": [
        {"collection": "notes", "name": "In ${parameters.box}", "parameters": {"box": "${parameters.box}"}},
        {"collection": "notes", "name": "Open", "parameters": {"box": "${parameters.box}", "state": "open"}},
        SHELF,
    ],
}
TREE = [{"collection": "notes", "name": "All notes", "default": True}, BOX]


@pytest.fixture
def tree(connector):
    def tree(locations=TREE, **collection):
        return connector(locations=locations, collection={"parameters": NOTES_SCHEMA, **collection})

    return tree


def notes(name, *, default=False, **parameters):
    return Location(kind=LocationKind.COLLECTION, pointer=Pointer("notes", parameters), name=name, is_default=default)


def directory(key, name, **parameters):
    return Location(kind=LocationKind.DIRECTORY, pointer=Pointer(key, parameters), name=name)


async def all_locations(connector, access, pointer):
    pages, token = [], None
    while True:
        page = await connector.locations(access, pointer, PageRequest(size=100, token=token))
        pages.append(list(page.items))
        token = page.next_token
        if token is None:
            return pages


def test_schemas_and_kinds_of_locations(tree):
    made = tree()

    assert [made.is_directory(key) for key in ("", "box", "shelf", "notes", "none")] == [True, True, True, False, False]
    assert made.parameters_schema("") == {"type": "object", "additionalProperties": False}
    assert made.parameters_schema("box") == BOX_SCHEMA
    assert made.parameters_schema("notes") == NOTES_SCHEMA
    assert made.parameters_schema("none") is None


def test_what_an_app_lists_is_left_out_of_what_is_known_without_it(tree):
    made = tree()

    assert made.static_locations(ROOT) == (notes("All notes", default=True),)


def test_what_a_directory_holds_is_known_without_the_app_where_the_file_says_all(tree):
    made = tree([TREE[0], {**BOX, "directory": "archive", "name": "Archive", "list": None, "parameters": {}, "parameters_schema": {}}])

    assert made.static_locations(ROOT) == (notes("All notes", default=True), directory("archive", "Archive"))
    assert made.static_locations(Pointer("shelf", {"box": "b", "shelf": 7})) == (notes("Notes", box="b", shelf=7),)
    assert made.static_locations(Pointer("archive")) is None


@pytest.mark.parametrize("entry", [{"name": "${connection.team}"}, {"parameters": {"state": "${connection.state}"}}])
def test_what_the_connection_has_a_say_in_is_not_static(tree, entry):
    assert tree([{"collection": "notes", **entry}]).static_locations(ROOT) is None


def test_a_collections_own_name_for_its_parameters_is_used(tree):
    made = tree([{"collection": "notes", "parameters": {"state": "open"}}], location_name="Notes that are ${parameters.state}")

    assert made.static_locations(ROOT) == (notes("Notes that are open", state="open"),)


async def test_the_root_holds_what_the_file_names_and_then_what_the_app_lists(app, tree, access):
    app.answer(json=[{"id": "a", "title": "A"}, {"id": 2, "title": "B"}])
    app.answer(json=[{"id": "c/d", "title": ""}])

    assert await all_locations(tree(), access, ROOT) == [
        [notes("All notes", default=True)],
        [directory("box", "A", box="a"), directory("box", "B", box="2")],
        [directory("box", "c/d", box="c/d")],
    ]
    assert [request.target for request in app.requests] == ["/boxes?per=2&page=1", "/boxes?per=2&page=2"]


async def test_a_nested_directory_knows_the_parameters_of_the_one_around_it(app, tree, access):
    app.answer(json=[{"id": 7, "title": "Seven"}])

    assert await all_locations(tree(), access, Pointer("box", {"box": "b 1"})) == [
        [notes("In b 1", box="b 1"), notes("Open", box="b 1", state="open")],
        [directory("shelf", "Seven", box="b 1", shelf=7)],
    ]
    assert app.requests[0].target == "/boxes/b%201/shelves"


async def test_static_locations_are_listed_without_asking_the_app_nor_needing_its_credentials(app, tree):
    pages = await all_locations(tree(), access_with(credentials={}), Pointer("shelf", {"box": "b", "shelf": 7}))

    assert pages == [[notes("Notes", box="b", shelf=7)]]
    assert app.requests == []


async def test_several_lists_follow_one_another(app, tree, access):
    lists = [
        {
            "collection": "notes",
            "name": "${item}",
            "parameters": {"state": "${item}"},
            "list": {"request": {"path": path}, "items": "${body}"},
        }
        for path in ("/open", "/done")
    ]
    app.answer_with(lambda request: Answer(json=[f"{request.path[1:]}-1"]))

    assert await all_locations(tree(lists), access, ROOT) == [[notes("open-1", state="open-1")], [notes("done-1", state="done-1")]]


async def test_an_empty_directory_is_empty(tree, access):
    assert await all_locations(tree([{**BOX, "list": None, "parameters": {}, "locations": []}]), access, Pointer("box")) == [[]]


async def test_an_item_without_what_tells_it_from_others_is_refused(app, tree, access):
    app.answer(json=[{"title": "A"}])

    with pytest.raises(UpstreamResponseError, match="lists a location 'box' without 'box'"):
        await tree([BOX]).locations(access, ROOT, PageRequest(size=10))


async def test_a_directory_that_is_gone_cannot_be_listed(app, tree, access):
    app.answer(status=404)

    with pytest.raises(UpstreamRejectedError) as caught:
        await tree().locations(access, Pointer("box", {"box": "gone"}), PageRequest(size=10, token={"list": 0, "page": None}))
    assert caught.value.status == 404


@pytest.mark.parametrize("token", ["x", {"list": 9, "page": None}, {"list": -1, "page": None}, {"list": 0, "page": {"type": "cursor"}}, {}])
async def test_a_token_of_other_locations_is_refused(app, tree, access, token):
    with pytest.raises(CursorExpiredError):
        await tree().locations(access, ROOT, PageRequest(size=10, token=token))
    assert app.requests == []


async def test_the_root_is_named_as_the_app(app, tree):
    assert await tree().location(access_with(credentials={}), ROOT) == directory("", "Notes")
    assert app.requests == []


async def test_a_directory_is_read_by_its_parameters(app, tree, access):
    app.answer(json={"id": "a", "title": "Box A"})

    assert await tree().location(access, Pointer("box", {"box": "a"})) == directory("box", "Box A", box="a")
    assert app.requests[0].target == "/boxes/a"


@pytest.mark.parametrize("status", [404, 410])
async def test_a_directory_that_the_app_does_not_know_is_null(app, tree, access, status):
    app.answer(status=status)

    assert await tree().location(access, Pointer("box", {"box": "none"})) is None


async def test_a_directory_whose_item_is_null_does_not_exist(app, tree, access):
    app.answer(body=b"null")

    assert await tree().location(access, Pointer("box", {"box": "none"})) is None


async def test_a_directory_that_the_app_refuses_is_an_error(app, tree, access):
    app.answer(status=403)

    with pytest.raises(UpstreamRejectedError):
        await tree().location(access, Pointer("box", {"box": "secret"}))


async def test_a_directory_without_read_is_looked_for_among_those_listed(app, tree, access):
    app.answer_with(lambda request: Answer(json=[{"id": 7, "title": "Seven"}, {"id": 8, "title": "Eight"}]))

    assert await tree().location(access, Pointer("shelf", {"box": "b", "shelf": 8})) == directory("shelf", "Eight", box="b", shelf=8)
    assert await tree().location(access, Pointer("shelf", {"box": "b", "shelf": 9})) is None
    assert {request.target for request in app.requests} == {"/boxes/b/shelves"}


async def test_the_search_reads_on_until_it_is_found(app, tree, access):
    for boxes in ("ab", "cd"):
        app.answer(json=[{"id": box, "title": f"Box {box}"} for box in boxes])

    assert await tree([{**BOX, "read": None}]).location(access, Pointer("box", {"box": "c"})) == directory("box", "Box c", box="c")
    assert len(app.requests) == 2


async def test_a_directory_named_by_its_parameter_is_known_without_asking(app, tree, access):
    named = tree([{**BOX, "read": None, "name": "${item.id}"}])

    assert await named.location(access, Pointer("box", {"box": "a"})) == directory("box", "a", box="a")
    assert app.requests == []


async def test_a_collection_is_named_as_the_tree_names_it_where_that_is_known_without_asking(app, tree, access):
    listed = {
        "collection": "notes",
        "name": "${item.state}",
        "parameters": {"state": "${item.state}"},
        "list": {"request": {"path": "/states"}, "items": "${body}"},
    }
    made = tree()

    assert await made.location(access, Pointer("notes")) == notes("All notes", default=True)
    assert await made.location(access, Pointer("notes", {"box": "b"})) == notes("In b", box="b")
    assert await made.location(access, Pointer("notes", {"box": "b", "state": "open"})) == notes("Open", box="b", state="open")
    assert await made.location(access, Pointer("notes", {"state": "done"})) == notes("Notes", state="done")
    assert await tree([listed]).location(access, Pointer("notes", {"state": "x"})) == notes("x", state="x")
    assert app.requests == []


async def test_a_collection_whose_name_cannot_be_told_is_an_error_that_leads_to_no_other(app, tree, access):
    made = tree([], location_name="Notes in ${connection}")

    with pytest.raises(UpstreamResponseError, match=r"^The name of location 'notes' cannot be told: ") as failed:
        await made.location(access, Pointer("notes"))

    assert (failed.value.__cause__, failed.value.__context__) == (None, None)
    assert app.requests == []


def test_a_model_points_by_default_at_the_first_collection_that_always_stands_there(connector):
    locations = [
        {**BOX, "locations": [{"collection": "notes", "parameters": {"box": "${parameters.box}"}}]},
        {
            "directory": "drawer",
            "name": "Drawer",
            "parameters": {"box": "top"},
            "locations": [{"collection": "notes", "parameters": {"box": "${parameters.box}"}}],
        },
        {"collection": "notes", "parameters": {"state": "${connection.state}"}},
        {"collection": "notes"},
    ]
    models = {"universal_data_models": {"notes": {}, "tasks": {}}}
    explicit = {"tasks": {"collection": "notes", "parameters": {"state": "open"}}, "leads": {"collection": "notes"}}

    assert connector(locations=locations, collection=models).spec.default_collections == {
        "notes": Pointer("notes", {"box": "top"}),
        "tasks": Pointer("notes", {"box": "top"}),
    }
    assert connector(locations=locations, collection=models, default_collections=explicit).spec.default_collections == {
        "tasks": Pointer("notes", {"state": "open"}),
        "leads": Pointer("notes"),
        "notes": Pointer("notes", {"box": "top"}),
    }
    assert connector(locations=[BOX], collection=models).spec.default_collections == {}
