"""Processes under test: started on one core, watched from outside."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Target:
    """A running proxy. ``started``: seconds until it took connections; ``idle``: bytes it had then."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    started: float = 0.0
    idle: int = 0

    def pids(self) -> list[int]:
        """The process and all that come from it."""
        found = [self.process.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    found += map(int, (task / "children").read_text().split())
        return found

    def cpu_seconds(self) -> float:
        """User and system time so far, in nanosecond resolution."""
        total = 0
        for pid in self.pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def resident(self, field: str = "VmRSS") -> int:
        """Bytes of memory; field ``VmHWM``: the most since ``forget_peak``."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text()
                total += int(status.partition(f"{field}:")[2].split()[0]) * 1024
        return total

    def forget_peak(self) -> None:
        """The peak counts from now on (proc(5), clear_refs)."""
        for pid in self.pids():
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _takes_connections(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.005)
    return False


@contextlib.contextmanager
def pinned(
    name: str, core: int, argv: list[str], port: int, log: Path, more: Mapping[str, str] | None = None
) -> Iterator[Target]:
    """``argv`` on ``core``, once it takes connections on ``port``; its output goes to ``log``."""
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *argv],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(more or {})},
        )
    try:
        if not _takes_connections(port, process):
            sys.exit(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
        target = Target(name, port, process, time.monotonic() - began)
        target.idle = target.resident()
        yield target
    finally:
        process.terminate()
        process.wait()
