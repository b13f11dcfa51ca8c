"""``aimindserve backup``, ``restore`` and ``migrate``: for the administrator of the machine."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from aimindserve.cli.account import become_owner
from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_facts, print_json, refusal

if TYPE_CHECKING:
    from aimindserve.domain.archives import BackupManifest
    from aimindserve.server.settings import Settings

T = TypeVar("T")

Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        envvar="AIMINDSERVE_CONFIG",
        help="YAML file with the settings of the server. Default: those of its last start.",
    ),
]
_TARGET = "AIMINDSERVE_MIGRATE_TO"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: aimindserve backup /backups/aimindserve.tar.gz")(backup)
    app.command(epilog="Example: aimindserve restore /backups/aimindserve.tar.gz")(restore)
    app.command(epilog="Example: aimindserve migrate --to postgresql://aimindserve@db.example.org/aimindserve")(migrate)


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The archive to write; in a folder it gets a name.")],
    config: Config = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of this name.")] = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Back up database, keys and settings while the server runs; the archive is restored once to prove that it works.

    It holds the keys of the installation: keep it as safe as the data folder. Model files and engines are not in it."""
    from aimindserve.cli.local_settings import local_settings
    from aimindserve.server.backup.making import make_backup

    settings = local_settings(data_dir, config)
    target = _named(Path(file).absolute())
    taken = Path(config).absolute() if config else None
    if not Path(settings.data_dir).is_dir():
        from aimindserve.domain.reasons import ReasonCode, reason

        raise refusal(reason(ReasonCode.NOTHING_STORED, path=settings.data_dir))
    made = _run(make_backup(settings, target, config=taken, replace=force), settings, target)
    _tell(made.manifest, {"file": str(made.path), "bytes": made.path.stat().st_size}, output)


def _named(path: Path) -> Path:
    return path / time.strftime("aimindserve-backup-%Y%m%d-%H%M%S.tar.gz") if path.is_dir() else path


def restore(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An archive that `aimindserve backup` wrote.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there; it is moved aside, not deleted.")
    ] = False,
    config: Config = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Put a backup in place, whole or not at all. The server must be stopped; models, engines and logs stay."""
    from aimindserve.cli.local_settings import local_settings
    from aimindserve.server.backup import restoring

    settings = local_settings(data_dir, config)
    become_owner(Path(settings.data_dir))

    async def work() -> tuple[BackupManifest, Path | None]:
        with restoring.exclusively(settings):
            return await restoring.restore(settings, Path(file), force=force)

    manifest, aside = _run(work(), settings, Path(file))
    _tell(manifest, {"data_dir": settings.data_dir, "moved_aside": None if aside is None else str(aside)}, output)


def migrate(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            envvar=_TARGET,
            help="postgresql://user:password@host/name of an empty database. The password is better given as "
            f"PGPASSWORD, in ~/.pgpass, or with the address in {_TARGET}.",
        ),
    ],
    config: Config = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Copy everything from SQLite to PostgreSQL and compare every row. The server must be stopped.

    The SQLite file is not touched."""
    _leave_the_title(to)
    from aimindserve.cli.local_settings import local_settings
    from aimindserve.server.backup import moving, restoring
    from aimindserve.server.settings import without_password

    settings = local_settings(data_dir, config)
    target = local_settings(settings.data_dir, database_url=to)
    become_owner(Path(settings.data_dir))

    async def work() -> dict[str, Any]:
        with restoring.exclusively(settings):
            return await moving.move(settings, target)

    arrived = _run(work(), target, Path(settings.data_dir))
    rows = {name: table.rows for name, table in arrived.items()}
    if output is Format.JSON:
        print_json({"database": without_password(target.database_url), "tables": rows})
        return
    typer.echo(f"{sum(rows.values())} rows in {len(rows)} tables are in {without_password(target.database_url)}.")
    typer.echo("Use it from the next start on: --database-url, AIMINDSERVE_DATABASE_URL or database_url in the file.")
    typer.echo(f"The SQLite file is as it was: {settings.paths.database}")


def _leave_the_title(address: str) -> None:
    """A password in an argument shows in the process list: start over with the address in the environment."""
    given = [number for number, word in enumerate(sys.argv) if word == "--to" or word.startswith("--to=")]
    if not given or "@" not in address or ":" not in address.split("://", 1)[-1].rsplit("@", 1)[0]:
        return
    number = given[0]
    words = sys.argv[1:number] + sys.argv[number + (2 if sys.argv[number] == "--to" else 1) :]
    os.environ[_TARGET] = address
    os.execv(sys.executable, [sys.executable, "-m", "aimindserve.cli.main", *words])


def _run(work: Coroutine[Any, Any, T], settings: Settings, path: Path) -> T:
    """Run it; what goes wrong is told with its remedy."""
    import asyncio

    with _told(settings, path):
        return asyncio.run(work)


@contextmanager
def _told(settings: Settings, path: Path) -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError

    from aimindserve.domain.reasons import ReasonCode, reason
    from aimindserve.node.archive import ArchiveError
    from aimindserve.server.settings import without_password

    try:
        yield
    except ArchiveError as error:
        raise refusal(error.why) from None
    except SQLAlchemyError as error:
        shown = without_password(settings.database_url)
        detail = _first_line(error).replace(settings.database_url, shown)
        raise refusal(reason(ReasonCode.DATABASE_FAILED, path=shown, detail=detail)) from None
    except (ConnectionError, TimeoutError, socket.gaierror) as error:
        why = reason(
            ReasonCode.DATABASE_FAILED,
            path=without_password(settings.database_url),
            detail=error.strerror or str(error),
        )
        raise refusal(why) from None
    except OSError as error:
        place = str(error.filename or path)
        raise refusal(reason(ReasonCode.FILE_FAILED, path=place, detail=error.strerror or str(error))) from None
    except ModuleNotFoundError as error:
        raise CommandError(
            f"The driver {error.name} is missing.", "Install it: pip install 'aimindserve[postgres]'", code="no_driver"
        ) from None


def _first_line(error: Exception) -> str:
    """What the database said, without the statement and its values: those can be secrets."""
    origin = getattr(error, "orig", None) or error
    return str(origin).splitlines()[0].rstrip(".") if str(origin) else type(origin).__name__


def _tell(manifest: BackupManifest, facts: dict[str, Any], output: Format) -> None:
    rows = {name: table.rows for name, table in manifest.tables.items()}
    if output is Format.JSON:
        known = manifest.model_dump(mode="json", include={"version", "made_at", "schema_revision", "database"})
        print_json({**facts, **known, "tables": rows})
        return
    made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(manifest.made_at))
    shown = [(name.replace("_", " "), str(value)) for name, value in facts.items() if value is not None]
    held = ", ".join(f"{rows.get(name, 0)} {name.replace('_', ' ')}" for name in ("deployments", "users", "api_keys"))
    print_facts([*shown, ("made", f"{made}, aiMindServe {manifest.version}"), ("holds", held), ("checked", "yes")])
