"""What each fault of the HTTP library means to us."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import aiohttp
from aiohttp import client_exceptions, http_exceptions

from gateway.connectors.http.addresses import AddressBlockedError
from gateway.errors import UpstreamError, UpstreamRejectedError, UpstreamResponseError, UpstreamUnavailableError


class Meaning(Enum):
    """What a fault lets us say of the request."""

    NEVER_SENT = "no byte of the request reached the app"
    MAYBE_SENT = "the app may have received the request, and may have acted on it"
    BAD_ANSWER = "the app answered, and not with HTTP that can be read"
    REFUSED = "the request cannot be sent as it is"


@dataclass(frozen=True, slots=True)
class Fault:
    """A meaning, and the sentence for whoever reads the error."""

    meaning: Meaning
    message: str


_UNREACHABLE = Fault(Meaning.NEVER_SENT, "The app could not be reached: its server does not accept a connection.")
_UNKNOWN_HOST = Fault(Meaning.NEVER_SENT, "The app could not be reached: the name of its server is not known to DNS.")
_NO_TLS = Fault(Meaning.NEVER_SENT, "The app could not be reached: no encrypted connection could be agreed on with its server.")
_BAD_CERTIFICATE = Fault(Meaning.NEVER_SENT, "The app could not be reached: the certificate of its server cannot be verified.")
_PROXY = Fault(Meaning.NEVER_SENT, "The app could not be reached: the proxy before it did not connect.")
_CONNECT_TIMEOUT = Fault(Meaning.NEVER_SENT, "The app could not be reached: connecting to its server took too long.")
_TIMEOUT = Fault(Meaning.MAYBE_SENT, "The app did not answer in time.")
_LOST = Fault(Meaning.MAYBE_SENT, "The connection to the app was lost before it answered.")
_CUT_OFF = Fault(Meaning.MAYBE_SENT, "The app's answer broke off before its end.")
_NOT_HTTP = Fault(Meaning.BAD_ANSWER, "The app's answer is not valid HTTP, or its headers are too large to read.")
_BAD_ADDRESS = Fault(Meaning.REFUSED, "The address of the app is not a host name, nor an IP address in its usual form. Correct it.")
_REDIRECTED = Fault(Meaning.BAD_ANSWER, "The app redirects to an address that cannot be followed.")

FAULTS: Mapping[type[BaseException], Fault] = {
    # Before the connection stands.
    client_exceptions.ClientConnectorError: _UNREACHABLE,
    client_exceptions.UnixClientConnectorError: _UNREACHABLE,
    client_exceptions.ClientConnectorDNSError: _UNKNOWN_HOST,
    client_exceptions.ClientSSLError: _NO_TLS,
    client_exceptions.ClientConnectorSSLError: _NO_TLS,
    client_exceptions.ClientConnectorCertificateError: _BAD_CERTIFICATE,
    client_exceptions.ServerFingerprintMismatch: _BAD_CERTIFICATE,
    client_exceptions.ClientProxyConnectionError: _PROXY,
    client_exceptions.ClientHttpProxyError: _PROXY,
    client_exceptions.ConnectionTimeoutError: _CONNECT_TIMEOUT,
    # On a connection that stood.
    client_exceptions.ClientError: _LOST,
    client_exceptions.ClientConnectionError: _LOST,
    client_exceptions.ClientConnectionResetError: _LOST,
    client_exceptions.ClientOSError: _LOST,
    client_exceptions.ServerConnectionError: _LOST,
    client_exceptions.ServerDisconnectedError: _LOST,
    client_exceptions.UploadAbortedError: _LOST,
    client_exceptions.ServerTimeoutError: _TIMEOUT,
    client_exceptions.SocketTimeoutError: _TIMEOUT,
    client_exceptions.ClientPayloadError: _CUT_OFF,
    OSError: _LOST,
    asyncio.TimeoutError: _TIMEOUT,
    # In the answer.
    client_exceptions.ClientResponseError: _NOT_HTTP,
    client_exceptions.ContentTypeError: _NOT_HTTP,
    client_exceptions.WSServerHandshakeError: _NOT_HTTP,
    client_exceptions.WSMessageTypeError: _NOT_HTTP,
    client_exceptions.TooManyRedirects: _REDIRECTED,
    client_exceptions.RedirectClientError: _REDIRECTED,
    client_exceptions.InvalidUrlRedirectClientError: _REDIRECTED,
    client_exceptions.NonHttpUrlRedirectClientError: _REDIRECTED,
    http_exceptions.HttpProcessingError: _NOT_HTTP,
    # In the request.
    client_exceptions.InvalidURL: _BAD_ADDRESS,
    client_exceptions.InvalidUrlClientError: _BAD_ADDRESS,
    client_exceptions.NonHttpUrlClientError: _BAD_ADDRESS,
    UnicodeError: _BAD_ADDRESS,  # From the resolver, for an empty label and one of more than 63 characters.
}
"""Every exception class of the library's client, and those of the system below it; a test holds it complete."""

TRANSLATED = (aiohttp.ClientError, http_exceptions.HttpProcessingError, client_exceptions.WSMessageTypeError, OSError, UnicodeError)
"""What to catch around a call of the library. TimeoutError is an OSError."""


def translate(error: BaseException, *, host: str, is_sent: bool) -> UpstreamError:
    """The error to raise for a fault, from the row of its nearest class.

    `is_sent` is false where it is certain that no byte was written; then no fault can mean that the app has the request.
    """
    if isinstance(error.__cause__, AddressBlockedError):
        return blocked(host)

    fault = fault_of(type(error))
    match fault.meaning:
        case Meaning.REFUSED:
            return UpstreamRejectedError(fault.message)
        case Meaning.BAD_ANSWER:
            return UpstreamResponseError(fault.message, may_have_been_received=is_sent)
        case Meaning.NEVER_SENT:
            return UpstreamUnavailableError(fault.message, may_have_been_received=False)
        case Meaning.MAYBE_SENT:
            return UpstreamUnavailableError(fault.message, may_have_been_received=is_sent)


def fault_of(error: type[BaseException]) -> Fault:
    """The row of the nearest class."""
    return next(FAULTS[base] for base in error.__mro__ if base in FAULTS)


def blocked(host: str) -> UpstreamRejectedError:
    """The error for a host whose addresses are all private."""
    return UpstreamRejectedError(
        f"The app at {host!r} is inside a private network, which this gateway may not reach. If that is wanted, its operator"
        " adds the network to GATEWAY_ALLOWED_NETWORKS."
    )
