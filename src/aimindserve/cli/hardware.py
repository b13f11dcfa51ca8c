"""What ``aimindserve doctor`` finds of devices and engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aimindserve.cli.diagnosis import Finding, Health, ok
from aimindserve.cli.output import language
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.units import format_bytes

if TYPE_CHECKING:
    from aimindserve.domain.nodes import Device
    from aimindserve.server.settings import Settings

# No GPU is no trouble: models run on the CPU.
HARMLESS = {ReasonCode.DRIVER_ABSENT}


def hardware_findings(settings: Settings) -> Iterator[Finding]:
    """Devices (declared ones where the settings say so), then engines."""
    yield from device_findings(settings)
    yield from engine_findings(settings)


def device_findings(settings: Settings) -> Iterator[Finding]:
    """One line for each device, and one for each thing worth saying."""
    from aimindserve.devices.declared import FleetError
    from aimindserve.devices.machine import DeclaredProbe, MachineProbe

    try:
        probe = DeclaredProbe(Path(settings.declared_fleet)) if settings.declared_fleet else MachineProbe()
    except FleetError as error:
        yield Finding("devices", Health.FAIL, str(error), "Correct the file of --declared-fleet, or leave it out.")
        return
    devices, notes = probe()
    for device in devices:
        yield ok("device", _described(device))
    for note in notes:
        yield _worded("device", note, Health.OK if note.code in HARMLESS else Health.WARN)


def _described(device: Device) -> str:
    """Name and memory of a device."""
    driver = f", driver {device.driver}" if device.driver else ""
    return (
        f"{device.name}: {format_bytes(device.allocatable)} of {format_bytes(device.memory_total)} for models{driver}"
    )


def engine_findings(settings: Settings) -> Iterator[Finding]:
    """The program that runs GGUF models, or why there is none; then those that run safetensors models."""
    from aimindserve.node.environments import Environments
    from aimindserve.node.vllm_programs import vllm_programs

    found = asyncio.run(Environments(settings.llama_server).llama_cpp())
    if isinstance(found, Reason):
        yield _worded("engine", found, Health.FAIL)
    engines = Path(settings.data_dir) / "engines"
    for install in (*(() if isinstance(found, Reason) else (found,)), *vllm_programs(engines)):
        yield ok("engine", f"{install.engine} {install.version} ({install.flavour}, {install.path})")


def _worded(name: str, why: Reason, health: Health) -> Finding:
    """A reason as a line, in the language of the locale."""
    words = explain(why, language())
    return Finding(name, health, words.message, "" if health is Health.OK else words.remedy)
