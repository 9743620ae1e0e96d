"""Which network addresses a request may reach: public ones, and the private ones that the operator allows.

The check sits where the socket is made, after every name is resolved and every spelling of an address is understood, so
that there is nothing between the check and the connection.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from aiohappyeyeballs import AddrInfoType

from gateway.config import Network

Address = IPv4Address | IPv6Address

NEVER_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's platform services, on every virtual machine.
        "192.0.0.0/24",  # IETF assignments (RFC 6890); Oracle's cloud keeps its metadata service here.
        "192.88.99.0/24",  # 6to4 relays (RFC 7526).
        "::/96",  # IPv4-compatible addresses (RFC 4291, 2.5.5.1).
        "::ffff:0:0:0/96",  # IPv4-translated addresses (RFC 2765).
        "64:ff9b:1::/48",  # NAT64 inside one network (RFC 8215).
        "3fff::/20",  # Documentation (RFC 9637).
        "5f00::/16",  # Segment routing inside one network (RFC 9602).
        "fec0::/10",  # Site-local (RFC 3879).
    )
)
"""Networks that `ipaddress` of some Python 3.11 or later takes for global, and that no public app is in."""

NAT64 = IPv6Network("64:ff9b::/96")


class AddressBlockedError(OSError):
    """The address is inside a network that the operator does not allow."""


def is_reachable(address: Address, *, allowed_networks: Sequence[Network]) -> bool:
    """Whether a request may go to the address. An IPv6 address that carries an IPv4 address is judged by both."""
    if any(address in network for network in allowed_networks):
        return True

    carried = _carried_address(address)
    if carried is not None:
        return is_reachable(carried, allowed_networks=allowed_networks)
    return address.is_global and not address.is_multicast and not any(address in network for network in NEVER_PUBLIC)


def guarded_socket_factory(allowed_networks: Sequence[Network]) -> Callable[[AddrInfoType], socket.socket]:
    """Makes sockets for reachable addresses only, and raises AddressBlockedError for all others."""

    def make_socket(address_info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, socket_address = address_info
        # A scope, as in `fe80::1%eth0`, names an interface of this machine and not a place.
        address = ip_address(str(socket_address[0]).partition("%")[0])
        if not is_reachable(address, allowed_networks=allowed_networks):
            # Without the address: aiohappyeyeballs keeps an error as it is only where all attempts failed with the same text.
            raise AddressBlockedError("The address is not allowed.")
        return socket.socket(family, kind, protocol)

    return make_socket


def _carried_address(address: Address) -> IPv4Address | None:
    """The IPv4 address that a gateway on the way would send to."""
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
