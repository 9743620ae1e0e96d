"""Where an instance points: paths, keys and parameters, overrides and dry runs, and everything that leads nowhere."""

import pytest

from gateway.errors import (
    InvalidError,
)
from gateway.models import Pointer
from gateway.services.selectors import PointerInput
from tests.services.instances import settings_of, update
from tests.support.runtime import refused


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        (PointerInput(path="/data/people"), Pointer("people")),
        (
            PointerInput(path="data/notes?notebookId=7&isPinned=true&label=7"),
            Pointer("notes", {"notebookId": 7, "isPinned": True, "label": "7"}),
        ),
        (PointerInput(key="notes", parameters={"notebookId": 7}), Pointer("notes", {"notebookId": 7})),
        (PointerInput(key="notes", parameters={"notebookId": None, "label": "é&="}), Pointer("notes", {"label": "é&="})),
        (PointerInput(key="people"), Pointer("people")),
    ],
)
async def test_a_pointer_is_given_as_a_path_or_as_key_and_parameters(world, instance, pointer, expected):
    updated = await update(world, instance, pointer=pointer)

    settings = await settings_of(world, instance)
    assert (settings.pointer, settings.default_pointer) == (expected, Pointer("notes"))
    assert (settings.settings[0].origin, settings.settings[0].value) == ("CONNECTION", expected.as_json())
    assert (updated.is_customized, updated.generation) == (True, 2)


async def test_parameters_are_replaced_whole_together_with_the_key(world, instance):
    await update(world, instance, pointer=PointerInput(path="/data/notes?notebookId=7&label=x"))
    await update(world, instance, pointer=PointerInput(key="notes", parameters={"label": "y"}))

    assert (await settings_of(world, instance)).pointer == Pointer("notes", {"label": "y"})


ONE_SPELLING = "A pointer is either a `path`, or a `collection` with its key and parameters."


IN_PATH = ["input", "pointer", "path"]


IN_KEY = ["input", "pointer", "collection", "key"]


IN_PARAMETERS = ["input", "pointer", "collection", "parameters"]


@pytest.mark.parametrize(
    ("pointer", "message", "field"),
    [
        (
            PointerInput(path="/data/archive"),
            "Path '/data/archive' is a directory. Point the data source at a collection, such as '/data/notes?isPinned=false'.",
            IN_PATH,
        ),
        (
            PointerInput(path="/data/notebook?notebookId=8"),
            "Path '/data/notebook?notebookId=8' is a directory. Point the data source at a collection, such as '/data/notes?notebookId=8'.",
            IN_PATH,
        ),
        (
            PointerInput(key="notebook"),
            "Path '/data/notebook' is a directory. Point the data source at a collection, such as "
            "'/data/notes', '/data/people', '/data/scraps?box=...'.",
            IN_KEY,
        ),
        (PointerInput(path="/"), "Path '/' is the root directory. Point the data source at a collection.", IN_PATH),
        (
            PointerInput(path="/data/nowhere"),
            "Notes has no location 'nowhere'. It has '/data/notes', '/data/people', '/data/scraps?box=...'.",
            IN_PATH,
        ),
        (
            PointerInput(key="nowhere", parameters={"a": 1}),
            "Notes has no location 'nowhere'. It has '/data/notes', '/data/people', '/data/scraps?box=...'.",
            IN_KEY,
        ),
        (PointerInput(path="/notes"), "Path '/notes' must be '/' or start with '/data/'.", IN_PATH),
        (PointerInput(path="/data/notes?label=a&label=b"), "Path '/data/notes?label=a&label=b' gives a parameter twice.", IN_PATH),
        (
            PointerInput(path="/data/notes?notebookId=seven"),
            "The parameters of 'notes' are not valid: notebookId: \"seven\" is not of type \"integer\".",
            IN_PATH,
        ),
        (
            PointerInput(key="notes", parameters={"notebookId": "seven"}),
            "The parameters of 'notes' are not valid: notebookId: \"seven\" is not of type \"integer\".",
            IN_PARAMETERS,
        ),
        (
            PointerInput(path="/data/notes?notebookId=0"),
            "The parameters of 'notes' are not valid: notebookId: 0 is less than the minimum of 1.",
            IN_PATH,
        ),
        (
            PointerInput(path="/data/notes?colour=red"),
            "The parameters of 'notes' are not valid: Additional properties are not allowed ('colour' was unexpected).",
            IN_PATH,
        ),
        (PointerInput(path="/data/scraps"), "The parameters of 'scraps' are not valid: \"box\" is a required property.", IN_PATH),
        (PointerInput(path="/data/scraps?box=18446744073709551616"), "The object holds an integer beyond 64 bits.", IN_PATH),
        (PointerInput(path="/data/notes?label=a%00"), "The object holds a text with a NUL character or half of a surrogate pair.", IN_PATH),
        (PointerInput(path="/data/notes?label=\ud800"), "The text holds a NUL character or half of a surrogate pair.", IN_PATH),
        (PointerInput(path=" "), "The text must not be blank.", IN_PATH),
        (PointerInput(path="/data/" + "a" * 4_096), "The text has 4102 characters; at most 4096 are stored.", IN_PATH),
        (PointerInput(key="no key"), "Key 'no key' must start with a letter and hold at most 100 letters, digits, '-' and '_'.", IN_KEY),
        (PointerInput(key="notes", parameters=[1]), "The value must be a JSON object.", IN_PARAMETERS),
        (PointerInput(), ONE_SPELLING, ["input", "pointer"]),
        (PointerInput(path="/data/notes", key="notes"), ONE_SPELLING, ["input", "pointer"]),
    ],
)  # fmt: skip
async def test_a_pointer_that_leads_nowhere_is_refused_and_changes_nothing(world, instance, notes_app, pointer, message, field):
    async with refused(world.runtime, InvalidError, message, field=field):
        await update(world, instance, pointer=pointer)
    async with refused(world.runtime, InvalidError, message, field=field):
        await update(world, instance, pointer=pointer, dry_run=True)

    assert notes_app.requests == []


@pytest.mark.parametrize("seconds", [59, 31_536_001])
@pytest.mark.parametrize(
    ("name", "field"),
    [("pull_updates_interval_seconds", "pullUpdatesIntervalSeconds"), ("full_sync_interval_seconds", "fullSyncIntervalSeconds")],
)
async def test_an_interval_that_is_not_allowed_is_refused_together_with_everything_beside_it(world, instance, name, field, seconds):
    message = f"The interval of {seconds} seconds must lie between 60 and 31536000."
    async with refused(world.runtime, InvalidError, message, field=["input", field]):
        await update(world, instance, pointer=PointerInput(path="/data/people"), **{name: seconds})


async def test_pointing_it_where_it_points_already_is_an_override_and_no_new_generation(world, instance, notes_app):
    updated = await update(world, instance, pointer=PointerInput(path="/data/notes"))

    assert (updated.is_customized, updated.generation) == (True, 1)
    assert notes_app.requests == []
