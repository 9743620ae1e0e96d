import tracemalloc

import pytest

from gateway.connectors.http.incoming import MAX_HEADER_BYTES, Incoming
from gateway.connectors.http.response import AppResponse
from gateway.errors import UpstreamResponseError, UpstreamUnavailableError

CHUNKED = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nX-Empty:\r\nX-Name: Zo\xc3\xab  \r\nTransfer-Encoding: Chunked\r\n\r\n"
    b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
)
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def expecting(*, is_head: bool = False, max_bytes: int = 100) -> Incoming:
    incoming = Incoming()
    incoming.expect(is_head=is_head, max_bytes=max_bytes)
    return incoming


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(CHUNKED)])
def test_an_answer_is_read_however_it_is_cut_into_pieces(size):
    incoming = expecting()

    answers = [incoming.feed(CHUNKED[place : place + size]) for place in range(0, len(CHUNKED), size)]

    assert answers == [None] * (len(answers) - 1) + [AppResponse(status=200, headers={"x-empty": "", "x-name": "Zoë"}, body=b"abcde")]
    assert incoming.can_go_on


def test_one_connection_brings_many_answers_of_which_none_holds_anything_of_another():
    incoming = expecting()

    for answer in (CHUNKED, SHORT, b"HTTP/1.1 204 None\r\nX: 1\r\n\r\n", SHORT):
        incoming.expect(is_head=False, max_bytes=100)
        last = incoming.feed(answer)
        assert incoming.can_go_on
        incoming.forget()
        assert not incoming.can_go_on

    assert last == AppResponse(status=200, headers={}, body=b"ok")


def test_the_answer_to_head_ends_with_its_headers_and_the_next_one_is_read_from_its_start():
    incoming = expecting(is_head=True)

    answer = incoming.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    assert (answer, incoming.can_go_on) == (AppResponse(status=200, headers={}, body=b""), True)

    incoming.forget()
    incoming.expect(is_head=False, max_bytes=100)
    assert incoming.feed(SHORT) == AppResponse(status=200, headers={}, body=b"ok")


@pytest.mark.parametrize(
    ("is_head", "rest"), [(False, SHORT), (False, b"H"), (False, b"HTTP/1.1 408 Request Ti"), (True, b"ok"), (True, b"ok" + SHORT)]
)
def test_nothing_more_is_read_on_a_connection_that_says_more_than_its_answer(is_head, rest):
    incoming = expecting(is_head=is_head)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

    answer = incoming.feed((head if is_head else SHORT) + rest)

    assert answer == AppResponse(status=200, headers={}, body=b"" if is_head else b"ok")
    assert not incoming.can_go_on


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        # It may have been sent before the request came, and the answer to that may follow.
        b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_nothing_more_is_read_where_the_app_closes_the_connection_or_may_answer_again(answer):
    incoming = expecting()

    assert incoming.feed(answer).body == b"ok"
    assert not incoming.can_go_on


def test_an_orderly_end_ends_an_answer_without_a_length_and_no_other():
    incoming = expecting()
    assert incoming.feed(b"HTTP/1.1 200 OK\r\n\r\nuntil the ") is None
    assert incoming.feed(b"end") is None

    with pytest.raises(UpstreamUnavailableError, match="broke off"):
        incoming.end(is_orderly=False)
    assert incoming.end(is_orderly=True).body == b"until the end"
    assert not incoming.can_go_on


@pytest.mark.parametrize("start", [b"", SHORT[:20], b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_an_end_before_the_headers_is_a_lost_connection(start):
    incoming = expecting()
    incoming.feed(start)

    with pytest.raises(UpstreamUnavailableError, match="lost before it answered"):
        incoming.end(is_orderly=True)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: ",
    ],
    ids=["status", "header", "extension", "trailer"],
)
def test_what_does_not_end_is_read_as_far_as_headers_may_be_large(start):
    incoming = expecting()
    incoming.feed(start)

    for _ in range(MAX_HEADER_BYTES // 1024 - 1):
        assert incoming.feed(b"x" * 1024) is None
    with pytest.raises(UpstreamResponseError, match="headers are too large"):
        incoming.feed(b"x" * 2048)


def test_an_answer_is_as_long_as_its_small_chunks_make_it_however_each_of_them_is_cut():
    incoming = expecting(max_bytes=20_000)
    incoming.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

    for _ in range(20_000):
        for piece in (b"1\r\n", b"x", b"\r\n"):
            assert incoming.feed(piece) is None

    assert incoming.feed(b"0\r\n\r\n").body == b"x" * 20_000


@pytest.mark.parametrize(
    ("header", "body"), [(b"Content-Length : 50", b"cut"), (b"Transfer-Encoding : chunked", b"5\r\ncut")], ids=["length", "chunks"]
)
def test_a_space_before_the_colon_hides_no_header(header, body):
    incoming = expecting()
    incoming.feed(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n\r\n" + body)

    with pytest.raises(UpstreamUnavailableError, match="broke off"):
        incoming.end(is_orderly=True)


def test_a_connection_that_waits_for_its_next_request_keeps_no_body():
    incoming = expecting(max_bytes=10_000_000)
    incoming.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
    tracemalloc.start()
    incoming.feed(b"x" * 5_000_000)
    incoming.feed(b"x" * 5_000_000)

    incoming.forget()

    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000
