import socket
from ipaddress import ip_address, ip_network

import pytest

from gateway.connectors.http import AppRequest, Http, WebAddress
from gateway.connectors.http.addresses import AddressBlockedError, guarded_socket_factory, is_reachable
from gateway.errors import UpstreamRejectedError, UpstreamUnavailableError

PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::8.8.8.8", "2002:808:808::1", "::ffff:8.8.8.8"]
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001::1",
    "2001:db8::1",
    "100::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reachable(address):
    assert is_reachable(ip_address(address), allowed_networks=())


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_reachable(address):
    assert not is_reachable(ip_address(address), allowed_networks=())


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::1"])
def test_an_allowed_network_is_reachable_in_every_spelling_of_its_addresses(address):
    assert is_reachable(ip_address(address), allowed_networks=[ip_network("10.0.0.0/8")])


@pytest.mark.parametrize("address", ["11.0.0.1", "127.0.0.1", "fd00::1"])
def test_an_allowed_network_opens_nothing_beside_it(address):
    is_public = address == "11.0.0.1"

    assert is_reachable(ip_address(address), allowed_networks=[ip_network("10.0.0.0/8")]) is is_public


def test_an_allowed_ipv6_network_is_reachable():
    assert is_reachable(ip_address("fd12::1"), allowed_networks=[ip_network("fd12::/16")])


def test_the_scope_of_an_address_does_not_hide_it():
    make_socket = guarded_socket_factory(())

    with pytest.raises(AddressBlockedError):
        make_socket((socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("fe80::1%lo", 80, 0, 0)))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.1",
        "127.0.0.1.",
        "127。0。0。1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1%25lo]",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
    ],
)
async def test_no_spelling_of_a_private_host_connects(app, host):
    http = Http()

    with pytest.raises(UpstreamRejectedError):
        await http.send(AppRequest("GET", WebAddress.parse(f"http://{host}:{app.port}/")), max_bytes=1, timeout_seconds=5)

    assert app.connection_count == 0
    await http.aclose()


async def test_a_blocked_host_is_named_as_given_and_the_setting_with_it(app):
    http = Http()

    with pytest.raises(UpstreamRejectedError) as refused:
        await http.send(AppRequest("GET", WebAddress.parse(f"http://localhost:{app.port}/")), max_bytes=1, timeout_seconds=5)

    assert refused.value.message == (
        "The app at 'localhost' is inside a private network, which this gateway may not reach. If that is wanted, its operator adds"
        " the network to GATEWAY_ALLOWED_NETWORKS."
    )
    await http.aclose()


async def test_a_name_that_resolves_to_an_allowed_address_connects(app):
    http = Http(allowed_networks=[ip_network("127.0.0.0/8")])
    app.answer(body="hello")

    response = await http.send(AppRequest("GET", WebAddress.parse(f"http://localhost:{app.port}/")), max_bytes=10, timeout_seconds=5)

    assert response.body == b"hello"
    await http.aclose()


async def test_a_name_that_resolves_to_nothing_was_never_sent_to(http):
    with pytest.raises(UpstreamUnavailableError, match="not known to DNS") as failed:
        await http.send(AppRequest("GET", WebAddress.parse("http://nowhere.invalid/")), max_bytes=1, timeout_seconds=10)

    assert not failed.value.may_have_been_received


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example", "1.2.3.4.5", "%31%32%37.0.0.1"])
async def test_a_host_that_is_none_is_refused_or_not_found(http, host):
    with pytest.raises((UpstreamRejectedError, UpstreamUnavailableError)) as failed:
        await http.send(AppRequest("GET", WebAddress.parse(f"http://{host}/")), max_bytes=1, timeout_seconds=10)

    assert not getattr(failed.value, "may_have_been_received", False)


async def test_no_proxy_of_the_environment_is_asked(app, http, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    app.answer(body="direct")

    assert (await http.send(AppRequest("GET", WebAddress.parse(app.url)), max_bytes=10, timeout_seconds=5)).body == b"direct"
