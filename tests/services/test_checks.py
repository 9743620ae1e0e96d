"""What callers send is checked before it is stored, however it is made."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConflictError, InvalidError
from gateway.services import checks

FIELD = ["input", "value"]


def refusal_of(check, *arguments, **options):
    with pytest.raises(InvalidError) as caught:
        check(*arguments, field=FIELD, **options)
    assert caught.value.field == FIELD
    return caught.value.message


@pytest.mark.parametrize("key", ["a", "Tasks", "my-tasks_2", "a" * 100])
def test_a_key_is_a_name_of_up_to_a_hundred_characters(key):
    assert checks.key(key, field=FIELD) == key


@pytest.mark.parametrize("key", ["", "1a", "_a", "-a", "a b", "a/b", "a.b", "é", "a\n", "a\x00", "\ud800", "a" * 101, "\u0430"])
def test_anything_else_is_no_key(key):
    assert refusal_of(checks.key, key) == (f"Key {key[:100]!r} must start with a letter and hold at most 100 letters, digits, '-' and '_'.")


def test_a_key_of_a_megabyte_is_refused_in_a_short_message():
    assert len(refusal_of(checks.key, "1" * 1_000_000)) < 200


@pytest.mark.parametrize("text", ["a", " a ", "Ünïcødé 🎉", "'; DROP TABLE customer; --", "\u200b", "a" * 255])
def test_a_text_is_stored_as_it_is_given(text):
    assert checks.text(text, field=FIELD) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The text must not be blank."),
        (" \t\n\u2003", "The text must not be blank."),
        ("a" * 256, "The text has 256 characters; at most 255 are stored."),
        ("a\x00b", "The text holds a NUL character or half of a surrogate pair."),
        ("a\ud83cb", "The text holds a NUL character or half of a surrogate pair."),
        ("\udf89", "The text holds a NUL character or half of a surrogate pair."),
    ],
)
def test_a_text_that_no_database_keeps_is_refused(text, message):
    assert refusal_of(checks.text, text) == message


def test_an_optional_text_may_be_null_and_not_blank():
    assert checks.optional_text(None, field=FIELD) is None
    assert refusal_of(checks.optional_text, " ") == "The text must not be blank."


def nested(levels):
    value = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": [1, 2.5, True, None, "x", {"b": []}]},
        {"a": 2**64 - 1, "b": -(2**63)},
        {"text": "\\u0000", "more": "\\\\u0000"},
        {"a": "x" * 65_000},
        nested(64),
    ],
)
def test_a_json_object_is_stored_as_it_is_given(value):
    assert checks.json_object(value, field=FIELD) is value


def test_no_object_is_the_empty_object():
    assert checks.json_object(None, field=FIELD) == {}


@pytest.mark.parametrize("value", [[], "a", 1, True, 1.5])
def test_what_is_no_object_is_refused(value):
    assert refusal_of(checks.json_object, value) == "The value must be a JSON object."


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": "x\x00"}, "a text with a NUL character or half of a surrogate pair"),
        ({"x\x00": 1}, "a text with a NUL character or half of a surrogate pair"),
        ({"a": ["\\\x00"]}, "a text with a NUL character or half of a surrogate pair"),
        ({"a": {"\ud800": 1}}, "a text with a NUL character or half of a surrogate pair"),
        ({"a": 2**64}, "an integer beyond 64 bits"),
        ({"a": -(2**63) - 1}, "an integer beyond 64 bits"),
        ({"a": [10**400]}, "an integer beyond 64 bits"),
        ({"a": float("nan")}, "a number that is not finite"),
        ({"a": [{"b": float("-inf")}]}, "a number that is not finite"),
        ({"a": {1: 2}}, "a value that JSON cannot carry"),
        ({"a": b"x"}, "a value that JSON cannot carry"),
        ({"a": (1,)}, "a value that JSON cannot carry"),
        (nested(65), "more than 64 levels"),
        (nested(100_000), "more than 64 levels"),
        ({"a": [[[]]] * 3 + [nested(63)]}, "more than 64 levels"),
    ],
)
def test_an_object_that_cannot_be_stored_and_shown_exactly_is_refused(value, problem):
    assert refusal_of(checks.json_object, value) == f"The object holds {problem}."


@pytest.mark.parametrize("integer", [2**64, 1 - 10**308, 10**308 - 1])
def test_what_is_only_sent_may_hold_integers_beyond_64_bits(integer):
    assert checks.record_object({"a": integer}, field=FIELD) == {"a": integer}


@pytest.mark.parametrize("integer", [10**308, -(10**308)])
def test_what_no_request_could_say_exactly_is_not_sent(integer):
    assert refusal_of(checks.record_object, {"a": [integer]}) == "The object holds an integer of more than 308 digits."


def test_what_is_only_sent_is_measured_with_its_long_integers():
    refusal = "The object takes 36 bytes of JSON; at most 35 are sent."

    assert refusal_of(checks.record_object, {"a": 10**20, "b": "é"}, maximum=35) == refusal


def test_an_object_that_is_too_large_is_refused_with_its_size():
    assert refusal_of(checks.json_object, {"a": "x" * 65_536}) == "The object takes 65544 bytes of JSON; at most 65536 are stored."


def test_a_refused_object_is_not_repeated_in_the_message():
    assert "secret" not in refusal_of(checks.json_object, {"token": "secret\x00", "secret": float("inf")})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda part: st.lists(part) | st.dictionaries(st.text(), part)
    )
)
def test_any_json_value_is_taken_as_it_is_or_refused(value):
    given = {"value": value}
    with suppress(InvalidError):
        assert checks.json_object(given, field=FIELD) is given
        assert orjson.loads(orjson.dumps(given)) == given


@pytest.mark.parametrize("seconds", [None, 60, 300, 31_536_000])
def test_an_interval_lies_between_its_minimum_and_a_year(seconds):
    assert checks.interval(seconds, minimum=60, field=FIELD) == seconds


@pytest.mark.parametrize("seconds", [59, 0, -1, 31_536_001, 2**31])
def test_any_other_interval_is_refused(seconds):
    assert refusal_of(checks.interval, seconds, minimum=60) == (f"The interval of {seconds} seconds must lie between 60 and 31536000.")


def test_a_revision_is_compared_only_where_the_caller_names_one():
    checks.revision(3, expected=None)
    checks.revision(3, expected="3")
    for expected in ("2", "03", "3 ", "", "x" * 1_000):
        with pytest.raises(ConflictError) as caught:
            checks.revision(3, expected=expected)
        assert caught.value.message == f"It has changed: its revision is 3, not {expected[:40]!r}. Read it again."
        assert caught.value.field == ["input", "ifRevision"]
