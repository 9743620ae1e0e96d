"""What addresses the names of hosts stand for."""

import asyncio
import socket
from collections.abc import Sequence
from functools import partial

from aiohappyeyeballs import AddrInfoType

_KEPT_SECONDS = 10.0
# Long enough for many connections that are made at once, and nothing against how long DNS itself keeps what it was told.


class Lookups:
    """The addresses of hosts, looked up once for all who ask at about the same time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lookups: dict[tuple[str, int], asyncio.Task[Sequence[AddrInfoType]]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[AddrInfoType]:
        """Where to connect to. Raises socket.gaierror for a name that stands for nothing, and UnicodeError for what is no name."""
        place = host, port
        lookup = self._lookups.get(place)
        if lookup is None:
            # A task of its own: whoever began it may leave before the others.
            lookup = self._lookups[place] = self._loop.create_task(_looked_up(host, port))
            lookup.add_done_callback(partial(self._found, place))
        return await asyncio.shield(lookup)

    def _found(self, place: tuple[str, int], lookup: "asyncio.Task[Sequence[AddrInfoType]]") -> None:
        if lookup.cancelled() or lookup.exception() is not None:
            del self._lookups[place]
        else:
            self._loop.call_later(_KEPT_SECONDS, self._lookups.pop, place)


async def _looked_up(host: str, port: int) -> Sequence[AddrInfoType]:
    return await asyncio.get_running_loop().getaddrinfo(_as_the_system_spells(host), port, type=socket.SOCK_STREAM)


def _as_the_system_spells(host: str) -> str:
    if ":" in host:
        # The sign before a scope is encoded in an address of the web (RFC 6874).
        return host.replace("%25", "%")
    undotted = host.rstrip(".")
    # What ends in a number is an IPv4 address, of which the system takes a final dot for a part of a name.
    return undotted if undotted.rpartition(".")[2].isdigit() else host
