"""Making a backup: a copy of the database in one consistent state, and the files that it is worth nothing without."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from aimindserve import __version__
from aimindserve.domain.archives import BackupManifest
from aimindserve.domain.paths import DataPaths, settings_file
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.node.archive import ArchiveError, entry_of, pack, unpack
from aimindserve.server.backup.rows import copy_tables, revision_of, sum_tables
from aimindserve.server.db.engine import Database, connect
from aimindserve.server.db.migrate import current_revision, make_schema
from aimindserve.server.db.migrations import REVISIONS
from aimindserve.server.events import EventBus
from aimindserve.server.files import replace_private_file
from aimindserve.server.settings import SECRET_NAMES, Settings, load_settings, without_password

DATABASE_NAME = "database.sqlite"
# Copies in the making lie in folders of this name in the data folder; a kill may leave one behind.
WORK_PREFIX = ".backup-"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made and verified."""

    path: Path
    manifest: BackupManifest


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """A private folder on the disk of the data folder, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=settings.data_dir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def make_backup(settings: Settings, target: Path, *, config: Path | None = None, replace: bool = False) -> Backup:
    """Writes the backup ``target`` (mode 0600). It gets its name only after it was restored into a temporary place and
    found whole. The server may run. ``config``: a configuration file to take along.

    Raises:
        ArchiveError: there is nothing to back up, something is in the way, or the copy is not whole.
        SQLAlchemyError, OSError: the database or a disk does not work; nothing is left behind.
    """
    if not replace:
        _refuse_existing(target)
    fresh = target.with_name(f".{target.name[:200]}.new")
    with work_folder(settings) as folder:
        database = folder / "made" / DATABASE_NAME
        database.parent.mkdir(mode=0o700)
        kind = await dump(settings, database)
        manifest, files = await asyncio.to_thread(_listed, settings, database, kind, config)
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        try:
            await asyncio.to_thread(pack, fresh, manifest, files, secret=True)
            (folder / "tried").mkdir(mode=0o700)
            await asyncio.to_thread(unpack_checked, fresh, folder / "tried")
            _hand_over(fresh, Path(settings.data_dir))
            fresh.replace(target)
        except (OSError, ArchiveError):
            fresh.unlink(missing_ok=True)
            raise
    return Backup(target, manifest)


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise ArchiveError(reason(ReasonCode.FILE_EXISTS, path=str(target)))


def _hand_over(path: Path, data: Path) -> None:
    """Root works for the account that owns the data folder: in a folder of that account it is that account's."""
    owner = data.stat()
    if os.geteuid() == 0 and owner.st_uid == path.parent.stat().st_uid:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


async def dump(settings: Settings, target: Path) -> str:
    """One consistent state of the database as a new SQLite file. Returns where it came from.

    Raises:
        ArchiveError: there is no database yet, or its schema is not known here.
        SQLAlchemyError, OSError: it cannot be read, or the copy not written.
    """
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        await asyncio.to_thread(_copy_sqlite, Path(url.database or ""), target, settings)
        return "sqlite"
    source = connect(settings.database_url, EventBus(), time.time)
    copy = connect(sqlite_url(target), EventBus(), time.time)
    try:
        await _copy_rows(source, copy, settings)
    finally:
        await source.close()
        await copy.close()
    await asyncio.to_thread(_one_file, target)
    return "postgresql"


def sqlite_url(file: Path) -> str:
    """The address of an SQLite file."""
    return f"sqlite+aiosqlite:///{file}"


def _copy_sqlite(file: Path, target: Path, settings: Settings) -> None:
    if not file.is_file() or file.stat().st_size == 0:
        raise ArchiveError(reason(ReasonCode.NOTHING_STORED, path=settings.data_dir))
    try:
        with closing(sqlite3.connect(file, timeout=15.0)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise ArchiveError(reason(ReasonCode.DATABASE_DAMAGED, path=str(file), detail=str(error))) from error
    _one_file(target)


def _one_file(database: Path) -> None:
    """All of it in one file, without a log beside it."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


async def _copy_rows(source: Database, copy: Database, settings: Settings) -> None:
    reading = source.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    async with reading.connect() as read, copy.engine.begin() as write:
        revision = await current_revision(read)
        if revision is None:
            raise ArchiveError(reason(ReasonCode.NOTHING_STORED, path=without_password(settings.database_url)))
        if revision not in REVISIONS:
            raise ArchiveError(reason(ReasonCode.SCHEMA_NEWER, schema=revision))
        await write.run_sync(make_schema, revision)
        target = write.sync_connection
        if target is not None:
            await read.run_sync(copy_tables, target)


def _listed(
    settings: Settings, database: Path, kind: str, config: Path | None
) -> tuple[BackupManifest, dict[str, Path]]:
    """The list of what goes in, and where it lies."""
    files = {DATABASE_NAME: database, **_kept_files(settings.paths), **_settings_file(settings, database.parent)}
    if config is not None:
        files["config.yaml"] = config
    with open_copy(database) as connection:
        revision, tables = revision_of(connection), sum_tables(connection)
    if revision not in REVISIONS:
        raise ArchiveError(reason(ReasonCode.SCHEMA_NEWER, schema=revision or "?"))
    manifest = BackupManifest(
        kind="backup",
        version=__version__,
        made_at=time.time(),
        entries=tuple(entry_of(name, path) for name, path in sorted(files.items())),
        database="sqlite" if kind == "sqlite" else "postgresql",
        schema_revision=revision,
        tables=tables,
    )
    return manifest, files


def _kept_files(paths: DataPaths) -> dict[str, Path]:
    """Keys, the machine's name as a node and the first password, as far as they are there."""
    found = [*sorted(Path(paths.keys).glob("*")), Path(paths.node_id), Path(paths.initial_admin_password)]
    ours = (path for path in found if path.is_file() and not path.is_symlink() and not path.name.startswith("."))
    return {str(path.relative_to(paths.root)): path for path in ours}


def _settings_file(settings: Settings, folder: Path) -> dict[str, Path]:
    """The settings in force, to be read by a person: passwords in addresses are left out."""
    file = Path(settings_file(PurePosixPath(settings.run_dir)))
    in_force = load_settings(file) if file.is_file() else settings
    shown = in_force.model_copy(update={"database_url": without_password(in_force.database_url), "hub_proxy": None})
    written = folder / "settings.json"
    replace_private_file(written, shown.model_dump_json(exclude=SECRET_NAMES, indent=1).encode())
    return {"settings.json": written}


@contextmanager
def open_copy(database: Path) -> Iterator[Connection]:
    """A connection to an SQLite file that nobody else uses."""
    from sqlalchemy import create_engine  # noqa: PLC0415  # the server itself never needs it

    engine = create_engine(f"sqlite:///{database}")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def unpack_checked(path: Path, folder: Path) -> BackupManifest:
    """Unpacks a backup into ``folder`` and looks at everything in it: checksums, the database's own checks, references
    between rows, the revision, number and checksum of rows.

    Raises:
        ArchiveError: something is wrong with it, or it needs a newer version.
        OSError: it cannot be read, or the folder not written.
    """
    manifest = unpack(path, BackupManifest, folder)
    database = folder / DATABASE_NAME
    if manifest.schema_revision not in REVISIONS:
        raise ArchiveError(
            reason(ReasonCode.BACKUP_NEWER, path=str(path), schema=manifest.schema_revision, version=manifest.version)
        )
    trouble = _database_trouble(database, manifest) if database.is_file() else "it holds no database"
    if trouble is not None:
        raise ArchiveError(reason(ReasonCode.ARCHIVE_DAMAGED, path=str(path), detail=trouble))
    return manifest


def _database_trouble(database: Path, manifest: BackupManifest) -> str | None:
    try:
        with closing(sqlite3.connect(database)) as connection:
            verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
            loose = connection.execute("PRAGMA foreign_key_check").fetchone()
        with open_copy(database) as copy:
            revision, tables = revision_of(copy), sum_tables(copy)
    except (sqlite3.Error, SQLAlchemyError) as error:
        return str(error)
    if verdict != "ok" or loose is not None:
        return verdict if verdict != "ok" else f"a row of {loose[0]} refers to nothing"
    if revision != manifest.schema_revision:
        return "the schema is not the one that the list names"
    names = sorted({*tables, *manifest.tables})
    return next((f"rows of {name} differ" for name in names if tables.get(name) != manifest.tables.get(name)), None)
