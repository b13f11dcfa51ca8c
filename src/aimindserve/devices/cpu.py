"""The processor and the machine's memory, within what a container may use of them."""

import contextlib
import math
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from aimindserve.devices._base import Found
from aimindserve.devices.cgroup import Limits, Usage, read_limits, read_usage
from aimindserve.domain.nodes import CPU_DEVICE_ID, Device, DeviceKind
from aimindserve.domain.units import GIB, MIB

# What the system and our own processes need: a tenth of the memory, at least enough for server, gateway and a small
# system, at most what a large machine's system needs.
_RESERVED_SHARE, _RESERVED_LEAST, _RESERVED_MOST = 0.1, 512 * MIB, 8 * GIB


@dataclass(frozen=True, slots=True)
class Reading:
    """What the machine says. Memory in bytes. ``affinity``: logical processors that this process may use.

    ``utilization``: 0 to 100, of the whole machine; None when it is not known yet.
    """

    name: str
    physical: int | None
    logical: int
    affinity: int
    memory_total: int
    memory_available: int
    utilization: float | None
    limits: Limits = field(default_factory=Limits)
    usage: Usage = field(default_factory=Usage)


def parse(reading: Reading) -> Device:
    """The CPU as a device.

    ``threads`` are the logical processors that may be used at the same time (affinity and quota); ``cores`` the
    physical ones behind them. ``memory_total`` is the container's limit where there is a lower one, ``allocatable``
    leaves the system's share out.
    """
    logical = max(1, reading.logical)
    physical = min(reading.physical or logical, logical)
    threads = min(logical, reading.affinity or logical)
    if reading.limits.processors is not None:
        threads = min(threads, max(1, math.ceil(reading.limits.processors)))
    cores = min(physical, max(1, math.ceil(threads * physical / logical)), threads)
    total, available = reading.memory_total, reading.memory_available
    limit = reading.limits.memory
    if limit is not None and limit < total:
        available = max(0, min(available, limit - reading.usage.memory))
        total = limit
    reserved = int(min(max(total * _RESERVED_SHARE, _RESERVED_LEAST), _RESERVED_MOST))
    return Device(
        id=CPU_DEVICE_ID,
        kind=DeviceKind.CPU,
        name=reading.name or "CPU",
        memory_total=total,
        memory_free=available,
        allocatable=max(0, total - reserved),
        cores=cores,
        threads=threads,
        utilization=reading.utilization,
    )


def read(root: Path = Path("/"), utilization: float | None = None) -> Reading:
    """The machine's own words; ``root`` is where ``proc`` and ``sys`` are."""
    memory = psutil.virtual_memory()
    logical = psutil.cpu_count() or 1
    return Reading(
        name=model_name(_text(root / "proc/cpuinfo")),
        physical=psutil.cpu_count(logical=False),
        logical=logical,
        affinity=len(os.sched_getaffinity(0)),
        memory_total=memory.total,
        memory_available=memory.available,
        utilization=utilization,
        limits=read_limits(root),
        usage=read_usage(root),
    )


def model_name(cpuinfo: str) -> str:
    """The processor's name in the text of ``/proc/cpuinfo``; empty when it has none (as on ARM)."""
    for line in cpuinfo.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() in {"model name", "Model", "cpu model"}:
            return " ".join(value.split())
    return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class Cpu:
    """The family: every machine has one. Returns at once."""

    def __init__(self) -> None:
        self._asked_before = False

    def probe(self) -> Found:
        """The processor. How busy it is, is the mean since the call before; the first call does not know."""
        busy = psutil.cpu_percent()
        device = parse(read(utilization=busy if self._asked_before else None))
        self._asked_before = True
        return Found((device,))

    def used_by(self, pids: Collection[int]) -> dict[str, int]:
        """Resident memory of these processes, pages that they share counted for each."""
        held = 0
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                held += int(psutil.Process(pid).memory_info().rss)
        return {CPU_DEVICE_ID: held} if held else {}
