"""What ``aimindserve doctor`` looks at in the data folder: owner, modes, leftovers, the database."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aimindserve.cli.diagnosis import existing_parent
from aimindserve.domain.findings import Fact, Finding, Fix, Mend, failure, good, note
from aimindserve.domain.paths import gateway_socket, server_socket, supervisor_lock
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.units import format_bytes

if TYPE_CHECKING:
    from aimindserve.server.settings import Settings

SURELY_DEAD = 3600.0  # seconds without a change, after which nobody works on something half made any more
_DATABASE_SECONDS = 5


def check_data_dir(settings: Settings) -> Finding:
    """Whether the data folder is ours and closed to others."""
    folder = Path(settings.data_dir)
    if not folder.exists():
        parent = existing_parent(folder)
        if not os.access(parent, os.W_OK):
            return failure("data folder", reason(ReasonCode.DATA_DIR_UNWRITABLE, path=str(parent)))
        return good("data folder", Fact.DATA_FOLDER_NEW, path=str(folder))
    status = folder.stat()
    if status.st_uid != os.geteuid() and os.geteuid() != 0:
        return failure("data folder", reason(ReasonCode.FILE_OF_OTHER, path=str(folder), owner=_name(status.st_uid)))
    trouble = _open_to_others(folder, 0o700)
    return good("data folder", Fact.DATA_FOLDER, path=str(folder)) if trouble is None else trouble


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def permissions(settings: Settings) -> Iterator[Finding]:
    """Everything in the data folder that must be closed to others, or that belongs to somebody else."""
    folder = Path(settings.data_dir)
    if not os.access(folder, os.R_OK | os.X_OK):
        return
    private, owner = list(_private(settings)), folder.stat().st_uid
    found = [trouble for path, mode in private if (trouble := _trouble_of(path, mode, owner)) is not None]
    if Path(settings.paths.database).exists():
        places = (folder / name for name in ("keys", "locks", "replicas", "logs"))
        found += [_missing(place) for place in places if not place.exists()]
    yield from found
    if private and not found:
        yield good("permissions", Fact.PERMISSIONS, count=len(private))


def _missing(folder: Path) -> Finding:
    return note("folders", reason(ReasonCode.FOLDER_MISSING, path=str(folder)), _fix(Mend.MAKE_FOLDER, folder))


def _private(settings: Settings) -> Iterator[tuple[Path, int]]:
    """Secrets, and what holds them, with the mode that they must have."""
    folder, run = Path(settings.data_dir), Path(settings.run_dir)
    for path in (folder / "keys", folder / "logs", folder / "backups", folder / "replicas", run):
        if path.exists() or path.is_symlink():
            yield path, 0o700
    files = [folder.glob("keys/*"), folder.glob("database.sqlite*"), folder.glob("backups/*"), folder.glob("logs/*")]
    for group in (*files, folder.glob("replicas/*/engine.key"), folder.glob("restored-*")):
        yield from ((path, 0o600) for path in sorted(group))
    for path in (
        folder / "initial_admin_password",
        folder / "routing-table.json",
        run / "settings.json",
        run / "start.json",
    ):
        if path.exists() or path.is_symlink():
            yield path, 0o600


def _trouble_of(path: Path, wanted: int, owner: int) -> Finding | None:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return failure("permissions", reason(ReasonCode.SECRET_IS_LINK, path=str(path)))
    if status.st_uid != owner:
        return failure("permissions", reason(ReasonCode.FILE_OF_OTHER, path=str(path), owner=_name(status.st_uid)))
    return _open_to_others(path, wanted)


def _open_to_others(path: Path, wanted: int) -> Finding | None:
    mode = stat.S_IMODE(path.lstat().st_mode)
    if not mode & 0o077:
        return None
    why = reason(ReasonCode.OPEN_TO_OTHERS, path=str(path), mode=f"{mode:04o}", wanted=f"{wanted:o}")
    # What is in a closed folder is out of reach whatever its own mode.
    name = "data folder" if wanted == 0o700 and (path / "keys").exists() else "permissions"
    return (failure if path.parent.name == "keys" else note)(name, why, _fix(Mend.CLOSE, path))


def _fix(mend: Mend, path: Path) -> Fix:
    return Fix(mend=mend, path=str(path))


def left_over(settings: Settings) -> Iterator[Finding]:
    """What processes that are gone left behind: sockets, pid files, half-made backups and an unfinished restore."""
    from aimindserve.server.files import is_held

    folder, run = Path(settings.data_dir), PurePosixPath(settings.run_dir)
    if not os.access(folder, os.R_OK | os.X_OK):
        return
    if is_held(Path(settings.paths.server_lock)) or is_held(Path(supervisor_lock(run))):
        return
    stale = [Path(path) for path in (server_socket(run), gateway_socket(run), supervisor_lock(run))]
    stale += [path for path in _half_made(folder) if time.time() - path.lstat().st_mtime > SURELY_DEAD]
    found = [
        note("leftovers", reason(ReasonCode.LEFT_OVER, path=str(path)), _fix(Mend.REMOVE, path))
        for path in stale
        if path.exists() or path.is_symlink()
    ]
    if Path(settings.paths.staged_restore).exists():
        found.append(note("leftovers", reason(ReasonCode.RESTORE_UNFINISHED, path=str(folder))))
    yield from found or ([good("leftovers", Fact.NOTHING_LEFT)] if folder.exists() else [])


def _half_made(folder: Path) -> list[Path]:
    """What backups, bundles and writers of keys work in; a command may be at it now."""
    return [*folder.glob(".backup-*"), *folder.glob("models/.bundle-*"), *folder.glob("keys/.*")]


def mend(fix: Fix) -> None:
    """Carry out a repair. Links are not followed.

    Raises:
        OSError: it cannot be done.
    """
    path = Path(fix.path)
    match fix.mend:
        case Mend.CLOSE:
            opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                os.fchmod(opened, 0o700 if stat.S_ISDIR(os.fstat(opened).st_mode) else 0o600)
            finally:
                os.close(opened)
        case Mend.REMOVE:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        case Mend.MAKE_FOLDER:
            path.mkdir(mode=0o700)


def check_database(settings: Settings) -> Finding:
    """SQLite: the file opens and passes its own quick check. PostgreSQL: it lets us in. The schema must be known."""
    if settings.database_url.startswith("postgresql"):
        return _check_postgresql(settings)
    file = Path(settings.paths.database)
    if not file.exists() or not file.stat().st_size:
        return good("database", Fact.DATABASE_NEW)
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=_DATABASE_SECONDS)) as connection:
            verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            row = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            schema = connection.execute("SELECT version_num FROM alembic_version").fetchone() if row else None
    except sqlite3.Error as error:
        verdict, schema = str(error), None
    if verdict != "ok":
        return failure("database", reason(ReasonCode.DATABASE_DAMAGED, path=str(file), detail=verdict))
    revision = str(schema[0]) if schema else None
    size = format_bytes(file.stat().st_size)
    return _schema_finding(revision) or good("database", Fact.DATABASE_SQLITE, size=size, schema=revision or "-")


def _schema_finding(revision: str | None) -> Finding | None:
    """What to say of a schema that is not today's."""
    from aimindserve.server.db.migrations import HEAD, REVISIONS

    if revision is None or revision == HEAD:
        return None
    if revision in REVISIONS:
        return good("database", Fact.SCHEMA_OLD, schema=revision, wanted=HEAD)
    return failure("database", reason(ReasonCode.SCHEMA_NEWER, schema=revision))


def _check_postgresql(settings: Settings) -> Finding:
    import asyncio

    from aimindserve.server.settings import without_password

    shown = without_password(settings.database_url)
    try:
        import asyncpg
    except ImportError:
        return failure("database", reason(ReasonCode.DATABASE_DRIVER_MISSING))

    async def ask() -> tuple[str, str | None]:
        url = settings.database_url.replace("postgresql+asyncpg", "postgresql")
        connection = await asyncpg.connect(url, timeout=_DATABASE_SECONDS)
        try:
            version = str(await connection.fetchval("SHOW server_version"))
            known = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
            row = await connection.fetchval("SELECT version_num FROM alembic_version") if known else None
            return version, row
        finally:
            await connection.close()

    try:
        version, schema = asyncio.run(ask())
    except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as error:
        detail = str(error) or type(error).__name__
        return failure("database", _database_failed(shown, detail, settings.database_url))
    found = _schema_finding(schema)
    return found or good("database", Fact.DATABASE_POSTGRESQL, version=version, path=shown, schema=schema or "-")


def _database_failed(shown: str, detail: str, secret: str) -> Reason:
    return reason(ReasonCode.DATABASE_FAILED, path=shown, detail=detail.replace(secret, shown))
