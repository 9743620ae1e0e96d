"""Browsing an app: directories, collections and what they can do."""

import pytest

from gateway.errors import InvalidError, UnsupportedError, UpstreamAuthError, UpstreamUnavailableError
from gateway.models import LocationKind, Pointer
from gateway.models.principal import SYSTEM
from gateway.services import integrations, places, records
from tests.support import runtime as given
from tests.support.runtime import refused

CONNECTED = ["/data/notes", "/data/people", "/data/archive"]
NOTEBOOKS = [f"/data/notebook?notebookId={number}" for number in (7, 8, 9)]


async def listed(world, path="/", *, first=50, after=None, udm=None):
    page = await places.locations(world.runtime, world.acme, connection=world.connection, path=path, first=first, after=after, udm=udm)
    return [location.pointer.path for _, location in page.edges], page


async def of_integration(world, path, *, principal=None, first=50, after=None):
    page = await places.integration_locations(
        world.runtime, principal or world.acme, integration=world.integration, path=path, first=first, after=after
    )
    return [location.pointer.path for _, location in page.edges]


async def test_the_root_holds_what_is_known_and_then_what_the_app_lists(world):
    paths, page = await listed(world)

    assert (paths, page.has_next) == ([*CONNECTED, *NOTEBOOKS], False)
    assert [location.is_default for _, location in page.edges] == [True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("/data/archive", ["/data/notes?isPinned=false", "/data/attic"]),
        ("/data/attic", ["/data/scraps?box=1"]),
        ("data/notebook?notebookId=8", ["/data/notes?notebookId=8"]),
    ],
)
async def test_directories_hold_locations_at_any_depth(world, path, held):
    assert (await listed(world, path))[0] == held


@pytest.mark.parametrize("first", [1, 2, 3, 5, 6, 7])
async def test_a_directory_is_listed_in_pages_of_any_size(world, notes_app, first):
    notes_app.page_size = 4
    found, after = [], None
    while True:
        paths, page = await listed(world, first=first, after=after)
        found += paths
        if not page.has_next:
            break
        after = page.edges[-1][0]

    assert found == [*CONNECTED, *NOTEBOOKS]


async def test_locations_that_suit_a_model_come_first(world):
    assert (await listed(world, udm="users"))[0] == ["/data/people", "/data/notes", "/data/archive", *NOTEBOOKS]


async def test_a_cursor_works_only_in_its_own_list(world):
    _, page = await listed(world, first=1)
    cursor = page.edges[0][0]
    second = await given.connection(world.runtime, world.acme, name="Second")
    message = "The cursor is damaged or belongs to another list. Start again without `after`."

    for elsewhere in ({"path": "/data/archive"}, {"udm": "users"}):
        async with refused(world.runtime, InvalidError, message, field=["after"]):
            await listed(world, after=cursor, **elsewhere)
    async with refused(world.runtime, InvalidError, message, field=["after"]):
        await places.locations(world.runtime, world.acme, connection=second, path="/", first=1, after=cursor)


@pytest.mark.parametrize(
    ("path", "message", "field"),
    [
        ("/data/notes", "Path '/data/notes' is a collection, which holds records and no locations.", None),
        ("/data/notebook", "The parameters of 'notebook' are not valid: \"notebookId\" is a required property.", None),
        ("/data/nowhere", "Notes has no location 'nowhere'. It has '/data/notes', '/data/people', '/data/scraps?box=...'.", None),
        ("/nowhere", "Path '/nowhere' must be '/' or start with '/data/'.", ["path"]),
        ("/data/a\x00", "The text holds a NUL character or half of a surrogate pair.", ["path"]),
        ("/data/a?b=\udfff", "The text holds a NUL character or half of a surrogate pair.", ["path"]),
    ],
)
async def test_a_path_that_is_no_directory_is_refused_and_the_app_is_not_asked(world, notes_app, path, message, field):
    notes_app.requests.clear()
    async with refused(world.runtime, InvalidError, message, field=field):
        await listed(world, path)
    async with refused(world.runtime, InvalidError, message, field=field):
        await of_integration(world, path)

    assert notes_app.requests == []


async def test_a_location_is_named_by_the_app_or_does_not_exist(world):
    async def found(path):
        location = await places.location(world.runtime, world.acme, connection=world.connection, path=path)
        return location and (location.kind, location.pointer, location.name)

    assert await found("/") == (LocationKind.DIRECTORY, Pointer(""), "Notes")
    assert await found("/data/notebook?notebookId=8") == (LocationKind.DIRECTORY, Pointer("notebook", {"notebookId": 8}), "Kitchen")
    assert await found("/data/notes?isPinned=true") == (LocationKind.COLLECTION, Pointer("notes", {"isPinned": True}), "Notes")
    assert await found("/data/notebook?notebookId=99") is None


@pytest.mark.parametrize(
    ("key", "parameters", "message", "field"),
    [
        (
            "archive",
            None,
            "Path '/data/archive' is a directory. Point the data source at a collection, such as '/data/notes?isPinned=false'.",
            None,
        ),
        ("scraps", {}, "The parameters of 'scraps' are not valid: \"box\" is a required property.", None),
        ("scraps", [], "The value must be a JSON object.", ["parameters"]),
        ("scraps", {"box": 2**64}, "The object holds an integer beyond 64 bits.", ["parameters"]),
        ("notes", {"label": "\ud800"}, "The object holds a text with a NUL character or half of a surrogate pair.", ["parameters"]),
        ("\ud800", None, "Notes has no location '\\ud800'. It has '/data/notes', '/data/people', '/data/scraps?box=...'.", None),
    ],
)
async def test_a_collection_that_cannot_be_is_refused(world, key, parameters, message, field):
    async with refused(world.runtime, InvalidError, message, field=field):
        await places.collection(
            world.runtime, world.acme, connection=world.connection, integration=world.integration, key=key, parameters=parameters
        )


async def test_a_collection_is_found_with_its_parameters_typed(world):
    found = await places.collection(
        world.runtime, world.acme, connection=world.connection, integration=world.integration, key="scraps", parameters={"box": "3"}
    )

    assert found is not None
    location, place = found
    assert (location.kind, location.pointer, place.pointer) == (LocationKind.COLLECTION, Pointer("scraps", {"box": 3}), location.pointer)


async def test_where_the_records_of_a_found_collection_are_is_the_place_of_its_pointer_and_is_read_alike(world):
    found = await places.collection(
        world.runtime, world.acme, connection=world.connection, integration=world.integration, key="notes", parameters=None
    )
    assert found is not None
    place = await given.place(world.runtime, world.connection)

    assert (found[1].identity, found[1].udm, place.app) == (place.identity, None, None)
    assert found[1].app is not None
    assert await notes_at(world, found[1]) == await notes_at(world, place) != []


async def notes_at(world, place):
    return [note.external_id for note in (await records.page(world.runtime, world.acme, place=place, first=5, after=None)).items]


async def test_a_spec_read_through_a_connection_has_the_fields_that_only_the_app_knows(world):
    spec = await places.spec(world.runtime, world.acme, connection=world.connection, pointer=Pointer("scraps", {"box": 1}))

    assert world.runtime.connectors["notes"].spec.collection("scraps").fields_schema is None
    assert spec.fields_schema == {"type": "object", "properties": {"text": {"type": "string"}}}


async def test_an_integration_shows_what_it_knows_by_heart_and_asks_through_the_only_connection(world, notes_app):
    notes_app.requests.clear()
    globex = await given.customer(world.runtime, "globex")

    assert await of_integration(world, "/data/archive", principal=globex) == ["/data/notes?isPinned=false", "/data/attic"]
    assert await of_integration(world, "/data/attic", principal=SYSTEM) == ["/data/scraps?box=1"]
    assert notes_app.requests == []
    assert await of_integration(world, "/") == [*CONNECTED, *NOTEBOOKS]
    assert notes_app.requests == ["locations"]


async def test_without_one_connection_of_the_callers_own_what_only_the_app_knows_is_refused(world, notes_app):
    globex = await given.customer(world.runtime, "globex")
    notes_app.requests.clear()
    message = "Only the app can list '/'. Ask a connection to 'notes'."
    for principal in (globex, SYSTEM):
        async with refused(world.runtime, UnsupportedError, message):
            await of_integration(world, "/", principal=principal)
    assert notes_app.requests == []

    await given.connection(world.runtime, world.acme, name="Second")
    async with refused(world.runtime, UnsupportedError, message):
        await of_integration(world, "/")


async def test_an_archived_integration_shows_nothing(world):
    archived = await integrations.archive(world.runtime, SYSTEM, key="notes")

    async with refused(world.runtime, InvalidError, "Integration 'notes' is archived. Restore it first."):
        await places.integration_locations(world.runtime, world.acme, integration=archived, path="/", first=1, after=None)


async def test_an_app_that_is_down_is_told_as_it_is_and_refused_credentials_disconnect(world, notes_app):
    notes_app.failure = UpstreamUnavailableError("Notes is down.", may_have_been_received=False)
    async with refused(world.runtime, UpstreamUnavailableError, "Notes is down."):
        await listed(world)

    notes_app.failure = None
    notes_app.accepted_tokens.clear()
    with pytest.raises(UpstreamAuthError):
        await places.spec(world.runtime, world.acme, connection=world.connection, pointer=Pointer("notes"))
    notes_app.requests.clear()
    async with refused(world.runtime, UpstreamAuthError, "Notes does not know the token [redacted]."):
        await listed(world)
    assert notes_app.requests == ["locations"]
