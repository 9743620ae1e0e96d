"""What each fault of connecting to an app means to us. None of them lets a byte of a request reach the app."""

import socket
import ssl
from collections.abc import Mapping

from gateway.connectors.http.addresses import AddressBlockedError
from gateway.errors import UpstreamError, UpstreamRejectedError, UpstreamUnavailableError

UNAVAILABLE: Mapping[type[BaseException], str] = {
    OSError: "its server does not accept a connection.",
    TimeoutError: "connecting to its server took too long.",
    socket.gaierror: "the name of its server is not known to DNS.",
    ssl.SSLError: "no encrypted connection could be agreed on with its server.",
    ssl.SSLCertVerificationError: "the certificate of its server cannot be verified.",
}
"""How the sentence ends that tells of a fault, by its nearest class."""

TRANSLATED = (OSError, UnicodeError)
"""What to catch where a connection is made."""


def translate(error: BaseException, *, host: str) -> UpstreamError:
    """The error to raise for a fault. Raise it `from None`: what the system says may hold an address."""
    if isinstance(error, AddressBlockedError):
        return blocked(host)
    if isinstance(error, UnicodeError):
        return UpstreamRejectedError("The address of the app is not a host name, nor an IP address in its usual form. Correct it.")
    reason = next(UNAVAILABLE[base] for base in type(error).__mro__ if base in UNAVAILABLE)
    return UpstreamUnavailableError(f"The app could not be reached: {reason}", may_have_been_received=False)


def blocked(host: str) -> UpstreamRejectedError:
    """The error for a host whose addresses are all private."""
    return UpstreamRejectedError(
        f"The app at {host!r} is inside a private network, which this gateway may not reach. If that is wanted, its operator"
        " adds the network to GATEWAY_ALLOWED_NETWORKS."
    )


def shutting_down() -> UpstreamUnavailableError:
    """The error of what is sent too late."""
    return UpstreamUnavailableError(
        "The gateway is shutting down and sends no more requests.", may_have_been_received=False, is_apps_fault=False
    )
