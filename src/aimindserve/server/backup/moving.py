"""Rows of an SQLite file into PostgreSQL: a restore there, and the move of a whole installation."""

import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from aimindserve.domain.archives import TableSum
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.node.archive import ArchiveError
from aimindserve.server.backup.making import DATABASE_NAME, dump, open_copy, sqlite_url, work_folder
from aimindserve.server.backup.rows import copy_tables, drop_tables, has_tables, revision_of, sum_tables
from aimindserve.server.db.engine import connect
from aimindserve.server.db.migrate import MIGRATION_LOCK, make_schema
from aimindserve.server.events import EventBus
from aimindserve.server.settings import Settings, without_password


def is_sqlite(settings: Settings) -> bool:
    """Whether the database is a file of the data folder."""
    return make_url(settings.database_url).get_backend_name() == "sqlite"


async def holds_rows(settings: Settings) -> str | None:
    """The address of the configured database when it has a schema of ours, None when it is empty.

    Raises:
        SQLAlchemyError, OSError: it cannot be reached.
    """
    database = connect(settings.database_url, EventBus(), time.time)
    try:
        async with database.engine.connect() as connection:
            there = await connection.run_sync(has_tables)
    finally:
        await database.close()
    return without_password(settings.database_url) if there else None


async def load(file: Path, settings: Settings) -> dict[str, TableSum]:
    """All rows of the SQLite file ``file`` in place of what the configured PostgreSQL database holds of ours, in one
    transaction; they are counted and compared before it is committed. Returns what was compared.

    Raises:
        ArchiveError: what arrived is not what was sent; nothing was changed.
        SQLAlchemyError, OSError: a database does not work; nothing was changed.
    """
    with open_copy(file) as copy:
        revision, sent = revision_of(copy) or "", sum_tables(copy)
    source = connect(sqlite_url(file), EventBus(), time.time)
    target = connect(settings.database_url, EventBus(), time.time)
    try:
        async with source.engine.connect() as read, target.engine.begin() as write:
            await write.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            await write.run_sync(drop_tables)
            await write.run_sync(make_schema, revision)
            if read.sync_connection is not None:
                rows = read.sync_connection
                await write.run_sync(lambda into: copy_tables(rows, into))
            arrived = await write.run_sync(sum_tables)
            for name in sorted({*sent, *arrived}):
                if sent.get(name) != arrived.get(name):
                    raise ArchiveError(reason(ReasonCode.COPY_DIFFERS, table=name))
    finally:
        await source.close()
        await target.close()
    return arrived


async def move(settings: Settings, target: Settings) -> dict[str, TableSum]:
    """Copies the SQLite database of ``settings`` into the empty PostgreSQL database of ``target``. Call it while no
    server runs. The source is not touched. Returns number and checksum of each table's rows, the same on both sides.

    Raises:
        ArchiveError: there is nothing to move, the target is not empty, or what arrived differs.
        SQLAlchemyError, OSError: a database does not work; the target is as it was.
    """
    if not is_sqlite(settings) or is_sqlite(target):
        raise ArchiveError(reason(ReasonCode.MOVE_NOT_POSSIBLE, path=without_password(settings.database_url)))
    if (there := await holds_rows(target)) is not None:
        raise ArchiveError(reason(ReasonCode.DATABASE_NOT_EMPTY, path=there))
    with work_folder(settings) as folder:
        await dump(settings, folder / DATABASE_NAME)
        return await load(folder / DATABASE_NAME, target)
