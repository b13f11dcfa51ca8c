"""The backup that a server makes by itself before it changes the schema of its database."""

import time
from pathlib import Path

import structlog

from aimindserve.server.db.engine import Database
from aimindserve.server.db.migrate import current_revision, migrate
from aimindserve.server.db.migrations import HEAD, REVISIONS
from aimindserve.server.files import make_private_folder
from aimindserve.server.settings import Settings

log = structlog.get_logger()

KEPT = 3
"""Automatic backups that stay; the oldest goes first."""


async def bring_up_to_date(settings: Settings, database: Database) -> Path | None:
    """Brings the schema to this version. A database that an older version made is backed up first, and left as it is
    when that fails. Returns the backup, None where none was needed.

    Raises:
        NewerSchemaError: this version does not know the schema.
        ArchiveError: the backup cannot be made.
        SQLAlchemyError, OSError: the database or the disk does not work; nothing was changed.
    """
    async with database.engine.connect() as connection:
        found = await current_revision(connection)
    backup = None
    if found in REVISIONS and found != HEAD:
        backup = await _back_up(settings, found)
    await migrate(database)
    return backup


async def _back_up(settings: Settings, found: str) -> Path:
    from aimindserve.server.backup.making import make_backup  # noqa: PLC0415  # hardly any start needs it

    folder = Path(settings.paths.backups)
    make_private_folder(folder)
    target = folder / f"schema-{found}-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz"
    await make_backup(settings, target, replace=True)
    log.info("the database was backed up before its schema is changed", file=str(target), old=found, new=HEAD)
    _keep_newest(folder)
    return target


def _keep_newest(folder: Path) -> None:
    by_age = sorted(folder.glob("schema-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-KEPT]:
        old.unlink()
