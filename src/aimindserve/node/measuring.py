"""Reading what an engine took once it serves: the figures of its log, and what the system counts for its processes."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from aimindserve.domain.measured import TOTAL, DeviceReading, Measurement, located
from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.engines._registry import ENGINES
from aimindserve.node.ledger import LaunchPlan
from aimindserve.node.logs import read_lines
from aimindserve.node.processes import processes_of, session_of

ProcessMemory = Callable[[Collection[int]], Mapping[str, int]]
"""Bytes that processes hold, by device; it may take seconds."""


def no_process_memory(pids: Collection[int]) -> Mapping[str, int]:  # noqa: ARG001
    """Nothing is known."""
    return {}


async def measure(plan: LaunchPlan, log: Path, used_by: ProcessMemory, now: float) -> Measurement:
    """What the engine of ``plan`` took; without items where neither its log nor the system tells."""
    return await asyncio.to_thread(_measure, plan, log, used_by, now)


def _measure(plan: LaunchPlan, log: Path, used_by: ProcessMemory, now: float) -> Measurement:
    gpus = [device for device in plan.devices if device != CPU_DEVICE_ID]
    devices = gpus or [CPU_DEVICE_ID]
    told = ENGINES[plan.engine].read_memory(read_lines(log, plan.log_start), on_gpu=bool(gpus))
    found = {process.pid for process in processes_of(plan.replica_id)}
    held = used_by(sorted(found.union(*map(session_of, found))))
    return Measurement(
        attempt=plan.attempt,
        at=now,
        engine=plan.engine,
        version=plan.install.version,
        on_gpu=bool(gpus),
        items=(*located(told.readings, devices[0]), *_totals(held, devices)),
        cache_tokens=told.cache_tokens,
    )


def _totals(held: Mapping[str, int], devices: Sequence[str]) -> list[DeviceReading]:
    counted = dict.fromkeys([*devices, CPU_DEVICE_ID])
    return [DeviceReading(device_id=one, item=TOTAL, bytes=held[one]) for one in counted if held.get(one)]
