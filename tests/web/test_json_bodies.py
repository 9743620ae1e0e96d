"""JSON as clients send it and as it is answered: read without losing a digit, or refused."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw

from gateway.errors import NotJsonError
from gateway.models.answer_objects import answer_class
from gateway.web.bodies import decode_json, encode_json
from tests.support.examples import ANY_JSON

NAMES = st.from_regex("[_A-Za-z][_0-9A-Za-z]*", fullmatch=True)
NEARLY_JSON = st.text(alphabet='{}[]",:\\ud8c0123456789-+.eE truefalsn', max_size=60).map(str.encode)


@given(body=st.binary(max_size=40) | NEARLY_JSON | ANY_JSON.map(lambda value: json.dumps(value).encode()))
@example(body=b"[" * 1_000 + b"1" * 19 + b"]" * 1_000)
@example(body=b'{"a":' * 1_020 + b"1" * 19 + b"}" * 1_020)
@example(body=b"[" * 5_000)
@example(body=b"1" * 4_301)
def test_any_body_is_refused_or_a_value_that_is_answered_as_it_is(body):
    try:
        value = decode_json(body)
    except NotJsonError:
        return

    assert exact(decode_json(encode_json(value))) == exact(value)


@given(value=ANY_JSON)
def test_any_value_of_an_app_is_answered_as_it_is(value):
    assert exact(json.loads(encode_json(value))) == exact(value)


@given(value=ANY_JSON, is_ascii=st.booleans())
def test_json_that_nobody_read_is_answered_beside_any_value_as_it_was_written(value, is_ascii):
    text = json.dumps({"a": [0.10, 10**30]}, ensure_ascii=is_ascii).encode()

    answer = encode_json({"fields": [Raw(text), Raw(text)], "name": value})

    assert exact(json.loads(answer)) == exact({"fields": [{"a": [0.1, 10**30]}] * 2, "name": value})


def test_json_that_nobody_read_stays_as_it_was_written():
    assert encode_json([{"fields": Raw(b'{"a": 1.50, "a":\t1E2}')}, 10**30]) == b'[{"fields":{"a": 1.50, "a":\t1E2}},%d]' % 10**30


def test_json_that_nobody_read_is_answered_beside_half_a_pair_as_a_reading_of_all_has_it():
    assert encode_json(["\ud800", Raw(b'[1e400, 1.50, "\xc3\xa9"]')]) == b'["\\ud800",[null,1.5,"\\u00e9"]]'


@pytest.mark.parametrize("beside", [10**30, Raw(b"{}"), "\ud800"])
def test_texts_and_numbers_of_classes_of_their_own_are_answered_beside_whatever_there_is(beside):
    class Text(str):
        __slots__ = ()

    class Number(int):
        pass

    assert json.loads(encode_json([Text("a"), Number(3), beside]))[:2] == ["a", 3]


@given(value=st.dictionaries(NAMES, ANY_JSON | st.just("\ud800"), max_size=4))
@example(value={"__class__": 1, "f_": [], "None": "\ud800"})
def test_objects_of_answers_are_written_as_dictionaries_are(value):
    answered = [answer_class(value)(*value.values()), {"beside": answer_class(())()}]

    assert exact(json.loads(encode_json(answered))) == exact([value, {"beside": {}}])


def test_what_is_no_json_is_not_answered():
    with pytest.raises(TypeError):
        encode_json(["\ud800", {1}])


def exact(value: object) -> str:
    """The value with its types, as 1, 1.0 and true are equal in Python, and so are 0.0 and -0.0."""
    return json.dumps(value, sort_keys=True)
