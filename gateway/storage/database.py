"""The database: sessions to read and write in, its schema, and whether it answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import InternalError, NotAuthenticatedError
from gateway.models import Principal
from gateway.storage import engines, faults, schema, scope
from gateway.storage.recent import RecentReads
from gateway.storage.scope import ScopedSession

Value = TypeVar("Value")


class Database:
    """One database, embedded (SQLite) or shared by replicas (PostgreSQL); long-lived, one per process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        scope.watch(engine.sync_engine)
        self._is_sqlite = engines.is_sqlite(engine.url)
        # SQLite's readers see one moment by themselves.
        self._readers = engine if self._is_sqlite else engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # One statement sees one moment by itself: without a transaction around it, two of three trips to the database are saved.
        self._single_readers = engine.execution_options(
            **({engines.NO_TRANSACTION: True} if self._is_sqlite else {"isolation_level": "AUTOCOMMIT"})
        )
        self._writers = engine.execution_options(**{engines.WRITE: True})
        self._recent = RecentReads(engines.file_of(engine.url)) if self._is_sqlite else None
        self.recent: Callable[[Hashable], Any] = self._recent.known if self._recent is not None else _nothing
        """What `remembered` would give for a key without reading; null where it would read."""
        # SQLite has one writer at a time: waiting here is fair and cheap, waiting in the file is neither.
        self._writer_turn = asyncio.Lock()
        self._writing: set[asyncio.Task[Any] | None] = set()

    @classmethod
    def connect(cls, url: str) -> "Database":
        """The database at a URL; nothing is opened before the first session.

        Raises ConfigurationError when the URL cannot be used.
        """
        return cls(engines.create_engine(engines.parse_url(url)))

    @asynccontextmanager
    async def read(self, principal: Principal) -> AsyncIterator[AsyncSession]:
        """A session that sees what the principal may see, at one moment, and refuses to write.

        Its rows stay readable after it ends. Raises NotAuthenticatedError when nobody in particular asks.
        """
        async with self._session(self._readers, principal=principal, is_read_only=True) as session:
            yield session

    @asynccontextmanager
    async def read_once(self, principal: Principal) -> AsyncIterator[AsyncSession]:
        """The same for one statement, which costs less; another is refused with InternalError, as it might see another moment."""
        async with self._session(self._single_readers, principal=principal, is_read_only=True, is_single=True) as session:
            yield session

    async def remembered(self, key: Hashable, read: Callable[[], Awaitable[Value]]) -> Value:
        """What `read` gives, perhaps without reading: only where nothing was committed since it gave the same, which SQLite can tell.

        `key` says what is read, and for whom. What it gives is shared, and not to be changed.
        """
        return await (read() if self._recent is None else self._recent.read(key, read))

    @asynccontextmanager
    async def write(self, principal: Principal) -> AsyncIterator[AsyncSession]:
        """One unit of work among what the principal may see: committed when the block ends, undone when it raises.

        Raises ConflictError when a row was changed by another since it was read, NotAuthenticatedError when nobody in
        particular asks, and lets IntegrityError through (`faults.is_unique_violation` reads it). After an error
        its rows are not readable any more. Nesting two raises InternalError.
        """
        async with self._turn(), self._session(self._writers, principal=principal, is_read_only=False) as session:
            yield session
            await session.commit()

    async def migrate(self) -> None:
        """Brings the schema up to date; safe when several processes do so at once.

        Raises ConfigurationError when the database cannot be reached, or belongs to a newer gateway.
        """
        await schema.upgrade(self.engine)

    async def check(self) -> None:
        """Returns when the database answers and its schema is this gateway's; raises ConfigurationError when not."""
        await schema.check(self.engine)

    async def close(self) -> None:
        """Closes every connection; sessions must have ended."""
        if self._recent is not None:
            self._recent.close()
        await self.engine.dispose()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if task in self._writing:
            # It would wait for itself on SQLite, and be two units of work on PostgreSQL.
            raise InternalError("A unit of work began inside another. Pass the session on instead.")
        self._writing.add(task)
        turn: AbstractAsyncContextManager[object] = self._writer_turn if self._is_sqlite else nullcontext()
        try:
            async with turn:
                yield
        finally:
            self._writing.discard(task)

    @asynccontextmanager
    async def _session(
        self, engine: AsyncEngine, *, principal: Principal, is_read_only: bool, is_single: bool = False
    ) -> AsyncIterator[AsyncSession]:
        if not principal.is_authenticated:
            raise NotAuthenticatedError("Nobody is signed in. Send a valid token in the Authorization header.")
        session = AsyncSession(
            engine,
            sync_session_class=ScopedSession,
            principal=principal,
            is_read_only=is_read_only,
            is_single=is_single,
            expire_on_commit=False,
        )
        with faults.translated():
            async with session:
                yield session


def _nothing(_key: Hashable) -> None:
    return None
