import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.connectors.http import PageShape, decode_json, read_page
from gateway.connectors.http.json_bodies import MAX_DEPTH, MAX_VALUES
from gateway.models.read_fields import attribute_of
from tests.support.examples import ANY_JSON

ITEMS = PageShape(("items",), frozenset({"id", "näme"}))
NEARLY_JSON = st.text(alphabet='{}[]",:\\ud8c0123456789-+.eE NaItems', max_size=60).map(str.encode)


def told(body, shape=ITEMS):
    """What a page tells: beside its list, of its items, and their texts."""
    page = read_page(body, shape)
    if page is None:
        return None
    keys = sorted(shape.keys)
    items = [tuple(getattr(item, attribute_of(key)) for key in keys) for item in page.items]
    return page.beside, items, [bytes(text) for text in page.texts]


@pytest.mark.parametrize(
    ("shape", "body", "beside", "items", "texts"),
    [
        (ITEMS, b'{"items": [], "a": {}}', {}, [], []),
        (
            ITEMS,
            b' {"x":[{}],"items": [{"id": 1, "a":[1.50]} , {"n\xc3\xa4me":"B"}]}',
            {},
            [(1, None), (None, "B")],
            [b'{"id": 1, "a":[1.50]}', b'{"n\xc3\xa4me":"B"}'],
        ),
        (ITEMS, b'{"items": [{"id": 1, "id": 2}], "items": [{"\\u0069d": 3, "id": 4}]}', {}, [(4, None)], [b'{"\\u0069d": 3, "id": 4}']),
        (
            ITEMS,
            b'{"items":[{"id":123456789012345678901234567890,"n\\u00e4me":1e5}]}',
            {},
            [(123456789012345678901234567890, 1e5)],
            [b'{"id":123456789012345678901234567890,"n\\u00e4me":1e5}'],
        ),
        (
            PageShape((), frozenset({"id"})),
            b'[{"id": null}, {"id": [1, {"a": 2}]}]',
            {},
            [(None,), ([1, {"a": 2}],)],
            [b'{"id": null}', b'{"id": [1, {"a": 2}]}'],
        ),
        (
            PageShape(("data", "list"), frozenset({"id"}), frozenset({"next", "more"})),
            b'{"data": {"list": [{"id": "a"}], "next": 1}, "next": {"cursor": "x"}}',
            {"next": {"cursor": "x"}, "more": None},
            [("a",)],
            [b'{"id": "a"}'],
        ),
    ],
)
def test_of_a_page_the_list_is_told_with_the_fields_and_members_that_are_asked_for(shape, body, beside, items, texts):
    found = told(body, shape)

    assert found is not None
    assert found[0] == beside
    assert found[1:] == (items, texts)


TEXT = ITEMS._replace(types=frozenset({("id", str)}))
TEXTS = ITEMS._replace(types=frozenset({("id", list[str])}))


@pytest.mark.parametrize(
    ("shape", "items", "is_known"),
    [
        (TEXT, b'{"id": "a", "n\xc3\xa4me": 1}, {"id": null}, {}', True),
        (TEXT, b'{"id": "a", "n\xc3\xa4me": {"x": [{"y": []}]}}', False),
        (TEXT, b'{"id": "a"}, {"id": 1}', False),
        (TEXT, b'{"id": 1, "id": "a"}', False),
        (TEXT, b'{"id": ["a"]}', False),
        (TEXT, b"{}", True),
        (TEXTS, b'{"id": ["a", ""], "n\xc3\xa4me": 1}, {"id": []}, {"id": null}, {}', True),
        (TEXTS, b'{"id": ["a"]}, {"id": ["a", 1]}', False),
        (TEXTS, b'{"id": ["a", null]}', False),
        (TEXTS, b'{"id": [["a"]]}', False),
        (TEXTS, b'{"id": "a"}', False),
    ],
)
def test_items_tell_what_their_fields_are_where_all_are_what_they_are_likely_to_be(shape, items, is_known):
    body = b'{"items": [%b]}' % items
    page = read_page(body, shape)

    assert page is not None
    assert {item.types for item in page.items} == {shape.types if is_known else frozenset()}
    assert {item.types for item in read_page(body, ITEMS).items} == {frozenset()}
    assert told(body, shape) == told(body)


def test_numbers_are_exact_and_texts_stay_as_they_are_written():
    written = b'{"id":123456789012345678901234567890,"rate":0.10,"far":1E+2,"face":"\\ud83d\\ude00"}'

    assert told(b'{"items":[%b]}' % written) == ({}, [(123456789012345678901234567890, None)], [written])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"items": null}',
        b'{"items": {"id": 1}}',
        b'{"items": [1]}',
        b'{"items": [null]}',
        b'{"items": [[{}]]}',
        b'{"items": [{"id": 1}, "x"]}',
        b'{"items": [{"id": 1}]} x',
        b'{"items": [{"id": 1},]}',
        b'{"items": [{"id": 1,}]}',
        b'{"items": [{"id": 01}]}',
        b'{"items": [{"a": NaN}]}',
        b'{"items": [{"id": 1e999}]}',
        b'{"items": [{"a": "\x01"}]}',
        b'{"items": [{"a": "\xff"}]}',
        b'{"items": [{"\xed\xa0\x80": 1}]}',
        b'{"items": [{"a": "\\ud800"}]}',
        b'{"items": [{"a": "\\udc00\\ud800"}]}',
        b'{"items": [{"a": "\\x"}]}',
        b'{"items": [{"a": 1}',
        b'\xef\xbb\xbf{"items": []}',
        '{"items": []}'.encode("utf-16"),
        b'{"items": [{"a": %b}]}' % (b"[" * 5_000 + b"]" * 5_000),
        b'{"items": [{"id": %b}]}' % (b"[" * 5_000 + b"]" * 5_000),
        b'{"items": [{"id": %b}]}' % (b"9" * 5_000),
        b'{"items": [%b]}' % b",".join([b"{}"] * MAX_VALUES),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_such_page_or_no_json_is_left_to_a_reading_of_all(body):
    assert read_page(body, ITEMS) is None


@pytest.mark.parametrize("depth", [1, 2, 3, 4, MAX_DEPTH - 3])
@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_values_of_any_depth_that_is_read_are_told(depth, pair):
    value = pair[0] * depth + b"1" + pair[1] * depth

    assert told(b'{"items": [{"id": 7, "n\xc3\xa4me": %b}]}' % value)[1] == [(7, json.loads(value))]


def test_values_that_nest_too_deeply_are_left_to_a_reading_of_all():
    assert read_page(b'{"items": [{"id": %b1%b}]}' % (b"[" * MAX_DEPTH, b"]" * MAX_DEPTH), ITEMS) is None


@given(st.lists(st.dictionaries(st.sampled_from(["id", "näme", "other"]), ANY_JSON, max_size=3), max_size=3), st.booleans())
def test_a_page_tells_the_same_as_a_reading_of_all(items, is_ascii):
    body = json.dumps({"items": items, "next": 1}, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    found = told(body)

    assert {repr(told(body, shape)) for shape in (TEXT, TEXTS)} == {repr(found)}
    if found is not None:
        assert list(map(decode_json, found[2])) == decode_json(body)["items"]
        assert found[1] == [(item.get("id"), item.get("näme")) for item in decode_json(body)["items"]]


@given(NEARLY_JSON)
def test_what_is_passed_on_is_json(text):
    body = b'{"items":[{"id":%b}]}' % text
    found = told(body)

    if found is not None:
        assert [json.loads(each) for each in found[2]] == json.loads(body)["items"]


@pytest.mark.parametrize(
    ("shape", "is_possible"),
    [
        (PageShape((), frozenset()), True),
        (PageShape(("a", "a"), frozenset({"a", "", "ä"}), frozenset({"b"})), True),
        (PageShape((), frozenset(), frozenset({"b"})), False),
        (PageShape(("a",), frozenset(), frozenset({"a"})), False),
        (PageShape(('"',), frozenset()), False),
        (PageShape(("a",), frozenset({"\\"})), False),
        (PageShape(("a",), frozenset(), frozenset({"\n"})), False),
        (PageShape(("a",), frozenset({"\ud800"})), False),
    ],
)
def test_a_shape_is_possible_where_its_names_can_be_looked_for_and_no_member_is_asked_for_twice(shape, is_possible):
    assert shape.is_possible is is_possible
    if is_possible:
        assert read_page(b"0", shape) is None
