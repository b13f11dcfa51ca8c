"""Putting a backup into the data folder, whole or not at all.

Everything is unpacked and checked beside what is there. A mark on disk then says that it holds, and from there on it
only goes forward: a crash in the middle is finished by the next restore or the next start. What was there before is
moved aside, never deleted."""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ValidationError

from aimindserve.domain.archives import BackupManifest
from aimindserve.domain.paths import supervisor_lock
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.node.archive import ArchiveError
from aimindserve.server.backup.making import DATABASE_NAME, dump, unpack_checked
from aimindserve.server.backup.moving import holds_rows, is_sqlite, load
from aimindserve.server.bootstrap import AlreadyRunningError, lock_data, prepare_folders
from aimindserve.server.files import is_held, make_private_folder, replace_private_file
from aimindserve.server.settings import Settings

_MARK = "whole.json"
_TO_READ = ("settings.json", "config.yaml")
# Belongs to the database that goes: its logs, and what was computed from it.
_COMPANIONS = ("database.sqlite-wal", "database.sqlite-shm", "routing-table.json")


class _Mark(BaseModel):
    """Written when the unpacked backup was found whole. ``aside``: the folder for what was there before."""

    aside: str


@contextmanager
def exclusively(settings: Settings) -> Iterator[None]:
    """The data folder for us alone.

    Raises:
        ArchiveError: a server runs there.
        OSError: the folder cannot be made or locked.
    """
    prepare_folders(settings, database=False)
    running = ArchiveError(reason(ReasonCode.SERVER_RUNNING, path=settings.data_dir))
    if is_held(Path(supervisor_lock(PurePosixPath(settings.run_dir)))):
        raise running
    try:
        lock = lock_data(settings.paths, patience=0.0)
    except AlreadyRunningError:
        raise running from None
    try:
        yield
    finally:
        os.close(lock)


async def restore(settings: Settings, path: Path, *, force: bool = False) -> tuple[BackupManifest, Path | None]:
    """Puts the backup ``path`` in place of the database, keys and first password. Call it in ``exclusively``. Models,
    engines and logs stay. Returns the backup's list, and where the things that were there before are now.

    Raises:
        ArchiveError: the backup is not whole or not for this version, or there is data and nobody said ``force``.
        SQLAlchemyError, OSError: the database or the disk does not work. Unless the mark was reached nothing changed.
    """
    await finish_restore(settings)
    if not force and (there := await _what_is_there(settings)) is not None:
        raise ArchiveError(reason(ReasonCode.RESTORE_NOT_EMPTY, path=there))
    staged = Path(settings.paths.staged_restore)
    make_private_folder(staged)
    try:
        manifest = await asyncio.to_thread(unpack_checked, path, staged)
        aside = f"replaced-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        replace_private_file(staged / _MARK, _Mark(aside=aside).model_dump_json().encode())
    except (OSError, ArchiveError):
        shutil.rmtree(staged, ignore_errors=True)
        raise
    await finish_restore(settings)
    kept = Path(settings.data_dir) / aside
    return manifest, kept if kept.exists() else None


async def _what_is_there(settings: Settings) -> str | None:
    """The first thing that a restore would replace."""
    found = _files_there(settings)
    return found if found is not None or is_sqlite(settings) else await holds_rows(settings)


def _files_there(settings: Settings) -> str | None:
    paths = settings.paths
    kept = (Path(path) for path in (paths.database, paths.pepper, paths.secrets_key, paths.initial_admin_password))
    return next((str(path) for path in kept if path.exists() and path.stat().st_size), None)


async def finish_restore(settings: Settings) -> bool:
    """Carries out a restore that was interrupted after its mark, and clears away one that did not get that far. Does
    nothing, and costs nothing, where there is none. True when something was put in place.

    Raises:
        SQLAlchemyError, OSError: as ``restore``; calling again goes on.
    """
    staged, data = Path(settings.paths.staged_restore), Path(settings.data_dir)
    if not is_restoring(settings):
        return False
    mark = _read_mark(staged)
    if mark is not None:
        aside = data / mark.aside
        make_private_folder(aside)
        if not is_sqlite(settings):
            await _load_rows(settings, staged, aside)
        await asyncio.to_thread(_put_in_place, staged, data, aside)
        (staged / _MARK).unlink()
        with suppress(OSError):
            aside.rmdir()  # only goes when nothing was there before
    await asyncio.to_thread(shutil.rmtree, staged)
    return mark is not None


def is_restoring(settings: Settings) -> bool:
    """Whether a restore was begun and not ended."""
    staged = Path(settings.paths.staged_restore)
    return staged.is_dir() and not staged.is_symlink()


def _read_mark(staged: Path) -> _Mark | None:
    try:
        return _Mark.model_validate_json((staged / _MARK).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


async def _load_rows(settings: Settings, staged: Path, aside: Path) -> None:
    """The rows go into the configured database; those that were there before are kept as a file."""
    kept, fresh = aside / DATABASE_NAME, aside / f".{DATABASE_NAME}"
    if not kept.exists():
        fresh.unlink(missing_ok=True)
        with suppress(ArchiveError):  # an empty database: there is nothing to keep
            await dump(settings, fresh)
            fresh.replace(kept)
    if (staged / DATABASE_NAME).exists():
        await load(staged / DATABASE_NAME, settings)
        (staged / DATABASE_NAME).unlink()


def _put_in_place(staged: Path, data: Path, aside: Path) -> None:
    """Each step is one rename, and doing it again does nothing: what lies in ``staged`` is not in place yet."""
    names = [str(path.relative_to(staged)) for path in sorted(staged.rglob("*")) if path.is_file()]
    coming = [name for name in names if name not in (_MARK, *_TO_READ)]
    if DATABASE_NAME in coming:
        for name in _COMPANIONS:
            _move(data / name, aside / name)
    for name in coming:
        _move(data / name, aside / name)
        _move(staged / name, data / name)
    for name in _TO_READ:
        _move(staged / name, data / f"restored-{name}")


def _move(path: Path, target: Path) -> None:
    if path.exists() or path.is_symlink():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.replace(target)
