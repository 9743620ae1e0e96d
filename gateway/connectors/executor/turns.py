"""How many requests of one connection are under way at once."""

from gateway.connectors.format.requests import Http
from gateway.connectors.turns import Turns


class ConnectionTurns:
    """The turns of one connection: all of them, and how many of those are for what nobody waits for."""

    def __init__(self, http: Http) -> None:
        self.all = Turns(http.concurrency)
        self.background = Turns(min(http.background_concurrency, http.concurrency))
