import asyncio
import datetime
import socket
import ssl
import subprocess
import sys
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.cli.loops import run
from gateway.connectors.http import AppRequest, Http, WebAddress
from gateway.connectors.http.faults import UNAVAILABLE, translate
from gateway.errors import UpstreamResponseError, UpstreamUnavailableError
from gateway.testing import Answer, Drop, Garbage, ScriptedApp


@pytest.mark.parametrize(
    "error", [OSError, ConnectionResetError, TimeoutError, socket.gaierror, ssl.SSLError, ssl.SSLCertVerificationError]
)
def test_a_fault_of_connecting_is_told_without_what_the_system_says_of_it(error):
    translated = translate(error("s3cret"), host="app.example")

    assert isinstance(translated, UpstreamUnavailableError)
    assert not translated.may_have_been_received
    assert translated.message.startswith("The app could not be reached: ")
    assert "s3cret" not in translated.message


def test_every_class_of_fault_has_a_sentence_of_its_own():
    assert len(set(UNAVAILABLE.values())) == len(UNAVAILABLE) == 5


async def test_a_closed_port_was_never_sent_to(http):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        with pytest.raises(UpstreamUnavailableError, match="does not accept a connection") as failed:
            await http.send(AppRequest("POST", WebAddress.parse(f"http://127.0.0.1:{port}/")), max_bytes=1, timeout_seconds=5)

    assert not failed.value.may_have_been_received


async def test_an_app_that_never_accepts_the_connection_was_never_sent_to(http):
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())

        with pytest.raises(UpstreamUnavailableError, match="could not be reached within") as failed:
            await http.send(
                AppRequest("POST", WebAddress.parse(f"http://127.0.0.1:{full.getsockname()[1]}/")), max_bytes=1, timeout_seconds=0.2
            )

    assert not failed.value.may_have_been_received


@pytest.mark.parametrize("drop", [Drop(), Drop(resets=True)], ids=["closed", "reset"])
@pytest.mark.parametrize("content", [b"", b"x", b"x" * 3_000_000])
async def test_a_connection_lost_before_the_answer_may_have_been_received(app, send, drop, content):
    app.answer(drop)

    with pytest.raises(UpstreamUnavailableError, match="lost before it answered") as failed:
        await send(method="POST", content=content)

    assert failed.value.may_have_been_received


async def test_a_connection_reset_in_the_middle_of_the_body_may_have_been_received(app, send):
    class ResetInBody:
        async def write(self, reader, writer, *, method):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.transport.abort()
            return False

    app.answer(ResetInBody())

    with pytest.raises(UpstreamUnavailableError) as failed:
        await send()

    assert failed.value.may_have_been_received


NOT_HTTP = {
    "text": b"hello\r\n\r\n",
    "one byte": b"\x00",
    "html without a head": b"<html><body>Welcome</body></html>",
    "tls alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "http 2": b"HTTP/2 200\r\n\r\n",
    "four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "nul in a header": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
    "space in a header's name": b"HTTP/1.1 200 OK\r\nX Y: a\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nok",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "enormous length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nok",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunk size that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n",
    "chunk longer than its size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
    "a long status line": b"HTTP/1.1 200 " + b"x" * 5_000_000,
    "a header that does not end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5_000_000,
    "a hundred thousand headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
}


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP)
async def test_what_is_not_http_is_refused_and_its_connection_not_used_again(app, send, data):
    app.answer(Garbage(data, stays_open=True))
    app.answer(body=b"next")

    with pytest.raises(UpstreamResponseError, match="not valid HTTP, or its headers are too large"):
        await send()

    assert (await send()).body == b"next"
    assert app.connection_count == 2


async def test_headers_of_thirty_kilobytes_are_read(app, send):
    app.answer(headers={"Content-Security-Policy": "x" * 30_000})

    assert len((await send()).headers["content-security-policy"]) == 30_000


async def test_a_port_that_speaks_no_tls_is_told(http):
    async def answer(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(UpstreamUnavailableError, match="no encrypted connection could be agreed on") as failed:
            await http.send(AppRequest("POST", WebAddress.parse(url)), max_bytes=1, timeout_seconds=5)

    assert not failed.value.may_have_been_received


async def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(tmp_path, http):
    async with ScriptedApp(tls=_self_signed(tmp_path)) as app:
        with pytest.raises(UpstreamUnavailableError, match="certificate of its server cannot be verified") as failed:
            await http.send(
                AppRequest("POST", WebAddress.parse(app.url), headers={"Authorization": "s3cret"}), max_bytes=1, timeout_seconds=5
            )

        assert app.requests == []

    assert not failed.value.may_have_been_received


ASK = """
import asyncio, sys
from ipaddress import ip_network
from gateway.connectors.http import AppRequest, Http, WebAddress
from gateway.errors import UpstreamUnavailableError

async def ask(port):
    http = Http(allowed_networks=[ip_network("127.0.0.0/8")])
    for host in ("127.0.0.1", "127.0.0.1", "localhost"):
        try:
            response = await http.send(AppRequest("GET", WebAddress.parse(f"https://{host}:{port}/")), max_bytes=100, timeout_seconds=10)
            print(response.body.decode())
        except UpstreamUnavailableError as error:
            print(error.message)
    await http.aclose()

asyncio.run(ask(int(sys.argv[1])))
"""


async def test_a_certificate_of_an_authority_that_the_machine_trusts_is_accepted_for_its_own_host_only(tmp_path):
    async with ScriptedApp(tls=_self_signed(tmp_path)) as app:
        app.answer_with(lambda request: Answer(body=f"connection {request.connection}"))

        asking = await asyncio.create_subprocess_exec(
            sys.executable, "-c", ASK, str(app.port), env={"SSL_CERT_FILE": str(tmp_path / "app.pem")}, stdout=subprocess.PIPE
        )
        output, _ = await asking.communicate()

    assert output.decode().splitlines() == [
        "connection 1",
        "connection 1",
        "The app could not be reached: the certificate of its server cannot be verified.",
    ]


class UntilTheEnd:
    """Answers without a length, and says that this was all of it, or breaks off."""

    def __init__(self, *, is_told):
        self._is_told = is_told

    async def write(self, reader, writer, *, method):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\npart")
        await writer.drain()
        if not self._is_told:
            writer.transport.abort()
        return False


def test_an_encrypted_answer_without_a_length_ends_where_the_app_says_so_and_nowhere_else(tmp_path, monkeypatch):
    async def ask():
        async with ScriptedApp(tls=_self_signed(tmp_path)) as app:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "app.pem"))
            app.answer(UntilTheEnd(is_told=True), UntilTheEnd(is_told=False))
            http, request = Http(allowed_networks=[ip_network("127.0.0.0/8")]), AppRequest("GET", WebAddress.parse(app.url))

            assert (await http.send(request, max_bytes=100, timeout_seconds=10)).body == b"part"
            with pytest.raises(UpstreamUnavailableError, match="broke off before its end"):
                await http.send(request, max_bytes=100, timeout_seconds=10)

            await http.aclose()

    # On the loop that the gateway runs on: asyncio's own does not tell the two apart.
    run(ask())


def _self_signed(folder) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "app.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
