"""Who a process is. A pid alone names nobody: it is used again. Pid, start time and boot id together do."""

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

# Without pidfd (a kernel before 5.3, a sandbox) the end of a process is polled for.
_POLL_SECONDS = 0.1
REPLICA_VARIABLE = "AIMINDSERVE_REPLICA"


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of this boot: ``start_time`` in clock ticks since boot."""

    pid: int
    start_time: int


def boot_id() -> str:
    """The kernel's random id of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _stat(pid: int) -> list[str] | None:
    """The fields of ``/proc/PID/stat`` from the third (state) on; None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def identify(pid: int) -> ProcessId | None:
    """The process that has this pid now."""
    fields = _stat(pid)
    return ProcessId(pid, int(fields[19])) if fields else None


def is_running(process: ProcessId) -> bool:
    """Whether this very process lives (a zombie does not)."""
    fields = _stat(process.pid)
    return fields is not None and int(fields[19]) == process.start_time and fields[0] not in "ZX"


def signal_group(process: ProcessId, number: signal.Signals) -> bool:
    """Send a signal to the group that ``process`` leads, if it still is that process. Whether it was sent."""
    if not is_running(process):
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
        return True
    return False


def processes_of(replica_id: str) -> list[ProcessId]:
    """Every process that carries a replica's mark in its environment: its engine and what that started."""
    mark = f"{REPLICA_VARIABLE}={replica_id}".encode()
    found: list[ProcessId] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                process = identify(int(entry.name))
                if process and is_running(process):
                    found.append(process)
    return found


def session_of(pid: int) -> list[int]:
    """Every process of the session that ``pid`` belongs to: an engine with its workers, also those that wrote their
    title over their environment (vLLM's do)."""
    own = _stat(pid)
    found: list[int] = []
    for entry in Path("/proc").iterdir() if own else ():
        fields = _stat(int(entry.name)) if entry.name.isdigit() else None
        if own and fields and fields[3] == own[3]:
            found.append(int(entry.name))
    return found


def kill(process: ProcessId) -> None:
    """SIGKILL to this very process; nothing when it is gone. A pidfd pins it between the look and the shot."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        if identify(process.pid) == process:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(fd, signal.SIGKILL)
    finally:
        os.close(fd)


async def wait_end(process: ProcessId) -> None:
    """Return when ``process`` has ended; at once when it has already."""
    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    except OSError:
        while is_running(process):  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(_POLL_SECONDS)
        return
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    try:
        if not is_running(process):
            return
        loop.add_reader(fd, lambda: None if ended.done() else ended.set_result(None))
        await ended
    finally:
        loop.remove_reader(fd)
        os.close(fd)


def out_of_memory_kills() -> int:
    """How often the kernel's out-of-memory killer has struck since boot; 0 where it does not say."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0
