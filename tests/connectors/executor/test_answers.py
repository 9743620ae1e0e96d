"""What an answer is taken to weigh, which bounds the memory of those that are kept."""

import gc
import tracemalloc

import pytest

from gateway.connectors.executor.answers import decoded
from gateway.connectors.http import AppResponse, WebAddress

ADDRESS = WebAddress.parse("http://app.test/items")
RECORD = b'{"id": 1234, "title": "A title", "labels": ["a label", "another"], "due": "2026-11-21T09:30:00Z", "size": 1.5}'


def answer_of(body):
    return decoded(AppResponse(status=200, headers={}, body=body), url=ADDRESS, app="The app")


@pytest.mark.parametrize(
    "item",
    [RECORD, b"{}", b"[]", b'{"":1}', b'{"":{}}', b'{"":[]}', b'{"":' * 150 + b"1" + b"}" * 150, b"[" * 150 + b"]" * 150, b'"ab"', b"1000"],
    ids=["record", "objects", "arrays", "small", "nested", "mixed", "deep objects", "deep arrays", "texts", "numbers"],
)
def test_an_answer_weighs_what_it_takes_or_a_few_times_that(item):
    body = b"[" + b",".join([item] * 2_000) + b"]"
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        answer = answer_of(body)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert 0.6 * taken < answer.weight < 5 * taken


def test_an_answer_without_json_weighs_its_bytes():
    assert answer_of(b"").weight == 1_024
    assert answer_of(b"<html>" * 1_000).weight == 1_024 + 2 * 6_000
