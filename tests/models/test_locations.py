"""One grammar of paths for directories and collections, and pointers as their other spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidError
from gateway.models import LocationPath, Pointer


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/", LocationPath("")),
        ("", LocationPath("")),
        ("/data/tasks", LocationPath("tasks")),
        ("data/tasks", LocationPath("tasks")),
        ("/data/tasks?", LocationPath("tasks")),
        ("/data/tasks?projectId=12&status=open", LocationPath("tasks", {"projectId": "12", "status": "open"})),
        ("/data/tasks?label=", LocationPath("tasks", {"label": ""})),
        ("/data/tasks?label=a%26b%3Dc+d%20%C3%BC", LocationPath("tasks", {"label": "a&b=c d ü"})),
        ("/data/tasks?url=http://x/?y", LocationPath("tasks", {"url": "http://x/?y"})),
        ("/data/a%20b", LocationPath("a b")),
    ],
)
def test_a_path_is_taken_apart(path, parts):
    assert LocationPath.parse(path) == parts


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/tasks", "Path '/tasks' must be '/' or start with '/data/'."),
        ("//data/tasks", "Path '//data/tasks' must be '/' or start with '/data/'."),
        ("/?a=1", "Path '/?a=1' must be '/' or start with '/data/'."),
        ("/DATA/tasks", "Path '/DATA/tasks' must be '/' or start with '/data/'."),
        ("/data/", "Path '/data/' must name one location, such as '/data/tasks?projectId=12'."),
        ("/data/?a=1", "Path '/data/?a=1' must name one location, such as '/data/tasks?projectId=12'."),
        ("/data/a/b", "Path '/data/a/b' must name one location, such as '/data/tasks?projectId=12'."),
        ("/data/tasks?a=1&a=1", "Path '/data/tasks?a=1&a=1' gives a parameter twice."),
    ],
)
def test_a_path_that_breaks_the_grammar_is_refused(path, message):
    with pytest.raises(InvalidError) as caught:
        LocationPath.parse(path)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("pointer", "path"),
    [
        (Pointer(""), "/"),
        (Pointer("tasks"), "/data/tasks"),
        (Pointer("tasks", {"projectId": 12, "status": "open"}), "/data/tasks?projectId=12&status=open"),
        (Pointer("tasks", {"label": "a&b=c d/ü"}), "/data/tasks?label=a%26b%3Dc%20d%2F%C3%BC"),
        (Pointer("tasks", {"isDone": True, "ids": [1, 2]}), "/data/tasks?ids=%5B1%2C2%5D&isDone=true"),
        (Pointer("tasks", {"projectId": None}), "/data/tasks"),
    ],
)
def test_a_pointer_has_a_path(pointer, path):
    assert pointer.path == path


def test_a_parameter_that_is_null_is_one_that_is_left_out():
    assert Pointer("tasks", {"projectId": None, "status": "open"}) == Pointer("tasks", {"status": "open"})


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(key=_TEXTS, parameters=st.dictionaries(_TEXTS, _TEXTS))
def test_a_path_leads_back_to_the_pointer_it_was_made_of(key, parameters):
    parts = LocationPath.parse(Pointer(key, dict(parameters)).path)

    assert (parts.key, parts.parameters) == (key, parameters)


@given(st.text())
def test_any_text_is_a_path_or_refused(text):
    try:
        LocationPath.parse(text)
    except InvalidError as error:
        assert "Path " in error.message  # noqa: PT017
