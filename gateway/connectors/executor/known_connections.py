"""What the requests of a connection have in common."""

from dataclasses import replace
from functools import cached_property

from gateway.clock import Clock
from gateway.connectors.executor.hosts import Hosts, hosts_of
from gateway.connectors.executor.identity import Identity
from gateway.connectors.executor.names import Names, shared_names
from gateway.connectors.executor.reads import Reads
from gateway.connectors.executor.sending import Sender
from gateway.connectors.executor.tokens import Tokens
from gateway.connectors.executor.unread_pages import Unread
from gateway.connectors.format.auth import JwtAuth, SessionAuth
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.operation import Operation
from gateway.connectors.protocol import Access
from gateway.models import Record


class KnownConnection:
    """What is made of a connection once, and then part of each of its requests."""

    def __init__(self, file: ConnectorFile, access: Access, *, clock: Clock, sender: Sender, tokens: Tokens, reads: Reads) -> None:
        self.file = file
        self.names: Names = shared_names(file, access)
        """What every expression of its requests sees."""
        self.clock = clock
        self.sender = sender
        self.reads = reads
        self.unread: dict[tuple[int, frozenset[str]], Unread[Record] | None] = {}
        """By the identity of a list's operation and the parts that are read: how its pages are read; null where that is whole."""
        self._tokens = tokens
        # A copy: whose operation it is ends before the connection, and what is made of the access is this very object.
        self._access = replace(access, operation=Operation())
        has_tokens = isinstance(file.auth.get(access.auth_method), SessionAuth | JwtAuth)
        self._identity = None if has_tokens else self._new_identity()

    @cached_property
    def hosts(self) -> Hosts:
        """Where requests may go. Raises UpstreamRejectedError when the connection's parameters give no address."""
        return hosts_of(self.file.http, self.names)

    @cached_property
    def reader(self) -> bytes:
        """Names the connection among those who read."""
        return self.reads.keys.of_reader(self.file, self._access)

    def identity(self) -> Identity:
        """Who the requests of one read come from; the same for all reads where that takes no token."""
        return self._identity or self._new_identity()

    def _new_identity(self) -> Identity:
        return Identity(self.file, self._access, names=self.names, tokens=self._tokens, now=self.clock.now)
