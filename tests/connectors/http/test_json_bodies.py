import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.connectors.http import decode_json
from gateway.connectors.http.json_bodies import MAX_DEPTH, MAX_VALUES
from gateway.errors import UpstreamResponseError
from tests.support.examples import ANY_JSON

NEARLY_JSON = st.text(alphabet='{}[]",:\\ud8c0123456789-+.eE NaInfity', max_size=60).map(str.encode)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        (b' "text" ', "text"),
        (b"9223372036854775807", 2**63 - 1),
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", 2**64),
        (b'{"id": 123456789012345678901234567890}', {"id": 123456789012345678901234567890}),
        (b"-99999999999999999999", -99999999999999999999),
        (b"3.14159265358979323846264", 3.14159265358979323846264),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"\\ud83d\\ude00 \xf0\x9f\x98\x80"', "😀 😀"),
        (b'{"id": 12345678901234567890, "s": "\\ud83d\\ude00"}', {"id": 12345678901234567890, "s": "😀"}),
    ],
)
def test_json_is_read_with_its_numbers_exact(body, value):
    decoded = decode_json(body)

    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize("shift", range(8))
@pytest.mark.parametrize("number", [-(2**63) - 1, 2**64, 10**19 - 1, 10**40], ids=["19 digits", "20 digits", "fits", "41 digits"])
def test_a_long_number_is_exact_wherever_it_stands(number, shift):
    body = b'{"a": [1.5, 1763816330123, "%b"], "n": %d, "b": 12}' % (b"x" * shift, number)

    assert decode_json(body)["n"] == number
    assert type(decode_json(body)["n"]) is int


def test_long_numbers_within_texts_and_in_floats_stay_what_they_are():
    written = (
        '{"id": "1234567890123456789012", "size": 0.12345678901234567890123, "far": 12345678901234567890e5, "n": [18446744073709551615]}'
    )

    assert decode_json(written.encode()) == json.loads(written)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"[NaN, Infinity, -Infinity, 1e400, -1e400, 1]", [None, None, None, None, None, 1]),
        (b'{"id": 12345678901234567890, "x": 1e999}', {"id": 12345678901234567890, "x": None}),
        (b'{"a": ' + b"1" * 4_301 + b', "b": -' + b"1" * 4_300 + b', "c": NaN}', {"a": None, "b": -int("1" * 4_300), "c": None}),
        (b'["\\ud800", "a\\udc00b", "\\uDBFF\\u0041"]', ["�", "a�b", "�A"]),
        (b'{"\\ud800": {"\\ud801": ["\\ud802", 1, null]}}', {"�": {"�": ["�", 1, None]}}),
        (b'"caf\xe9"', "caf�"),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
    ],
)
def test_what_is_not_quite_json_stays_readable_and_can_be_written_again(body, value):
    decoded = decode_json(body)

    assert decoded == value
    assert json.loads(json.dumps(decoded, allow_nan=False, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize("body", [b"nope", b"{", b'{"a" 1}', b"[1,]", b"'a'", b"\x00\x01", b"{} {}", b"1" * 5000 + b",", b"\xff\xfe\xfd"])
def test_what_is_no_json_is_refused(body):
    with pytest.raises(UpstreamResponseError, match="is not JSON"):
        decode_json(body)


@given(body=st.binary(max_size=40) | NEARLY_JSON | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_refused_or_a_value_that_is_written_and_read_again(body):
    try:
        value = decode_json(body)
    except UpstreamResponseError:
        return

    written = json.dumps(value, allow_nan=False, ensure_ascii=False)
    assert json.dumps(decode_json(written.encode()), ensure_ascii=False) == written


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_body_is_refused_as_empty(body):
    with pytest.raises(UpstreamResponseError, match="is empty where JSON was expected"):
        decode_json(body)


def test_a_page_of_html_is_recognised():
    with pytest.raises(UpstreamResponseError, match="looks like a page of HTML or XML"):
        decode_json(b"\n<!doctype html><title>Sign in</title>")


def nested(levels: int, opening: bytes, closing: bytes, core: bytes = b"1") -> bytes:
    return opening * levels + core + closing * levels


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("core", [b"1", b"12345678901234567890", b"NaN", b'"\\ud800"'], ids=["plain", "long number", "nan", "surrogate"])
def test_nesting_is_read_to_its_bound_and_no_deeper(opening, closing, core):
    decoded = decode_json(nested(MAX_DEPTH, opening, closing, core))
    with pytest.raises(UpstreamResponseError, match=f"deeper than the {MAX_DEPTH} levels"):
        decode_json(nested(MAX_DEPTH + 1, opening, closing, core))

    for _ in range(MAX_DEPTH):
        decoded = decoded[0] if isinstance(decoded, list) else decoded["a"]
    assert not isinstance(decoded, list | dict)


@pytest.mark.parametrize("core", [b"[]", b"{}", b'[1, {}, "x"]'])
def test_the_innermost_array_or_object_is_a_level_too_even_an_empty_one(core):
    room = MAX_DEPTH - core.count(b"[") - core.count(b"{")

    assert decode_json(nested(room, b"[", b"]", core))
    with pytest.raises(UpstreamResponseError, match=f"deeper than the {MAX_DEPTH} levels"):
        decode_json(nested(room + 1, b"[", b"]", core))


@pytest.mark.parametrize("levels", [250, 1000, 1100, 100_000, 1_000_000])
@pytest.mark.parametrize("core", [b"1", b"12345678901234567890"])
def test_no_depth_exhausts_the_stack(levels, core):
    for opening, closing in [(b"[", b"]"), (b'{"a":', b"}")]:
        with pytest.raises(UpstreamResponseError):
            decode_json(nested(levels, opening, closing, core))
        with pytest.raises(UpstreamResponseError):
            decode_json(opening * levels)


def test_brackets_inside_texts_are_not_depth():
    assert decode_json(orjson.dumps(["[{" * 500])) == ["[{" * 500]


def test_many_values_side_by_side_are_not_depth():
    rows = [{"n": number, "tags": [[], {}]} for number in range(1000)]

    assert decode_json(orjson.dumps(rows)) == rows


@pytest.mark.parametrize("value", [b"0", b"{}", b"[]"])
def test_more_values_than_memory_is_kept_for_are_refused(value):
    assert decode_json(b"[" + b",".join([b"0"] * (MAX_VALUES - 1)) + b"]") == [0] * (MAX_VALUES - 1)

    with pytest.raises(UpstreamResponseError, match="holds more than the 2000000 values that the gateway reads"):
        decode_json(b"[" + b",".join([value] * (MAX_VALUES + 1)) + b"]")
