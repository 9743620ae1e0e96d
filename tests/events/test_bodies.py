"""Records as bytes: exact, whatever their fields hold, and with a hash that only a change changes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.errors import UpstreamResponseError
from gateway.events import bodies
from gateway.models import Record
from tests.events.observing import record

NOT_JSON = [float("nan"), {1, 2}, object(), {(1, 2): 3}]


def test_a_record_comes_back_as_it_was():
    whole = Record(
        external_id="7",
        fields={"title": "Ä \U0001f600", "tags": ["a", None, True], "price": 1.5, "nested": {"n": -3}},
        name="Seven",
        url="https://app.example/7",
        version="3",
        created_at=datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
        updated_at=datetime(2026, 3, 2, tzinfo=UTC),
    )

    assert bodies.decode(bodies.encode(whole), "7") == whole


@pytest.mark.parametrize("number", [2**63 - 1, 2**64 - 1, 2**64, -(2**63) - 1, 10**40, -(10**300)])
def test_integers_of_any_size_stay_exact(number: int):
    body = bodies.encode(record("1", number=number, nested=[{"number": number}]))

    assert bodies.fields_of(body) == {"number": number, "nested": [{"number": number}]}
    assert bodies.hash_of(record("1", number=number)) != bodies.hash_of(record("1", number=number + 1))


def test_half_a_surrogate_pair_becomes_a_replacement_character_and_two_halves_the_character():
    broken = record("1", text="a\ud83db", pair="\ud83d\ude00", **{"key\udc00": 1})

    assert bodies.fields_of(bodies.encode(broken)) == {"text": "a\ufffdb", "pair": "\U0001f600", "key\ufffd": 1}


@pytest.mark.parametrize("value", NOT_JSON[1:], ids=lambda value: type(value).__name__)
def test_what_is_no_json_is_refused_with_the_record_and_without_its_values(value: Any):
    with pytest.raises(UpstreamResponseError) as caught:
        bodies.encode(record("42", secret="s3cret", value=value))

    assert "Record '42' cannot be recorded" in caught.value.message
    assert "s3cret" not in caught.value.message


def nested(depth: int) -> Any:
    """A value within so many lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_nesting_that_no_reader_follows_is_refused_and_a_depth_of_255_is_kept():
    assert bodies.fields_of(bodies.encode(record("1", deep=nested(255)))) == {"deep": nested(255)}
    for depth in (300, 900, 100_000):
        with pytest.raises(UpstreamResponseError):
            bodies.encode(record("1", deep=nested(depth)))


def test_a_number_that_json_has_not_becomes_null_beside_large_integers_too():
    infinite = float("inf")

    assert bodies.fields_of(bodies.encode(record("1", n=infinite))) == {"n": None}
    assert bodies.fields_of(bodies.encode(record("1", n=[infinite, {"m": -infinite}], big=2**64))) == {
        "n": [None, {"m": None}],
        "big": 2**64,
    }
    assert bodies.hash_of(record("1", n=infinite, big=2**64)) == bodies.hash_of(record("1", n=None, big=2**64))


@pytest.mark.parametrize(
    ("number", "same"),
    [(1, 1.0), (0, -0.0), (-3, -3.0), (10**16, 1e16), (2**62, float(2**62)), (10**22, 1e22), ([{"n": 2}], [{"n": 2.0}])],
    ids=str,
)
def test_a_number_is_the_same_however_the_app_writes_it(number: Any, same: Any):
    first, second = record("1", a="1.0,", n=number, z=1), record("1", a="1.0,", n=same, z=1)

    assert bodies.hash_of(first) == bodies.hash_of(second)
    assert bodies.changed_fields(bodies.encode(first), bodies.encode(second)) == ()
    assert bodies.fields_of(bodies.encode(second)) == second.fields


@pytest.mark.parametrize(
    ("value", "other"), [(1, True), (0, False), (1, "1"), (1.0, "1.0"), (1, 1.5), (None, 0), ([], {}), ("v1.0", "v1")], ids=str
)
def test_what_is_not_the_same_in_json_is_a_change_that_names_its_field(value: Any, other: Any):
    first, second = record("1", n=value), record("1", n=other)

    assert bodies.hash_of(first) != bodies.hash_of(second)
    assert bodies.changed_fields(bodies.encode(first), bodies.encode(second)) == ("n",)


def test_the_hash_is_of_the_fields_alone_in_any_order_and_without_the_volatile_ones():
    first = Record(external_id="1", fields={"a": 1, "b": {"x": 1, "y": 2}, "etag": "p"}, name="One", version="1")
    second = Record(external_id="1", fields={"etag": "q", "b": {"y": 2, "x": 1}, "a": 1}, name="Uno", version="2")

    assert len(bodies.hash_of(first)) == 16
    assert bodies.hash_of(first) != bodies.hash_of(second)
    assert bodies.hash_of(first, ["etag"]) == bodies.hash_of(second, ["etag"])
    assert bodies.hash_of(first, ["etag"]) == bodies.hash_of(record("1", a=1, b={"x": 1, "y": 2}))
    assert bodies.hash_of(record("1", b={"y": 2**70, "x": 1}, a=1)) == bodies.hash_of(record("1", a=1, b={"x": 1, "y": 2**70}))
    assert bodies.hash_of(record("1", a=None)) != bodies.hash_of(record("1"))


def test_changed_fields_are_those_that_differ_came_or_went():
    before = bodies.encode(record("1", same=1, other=1, gone=None, big=2**70))
    after = bodies.encode(record("1", same=1, other=[1], new=None, big=2**70 + 1))

    assert bodies.changed_fields(after, before) == ("big", "gone", "new", "other")
