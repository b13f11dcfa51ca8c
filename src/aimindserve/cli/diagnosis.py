"""What ``aimindserve doctor`` looks at. Each check answers with a value; none raises for an expected state."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from aimindserve.domain.units import GIB, format_bytes

if TYPE_CHECKING:
    from aimindserve.server.settings import Settings

MEMORY_WANTED = 4 * GIB  # a 2B model in 4 bits with its projector and a short context
DISK_NEEDED, DISK_WANTED = 1 * GIB, 20 * GIB


class Health(StrEnum):
    """How a check went. ``fail`` means that aiMindServe cannot work like this."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis; ``remedy`` is empty where nothing is to be done."""

    name: str
    health: Health
    message: str
    remedy: str = ""


def ok(name: str, message: str) -> Finding:
    """A check that went well."""
    return Finding(name, Health.OK, message)


def check_python(_settings: Settings) -> Finding:
    """The interpreter's version."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < (3, 11):  # noqa: UP036 (said to a person, not decided on)
        return Finding("python", Health.FAIL, f"Python {version} is too old.", "Install Python 3.11 or newer.")
    return ok("python", f"Python {version}")


def check_memory(_settings: Settings) -> Finding:
    """Memory that models on the CPU could use now."""
    import psutil

    memory = psutil.virtual_memory()
    message = f"{format_bytes(memory.available)} of {format_bytes(memory.total)} available"
    if memory.available < MEMORY_WANTED:
        remedy = "Models on the CPU need about 4 GiB for 2 billion parameters: close programs, or use a GPU."
        return Finding("memory", Health.WARN, message, remedy)
    return ok("memory", message)


def check_disk(settings: Settings) -> Finding:
    """Space where the data folder is or will be."""
    folder = existing_parent(Path(settings.data_dir))
    free = shutil.disk_usage(folder).free
    message = f"{format_bytes(free)} free at {folder}"
    remedy = "Free some space, or choose a folder on a larger disk with --data-dir."
    if free < DISK_NEEDED:
        return Finding("disk", Health.FAIL, message, remedy)
    return Finding("disk", Health.WARN, message, remedy) if free < DISK_WANTED else ok("disk", message)


def existing_parent(folder: Path) -> Path:
    """The folder itself, or the nearest folder above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def check_data_dir(settings: Settings) -> Finding:
    """Whether the data folder is ours and closed to others."""
    folder = Path(settings.data_dir)
    if not folder.exists():
        parent = existing_parent(folder)
        if not os.access(parent, os.W_OK):
            remedy = "Choose another folder with --data-dir, or run as an account that may write there."
            return Finding("data folder", Health.FAIL, f"{parent} is not writable for this account.", remedy)
        return ok("data folder", f"{folder} will be made at the first start")
    status = folder.stat()
    if status.st_uid != os.geteuid():
        remedy = "Run the command as that account (sudo), or choose another folder with --data-dir."
        return Finding("data folder", Health.FAIL, f"{folder} belongs to user id {status.st_uid}.", remedy)
    if stat.S_IMODE(status.st_mode) & 0o077:
        return Finding("data folder", Health.WARN, f"{folder} is open to others.", f"chmod 700 {folder}")
    return ok("data folder", str(folder))


def check_port(settings: Settings) -> Finding:
    """Whether the public port is free, or ours already."""
    from aimindserve.cli.output import CommandError
    from aimindserve.cli.ports import held_by_us, require_free_port

    if held_by_us(settings.port):
        return ok("port", f"aiMindServe listens on port {settings.port}")
    try:
        require_free_port(settings.host, settings.port, Path(settings.run_dir))
    except CommandError as error:
        return Finding("port", Health.FAIL, error.message, error.remedy)
    return ok("port", f"port {settings.port} is free")


def check_page(_settings: Settings) -> Finding:
    """Whether the web page was built into the package."""
    import aimindserve

    if (Path(aimindserve.__file__).parent / "ui_dist" / "index.html").is_file():
        return ok("web page", "built")
    return Finding("web page", Health.WARN, "The web page is not built in.", "In a clone run: make ui")


def check_database(settings: Settings) -> Finding:
    """SQLite: the file opens and passes its own quick check. PostgreSQL: it lets us in."""
    if settings.database_url.startswith("postgresql"):
        return _check_postgresql(settings)
    file = Path(settings.paths.database)
    if not file.exists():
        return ok("database", "SQLite, made at the first start")
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict != "ok":
        remedy = f"Stop aiMindServe and restore {file} from a backup."
        return Finding("database", Health.FAIL, f"SQLite reports: {verdict}", remedy)
    return ok("database", f"SQLite, {format_bytes(file.stat().st_size)}")


def _check_postgresql(settings: Settings) -> Finding:
    import asyncio

    from aimindserve.server.settings import without_password

    shown = without_password(settings.database_url)
    remedy = "Check that it runs, and user, password and database name in --database-url."
    try:
        import asyncpg
    except ImportError:
        return Finding(
            "database", Health.FAIL, "The PostgreSQL driver is missing.", "pip install aimindserve[postgres]"
        )

    async def ask() -> str:
        url = settings.database_url.replace("postgresql+asyncpg", "postgresql")
        connection = await asyncpg.connect(url, timeout=5)
        try:
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close()

    try:
        return ok("database", f"PostgreSQL {asyncio.run(ask())} at {shown}")
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return Finding("database", Health.FAIL, f"{shown} does not let us in: {error}", remedy)


def check_server(settings: Settings) -> Finding:
    """Whether a server answers for this data folder."""
    from aimindserve.cli.connection import connect
    from aimindserve.cli.output import CommandError
    from aimindserve.client import ApiError, UnreachableError

    try:
        with connect(settings.data_dir) as client:
            system = client.system()
    except CommandError as error:
        return Finding("server", Health.WARN, error.message, "Start it with: aimindserve start")
    except UnreachableError as error:
        remedy = f"Look at {settings.data_dir}/logs, then restart it."
        return Finding("server", Health.FAIL, f"The server does not answer ({error}).", remedy)
    except ApiError as error:
        return Finding("server", Health.WARN, error.problem.message, error.problem.remedy)
    return ok("server", f"version {system.version} runs, database {system.database}")


SIMPLE_CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    check_python,
    check_memory,
    check_disk,
    check_data_dir,
    check_port,
    check_page,
    check_database,
    check_server,
)


def diagnose(settings: Settings) -> Iterator[Finding]:
    """All findings, one after the other."""
    from aimindserve.cli.hardware import hardware_findings

    for check in SIMPLE_CHECKS:
        yield check(settings)
    yield from hardware_findings(settings)
