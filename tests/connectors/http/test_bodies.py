import asyncio
import gzip
import tracemalloc
import zlib

import pytest

from gateway.connectors.http.bodies import MAX_GZIP_MEMBERS, Body
from gateway.errors import UpstreamResponseError, UpstreamUnavailableError
from gateway.testing import Answer, EndlessBody, Garbage, gzip_bomb

TEXT = b'{"title": "Write the report"}' * 50


def gzipped(data: bytes) -> bytes:
    """The data, compressed to the same bytes in every process: test names are made of them."""
    return gzip.compress(data, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


ENCODED = [
    ("", TEXT),
    ("identity", TEXT),
    ("gzip", gzipped(TEXT)),
    ("x-gzip", gzipped(TEXT)),
    ("GZip", gzipped(TEXT)),
    ("identity, gzip", gzipped(TEXT)),
    ("gzip", gzipped(TEXT[:100]) + gzipped(TEXT[100:])),
    ("deflate", zlib.compress(TEXT)),
    ("deflate", raw_deflate(TEXT)),
]


@pytest.mark.parametrize(("coding", "body"), ENCODED)
async def test_a_body_is_decoded_from_its_coding(app, send, coding, body):
    app.answer(headers={"Content-Encoding": coding}, body=body)

    response = await send()

    assert response.body == TEXT
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize(("coding", "body"), ENCODED)
def test_a_body_is_decoded_however_it_is_cut_into_chunks(coding, body):
    read = Body(content_encoding=coding, max_bytes=len(TEXT))

    for place in range(len(body)):
        read.add(body[place : place + 1])

    assert read.whole() == TEXT


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "deflate, gzip", "gzip, br", "magic"])
async def test_other_codings_and_several_at_once_are_refused(app, send, coding):
    app.answer(headers={"Content-Encoding": coding}, body=gzipped(gzipped(TEXT)))

    with pytest.raises(UpstreamResponseError) as refused:
        await send()

    assert refused.value.message == f"The app's answer is encoded with {coding!r}. The gateway reads one of gzip and deflate."


async def test_two_headers_of_coding_count_as_two_codings(app, send):
    app.answer(headers=[("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")], body=gzipped(gzipped(TEXT)))

    with pytest.raises(UpstreamResponseError, match="gzip, gzip"):
        await send()


async def test_gzip_in_gzip_under_one_coding_is_decoded_once(app, send):
    inner = gzipped(TEXT)
    app.answer(headers={"Content-Encoding": "gzip"}, body=gzipped(inner))

    assert (await send()).body == inner


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzipped(TEXT)[:-1]),
        ("gzip", gzipped(TEXT)[:20]),
        ("gzip", gzipped(TEXT)[:1]),
        ("gzip", gzipped(TEXT)[:-8] + b"\0" * 8),
        ("gzip", gzipped(TEXT) + b"and more"),
        ("gzip", gzipped(TEXT) + b"\x1f"),
        ("gzip", b"plain text"),
        ("deflate", zlib.compress(TEXT)[:-1]),
        ("deflate", zlib.compress(TEXT) + b"more"),
        ("deflate", raw_deflate(TEXT)[:-1]),
        ("deflate", b"\xff\xff\xff\xff"),
    ],
)
async def test_a_body_that_is_broken_in_its_coding_is_refused(app, send, coding, body):
    app.answer(headers={"Content-Encoding": coding}, body=body)

    with pytest.raises(UpstreamResponseError, match=f"encoded with {coding}, and is not, or breaks off"):
        await send()


async def test_a_body_of_exactly_the_bound_is_read_and_one_byte_more_is_refused(app, send):
    for headers, body in [
        ({}, TEXT),
        ({"Content-Encoding": "gzip"}, gzipped(TEXT)),
        ({"Content-Encoding": "deflate"}, raw_deflate(TEXT)),
    ]:
        app.answer(headers=headers, body=body)
        app.answer(headers=headers, body=body)

        assert (await send(max_bytes=len(TEXT))).body == TEXT
        with pytest.raises(UpstreamResponseError, match=f"larger than the {len(TEXT) - 1} bytes"):
            await send(max_bytes=len(TEXT) - 1)


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_an_endless_body_is_cut_at_the_bound_and_its_connection_closed(app, send, is_chunked):
    app.answer(EndlessBody(is_chunked=is_chunked))

    with pytest.raises(UpstreamResponseError, match="larger than the 1000000 bytes"):
        await send(max_bytes=1_000_000)

    await asyncio.wait_for(app.wait_until_idle(), timeout=10)


async def test_a_gzip_bomb_is_refused_without_being_made(app, send):
    bomb = gzip_bomb(size=64 * 1024 * 1024)
    app.answer(bomb)

    tracemalloc.start()
    with pytest.raises(UpstreamResponseError, match="larger than the 100000 bytes"):
        await send()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(bomb.body) < 100_000
    assert peak < 5_000_000


async def test_a_body_of_very_many_gzip_members_is_refused(app, send):
    app.answer(headers={"Content-Encoding": "gzip"}, body=gzipped(b"") * MAX_GZIP_MEMBERS)
    app.answer(headers={"Content-Encoding": "gzip"}, body=gzipped(b"") * (MAX_GZIP_MEMBERS + 1))

    assert (await send()).body == b""
    with pytest.raises(UpstreamResponseError):
        await send()


@pytest.mark.parametrize("content_length", [6, 5000])
async def test_a_body_shorter_than_it_says_may_be_asked_for_again(app, send, content_length):
    app.answer(Answer(body=b"short", content_length=content_length))

    with pytest.raises(UpstreamUnavailableError, match="broke off before its end") as cut:
        await send()

    assert cut.value.may_have_been_received


async def test_a_body_longer_than_it_says_is_refused_and_its_rest_is_no_answer_to_the_next_request(app, send):
    app.answer(Answer(body=b"long body", content_length=4), Answer(body=b"next"))

    with pytest.raises(UpstreamResponseError, match="not valid HTTP"):
        await send()

    assert (await send()).body == b"next"
    assert app.connection_count == 2


async def test_a_body_without_a_length_ends_with_its_connection(app, send):
    app.answer(Garbage(b"HTTP/1.1 200 OK\r\n\r\nuntil the end"))

    assert (await send()).body == b"until the end"


async def test_a_chunked_body_with_trailers_is_read(app, send):
    app.answer(Garbage(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"))

    assert (await send()).body == b"abcde"


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "chunked, gzip"])
async def test_a_coding_of_the_transfer_other_than_chunked_is_refused(app, send, coding):
    app.answer(Garbage(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: %b\r\n\r\n0\r\n\r\n" % coding.encode()))

    with pytest.raises(UpstreamResponseError):
        await send()
