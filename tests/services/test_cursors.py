"""A cursor opens only as it was made, and only in the list that it was made for."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidError, UpstreamResponseError
from gateway.services import cursors
from gateway.services.cursors import Position

SECRET = "s" * 100
SCOPE = "records of one connection"
REFUSAL = "The cursor is damaged or belongs to another list. Start again without `after`."
ALPHABET = string.ascii_letters + string.digits + "-_"


def refusal_of(cursor, *, scope=SCOPE, secret=SECRET):
    with pytest.raises(InvalidError) as caught:
        cursors.decode(cursor, scope=scope, secret=secret)
    return caught.value.message, caught.value.field


@pytest.mark.parametrize(
    "position",
    [
        Position(size=50),
        Position(size=50, offset=7),
        Position(size=1, token="https://app.example/tasks?page=2&filter=ü🎉", offset=1),
        Position(size=20, token={"page": 2, "prints": ["a", None], "huge": 10**30, "half": "\ud800"}),
        Position(size=20, token="x" * 20_000),
    ],
)
def test_a_position_comes_back_exactly(position):
    assert cursors.decode(cursors.encode(position, scope=SCOPE, secret=SECRET), scope=SCOPE, secret=SECRET) == position


def test_a_cursor_is_text_that_a_url_carries():
    cursor = cursors.encode(Position(size=50, token="ü" * 100), scope=SCOPE, secret=SECRET)

    assert set(cursor) <= set(ALPHABET)


def test_a_cursor_with_any_one_character_changed_is_refused():
    cursor = cursors.encode(Position(size=50, token="page 2", offset=3), scope=SCOPE, secret=SECRET)
    changed = {cursor[:place] + other + cursor[place + 1 :] for place in range(len(cursor)) for other in ALPHABET} - {cursor}

    assert len(changed) == len(cursor) * 63
    for tampered in changed:
        assert refusal_of(tampered) == (REFUSAL, ["after"])


def test_a_cursor_cut_short_or_made_longer_is_refused():
    cursor = cursors.encode(Position(size=50, token="page 2", offset=3), scope=SCOPE, secret=SECRET)

    for length in range(len(cursor)):
        assert refusal_of(cursor[:length]) == (REFUSAL, ["after"])
    for more in ("A", "=", "==", "AAAA", " ", "\n", "\x00"):
        assert refusal_of(cursor + more) == (REFUSAL, ["after"])


@pytest.mark.parametrize("cursor", ["", "é", "\ud800", "A" * 40_000, "null", "W10", "../../etc", "==="])
def test_what_never_was_a_cursor_is_refused(cursor):
    assert refusal_of(cursor) == (REFUSAL, ["after"])


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")))
def test_nothing_that_a_stranger_makes_up_is_a_cursor(cursor):
    assert refusal_of(cursor) == (REFUSAL, ["after"])


def test_a_cursor_of_another_list_or_another_gateway_is_refused():
    cursor = cursors.encode(Position(size=50, token=2), scope=SCOPE, secret=SECRET)

    assert refusal_of(cursor, scope="records of another connection") == (REFUSAL, ["after"])
    assert refusal_of(cursor, secret="t" * 100) == (REFUSAL, ["after"])


def test_a_page_that_the_app_names_too_long_for_a_cursor_is_the_apps_fault():
    with pytest.raises(UpstreamResponseError) as caught:
        cursors.encode(Position(size=50, token="x" * 32_768), scope=SCOPE, secret=SECRET)

    assert caught.value.message == "The app names its next page with 32779 bytes, which is more than a cursor holds."
