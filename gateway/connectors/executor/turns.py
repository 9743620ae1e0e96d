"""How many requests of one connection are under way at once."""

import asyncio

from gateway.connectors.format.requests import Http


class Turns:
    """The turns of one connection: all of them, and how many of those are for what nobody waits for."""

    def __init__(self, http: Http) -> None:
        self.all = asyncio.Semaphore(http.concurrency)
        self.background = asyncio.Semaphore(min(http.background_concurrency, http.concurrency))
