"""What tells one read of an app from another, without telling what is in it."""

import hashlib
import secrets
from typing import Any

from gateway.connectors.executor.names import Names
from gateway.connectors.executor.requests import Outgoing
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.requests import Http
from gateway.connectors.protocol import Access

_SIZE = 32


class ReadKeys:
    """Makes the keys of one process: with another secret in each, so that nobody can try out what is behind one."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(_SIZE)

    def of_reader(self, file: ConnectorFile, access: Access) -> bytes:
        """Names who reads: the connection with all that its requests, and what proves who sends them, may depend on."""
        parts = [
            file.key,
            file.version,
            access.connection_id,
            access.auth_method,
            sorted(access.credentials.items()),
            sorted(access.parameters.items()),
            sorted(access.integration_parameters.items()),
        ]
        return _digest(parts, secret=self._secret)


def key_of_read(reader: bytes, ready: Outgoing, http: Http, names: Names) -> bytes:
    """Names one request of a reader; by those of the `names` too that the connector's rules for answers read beside the answer."""
    # The reader's name is made of a secret, and is one.
    url = ready.url
    read = [(name, names[name]) for name in http.names_of_rules if name in names]
    parts = [ready.method, ready.is_graphql, url.scheme, url.host, url.port, url.target, ready.headers, ready.content, read]
    return _digest(parts, secret=reader)


def _digest(parts: list[Any], *, secret: bytes) -> bytes:
    # By how Python writes them: texts, bytes, numbers and what is made of them are written alike only where they are equal.
    return hashlib.blake2b(repr(parts).encode(), key=secret, digest_size=_SIZE).digest()
