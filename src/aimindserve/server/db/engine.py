"""The database: one engine, read sessions, and units of work.

A unit of work is the only place that commits. Writers are serialised (on SQLite by a lock here and ``BEGIN
IMMEDIATE``, on PostgreSQL by an advisory lock), which makes both databases behave alike: no serialisation failures,
and event ids in commit order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Thread
from typing import Any
from weakref import WeakSet

import aiosqlite
from sqlalchemy import PoolResetState, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from aimindserve.server.db.tables import EventRow
from aimindserve.server.events import EventBus

_BUSY_MILLISECONDS = 15_000
# Any fixed number; it only has to differ from other users of the same PostgreSQL server.
_WRITER_LOCK = 0x41494D53
_WROTE = "wrote"
_THREAD_SECONDS = 20  # a little longer than a writer waits for the lock


class UnrecordedChangeError(RuntimeError):
    """A unit of work changed rows without recording an event, and did not declare itself quiet."""


class UnitOfWork:
    """One transaction that writes. ``session`` is open until the end of the ``async with``."""

    def __init__(self, session: AsyncSession, actor: str, now: float) -> None:
        self.session = session
        self.actor = actor
        self.now = now
        self.events = 0

    def record(self, kind: str, *, subject: str = "", deployment: str | None = None, **payload: Any) -> None:
        """Adds the event that tells of this change. ``deployment`` is a deployment's name."""
        self.session.add(
            EventRow(
                at=self.now,
                kind=kind,
                deployment=deployment,
                subject=subject,
                actor=self.actor,
                payload=payload,
            )
        )
        self.events += 1


class Database:
    """Sessions on one engine. ``clock`` gives Unix seconds, ``threads`` are those in which SQLite works."""

    def __init__(
        self, engine: AsyncEngine, bus: EventBus, clock: Callable[[], float], threads: WeakSet[Thread]
    ) -> None:
        self.engine = engine
        self.bus = bus
        self._clock = clock
        self._writer = asyncio.Lock()
        self._writing = engine.execution_options(sqlite_begin="IMMEDIATE")
        self._threads = threads

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for one consistent look. Changes made in it are dropped."""
        async with AsyncSession(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @asynccontextmanager
    async def unit_of_work(self, actor: str = "system", *, quiet: bool = False) -> AsyncIterator[UnitOfWork]:
        """A transaction that commits at the end of the block, or leaves nothing behind when the block raises.

        Every change needs an event of its own (``UnitOfWork.record``), except in ``quiet`` units: usage, telemetry and
        "last seen" times, which nobody follows row by row. Listeners are woken after the commit. No network inside.
        """
        async with self._writer, AsyncSession(self._writing, expire_on_commit=False) as session:
            if not self.is_sqlite:
                await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITER_LOCK})
            work = UnitOfWork(session, actor, self._clock())
            yield work
            await session.flush()
            if session.info.get(_WROTE) and not work.events and not quiet:
                raise UnrecordedChangeError
            await session.commit()
        if work.events:
            self.bus.wake()

    async def close(self) -> None:
        """Closes all connections. SQLite's threads end before this returns: SQLAlchemy leaves those of cancelled
        statements to themselves, and one that answers after the event loop has closed dies with an error."""
        await self.engine.dispose()
        await asyncio.gather(*(asyncio.to_thread(thread.join, _THREAD_SECONDS) for thread in self._threads))


def connect(url: str, bus: EventBus, clock: Callable[[], float]) -> Database:
    """Opens the database at ``url`` (``sqlite+aiosqlite:///path`` or ``postgresql+asyncpg://…``). Connects lazily."""
    parsed = make_url(url)
    threads = WeakSet[Thread]()
    if parsed.get_backend_name() == "sqlite":
        connecting = {"async_creator_fn": _opens_sqlite(threads)}
        engine = create_async_engine(parsed, pool_size=4, max_overflow=4, connect_args=connecting)
        prepare_sqlite(engine)
    else:
        engine = create_async_engine(parsed, pool_size=5, max_overflow=5, pool_pre_ping=True)
    return Database(engine, bus, clock, threads)


def _opens_sqlite(threads: WeakSet[Thread]) -> Callable[..., aiosqlite.Connection]:
    """What opens a connection and notes its thread in ``threads``."""

    def opened(*args: Any, **options: Any) -> aiosqlite.Connection:
        connection = aiosqlite.connect(*args, **options)
        thread = connection._thread  # noqa: SLF001  # as SQLAlchemy does, to make it a daemon
        thread.daemon = True
        threads.add(thread)
        return connection

    return opened


def prepare_sqlite(engine: AsyncEngine) -> None:
    """Makes SQLite durable (WAL, synchronous FULL), strict about foreign keys, patient with other processes, and
    leaves the start of transactions to us."""

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -2048")
        cursor.close()

    @event.listens_for(engine.sync_engine, "reset")
    def on_reset(connection: Any, _record: Any, state: PoolResetState) -> None:
        # After a COMMIT that failed, SQLAlchemy takes the transaction for ended, while SQLite still holds it open:
        # the next commit on this connection would store what was reported as failed.
        if not state.terminate_only:
            connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


@event.listens_for(Session, "after_flush")
def _note_flush(session: Session, _context: UOWTransaction) -> None:
    if any(not isinstance(row, EventRow) for row in (*session.new, *session.dirty, *session.deleted)):
        session.info[_WROTE] = True


@event.listens_for(Session, "do_orm_execute")
def _note_statement(state: ORMExecuteState) -> Any:
    """Guarded updates that match no row are no change."""
    if state.is_select or not (state.is_insert or state.is_update or state.is_delete):
        return None
    result = state.invoke_statement()
    if getattr(result, "rowcount", 1) != 0:
        state.session.info[_WROTE] = True
    return result
