"""What a connector is tried with."""

import json
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import ClassVar
from unittest import SkipTest

from gateway.clock import Clock
from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.http import AppRequest, AppResponse, Http
from gateway.connectors.loading import load_connector_file
from gateway.connectors.protocol import Access, Connector
from gateway.errors import GatewayError, UpstreamError, UpstreamUnavailableError
from gateway.models import JsonObject, JsonValue, PageRequest, Pointer, Record, RecordQuery
from gateway.models.queries import EVERYTHING
from gateway.testing.answers import Scripted
from gateway.testing.clock import FakeClock
from gateway.testing.connector_suite.faults import FAULTS
from gateway.testing.scripted_app import Handler, ReceivedRequest, ScriptedApp

_LOOPBACK = (ip_network("127.0.0.0/8"),)
_MOST_PAGES = 2_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LAST_OF_THEIR_KIND = str.maketrans("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "9" * 10 + "f" * 26 + "F" * 26)


@dataclass(frozen=True)
class Subject:
    """A connector, and the connection that it is tried with."""

    connector: Connector
    access: Access
    http: "TappedHttp"


class TappedHttp(Http):
    """The way to the app, on which answers can be given again and again, or get lost."""

    def __init__(self) -> None:
        super().__init__(allowed_networks=_LOOPBACK)
        self._repeats = False
        self._loses = False
        self._answer: AppResponse | None = None
        self.lost_count = 0
        """How many answers got lost."""

    def repeat(self) -> None:
        """From now on the app gives its next answer to whatever it is asked."""
        self._repeats = True

    def lose(self) -> None:
        """From now on the app gets what is written, and nobody gets its answer."""
        self._loses = True

    def find(self) -> None:
        """From now on answers arrive again."""
        self._loses = False

    async def send(self, request: AppRequest, *, max_bytes: int, timeout_seconds: float) -> AppResponse:
        """The app's answer, or the one that is repeated. Raises UpstreamUnavailableError for one that is lost."""
        if self._answer is not None:
            return self._answer
        answer = await super().send(request, max_bytes=max_bytes, timeout_seconds=timeout_seconds)
        self._answer = answer if self._repeats else None
        if self._loses and request.method not in _SAFE_METHODS:
            self.lost_count += 1
            raise UpstreamUnavailableError("The answer got lost.", may_have_been_received=True)
        return answer


class Trial:
    """A connector, its collection and its app, as a test class names them.

    `file` and `collection` always, the rest where it differs. `app` opens an app that is well, by default a scripted one that
    answers by `respond`; the app that has faults is made here. Tests are coroutines, for pytest-asyncio in its auto mode.
    """

    file: ClassVar[Path]
    """The connector file; a connector in Python overrides `connector` instead."""
    collection: ClassVar[Pointer]
    """The collection that is read, with some records in it, and written where `new_fields` are given."""
    auth_method: ClassVar[str] = "none"
    credentials: ClassVar[JsonObject] = {}
    page_size: ClassVar[int] = 7
    """The page size that the list is read with: smaller than the list, so that there are several pages."""
    missing_id: ClassVar[str | None] = None
    """An id that the app could have given and has not; null for one that is made of an id of the list: `c-0041` becomes `f-9999`."""
    new_fields: ClassVar[JsonObject | None] = None
    """The fields of a record to create; null where nothing is to be written."""
    changed_fields: ClassVar[JsonObject] = {}
    """The fields that are changed in it then."""
    faults: ClassVar[Mapping[str, tuple[Scripted, type[UpstreamError]]]] = FAULTS
    """A connector whose app says something otherwise replaces single faults: `{**FAULTS, "403": ...}`."""

    def parameters(self, server: str) -> JsonObject:
        """The connection's parameters for an app at an address."""
        return {"server": server}

    def connector(self, http: Http, clock: Clock) -> Connector:
        """The connector under test."""
        return DeclarativeConnector(load_connector_file(self.file), http, clock=clock)

    def respond(self, request: ReceivedRequest) -> Scripted:
        """What the scripted app answers."""
        raise NotImplementedError("Say what the app answers, or open an app of your own in `app`.")

    @asynccontextmanager
    async def app(self) -> AsyncIterator[str]:
        """The address of an app that is well."""
        async with ScriptedApp() as app:
            app.answer_with(self.respond)
            yield app.url

    def given_new_fields(self) -> JsonObject:
        """The fields of a record to create. Skips the test where there are none."""
        if self.new_fields is None:
            raise SkipTest("The suite is given no fields to write.")
        return self.new_fields

    def missing_beside(self, external_id: str) -> str:
        """An id like this one, which no record has."""
        return self.missing_id or external_id.translate(_LAST_OF_THEIR_KIND)

    async def ids(self, subject: Subject) -> list[str]:
        """The ids of the whole list."""
        return [record.external_id for record in await self.read(subject, size=1000)]

    async def page(self, subject: Subject, *, size: int) -> Sequence[Record]:
        """The first page of the list."""
        return (await subject.connector.records(subject.access, self.collection, PageRequest(size=size))).items

    async def read(self, subject: Subject, *, size: int, most_pages: int = _MOST_PAGES, query: RecordQuery = EVERYTHING) -> list[Record]:
        """The whole list, page by page; each page token goes through JSON, as a client's cursor does."""
        records: list[Record] = []
        token: JsonValue = None
        for _ in range(most_pages):
            page = await subject.connector.records(subject.access, self.collection, PageRequest(size=size, token=token), query)
            records += page.items
            if page.next_token is None:
                return records
            token = json.loads(json.dumps(page.next_token))
        raise AssertionError(f"The list has not ended after {most_pages} pages.")

    @asynccontextmanager
    async def healthy(self) -> AsyncIterator[Subject]:
        """The connector with an app that is well."""
        async with self.app() as server, self._connected(server) as subject:
            yield subject

    @asynccontextmanager
    async def faulty(self, handler: Handler) -> AsyncIterator[tuple[Subject, ScriptedApp]]:
        """The connector with an app that answers every request so."""
        async with ScriptedApp() as app, self._connected(app.url) as subject:
            app.answer_with(handler)
            yield subject, app

    @asynccontextmanager
    async def _connected(self, server: str) -> AsyncIterator[Subject]:
        http = TappedHttp()
        parameters = self.parameters(server)
        access = Access(connection_id="suite", parameters=parameters, auth_method=self.auth_method, credentials=self.credentials)
        try:
            yield Subject(self.connector(http, FakeClock()), access, http)
        finally:
            await http.aclose()


async def error_of(asking: Awaitable[object]) -> GatewayError:
    """What the call ends with, which must be an error of the gateway's own."""
    try:
        await asking
    except GatewayError as error:
        return error
    raise AssertionError("The app has a fault, and nothing was raised.")


def part(fields: JsonObject, *, of: JsonObject) -> JsonObject:
    """The fields that the other object has too."""
    return {name: fields.get(name) for name in of}
