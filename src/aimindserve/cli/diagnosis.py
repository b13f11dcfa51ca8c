"""What ``aimindserve doctor`` looks at: the machine, the network and the server. Each check answers with a value; none
raises for an expected state."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aimindserve.domain.findings import Fact, Finding, failure, good, note
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.units import GIB, format_bytes

if TYPE_CHECKING:
    from aimindserve.server.settings import Settings

MEMORY_WANTED = 4 * GIB  # a 2B model in 4 bits with its projector and a short context
DISK_NEEDED, DISK_WANTED = 1 * GIB, 20 * GIB
INODES_WANTED = 10_000
NO_EARLIER = 1_767_225_600.0  # 2026-01-01: this program did not exist before
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def check_python(_settings: Settings) -> Finding:
    """The interpreter's version."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < (3, 11):  # noqa: UP036 (said to a person, not decided on)
        return failure("python", reason(ReasonCode.PYTHON_TOO_OLD, version=version))
    return good("python", Fact.PYTHON, version=version)


def check_machine(_settings: Settings) -> Finding:
    """What the machine is."""
    system = f"{platform.system()} {platform.release()}"
    library = " ".join(platform.libc_ver()).strip() or "?"
    cores = os.cpu_count() or 1
    return good("machine", Fact.MACHINE, system=system, architecture=platform.machine(), cores=cores, library=library)


def check_memory(_settings: Settings) -> Finding:
    """Memory that models on the CPU could use now."""
    import psutil

    memory = psutil.virtual_memory()
    available, total = format_bytes(memory.available), format_bytes(memory.total)
    if memory.available < MEMORY_WANTED:
        return note("memory", reason(ReasonCode.MEMORY_LOW, available=available, total=total))
    return good("memory", Fact.MEMORY, available=available, total=total)


def check_disk(settings: Settings) -> Finding:
    """Space, and room for names, where the data folder is or will be."""
    folder = existing_parent(Path(settings.data_dir))
    free, names = shutil.disk_usage(folder).free, os.statvfs(folder)
    if names.f_files and names.f_favail < INODES_WANTED:
        return note("disk", reason(ReasonCode.INODES_LOW, path=str(folder), free=names.f_favail))
    low = reason(ReasonCode.DISK_LOW, free=format_bytes(free), path=str(folder))
    if free < DISK_NEEDED:
        return failure("disk", low)
    return (
        note("disk", low) if free < DISK_WANTED else good("disk", Fact.DISK, free=format_bytes(free), path=str(folder))
    )


def existing_parent(folder: Path) -> Path:
    """The folder itself, or the nearest folder above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def check_clock(_settings: Settings) -> Finding:
    """Whether the time can be, and whether a time service keeps it."""
    return clock_finding(time.time(), synchronised=_clock_state() != _TIME_ERROR)


def clock_finding(now: float, *, synchronised: bool) -> Finding:
    """What to say of a clock that shows ``now`` (Unix seconds)."""
    shown = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    if now < NO_EARLIER:
        return failure("clock", reason(ReasonCode.CLOCK_WRONG, now=shown))
    if not synchronised:
        return note("clock", reason(ReasonCode.CLOCK_UNSYNCHRONISED, now=shown))
    return good("clock", Fact.CLOCK, now=shown)


def _clock_state() -> int:
    """What adjtimex(2) answers when it is only asked. The structure is 208 bytes; 512 leave room."""
    return ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))


def check_port(settings: Settings) -> Finding:
    """Whether the public port is free, or ours already."""
    from aimindserve.cli.ports import held_by_us, why_taken

    if held_by_us(settings.port):
        return good("port", Fact.PORT_OURS, port=settings.port)
    trouble = why_taken(settings.host, settings.port, Path(settings.run_dir))
    return good("port", Fact.PORT_FREE, port=settings.port) if trouble is None else failure("port", trouble)


def check_page(_settings: Settings) -> Finding:
    """Whether the web page was built into the package."""
    import aimindserve

    if (Path(aimindserve.__file__).parent / "ui_dist" / "index.html").is_file():
        return good("web page", Fact.PAGE)
    return note("web page", reason(ReasonCode.PAGE_MISSING))


def check_server(settings: Settings) -> Finding:
    """Whether a server answers for this data folder, and is the version that is installed."""
    from aimindserve import __version__
    from aimindserve.cli.connection import connect
    from aimindserve.cli.output import CommandError
    from aimindserve.client import ApiError, UnreachableError

    try:
        with connect(settings.data_dir) as client:
            system = client.system()
    except CommandError:
        return good("server", Fact.SERVER_ABSENT)
    except UnreachableError as error:
        return failure("server", reason(ReasonCode.SERVER_SILENT, path=settings.data_dir, detail=str(error)))
    except ApiError as error:
        return note("server", reason(ReasonCode.SERVER_SILENT, path=settings.data_dir, detail=error.problem.message))
    if system.version != __version__:
        other = reason(ReasonCode.SERVER_OTHER_VERSION, running=system.version, installed=__version__)
        return note("server", other)
    return good("server", Fact.SERVER, version=system.version, database=system.database)


def diagnose(settings: Settings, *, ask_hubs: bool = False) -> Iterator[Finding]:
    """All findings, one after the other."""
    from aimindserve.cli.diagnosis_data import check_data_dir, check_database, left_over, permissions
    from aimindserve.cli.diagnosis_hubs import hub_findings
    from aimindserve.cli.hardware import hardware_findings

    before: tuple[Callable[[Settings], Finding], ...] = (
        check_python, check_machine, check_memory, check_disk, check_clock, check_data_dir,
    )  # fmt: skip
    for check in before:
        yield check(settings)
    yield from permissions(settings)
    yield from left_over(settings)
    for check in (check_database, check_port, check_page, check_server):
        yield check(settings)
    yield from hardware_findings(settings)
    yield from hub_findings(settings, ask=ask_hubs)
