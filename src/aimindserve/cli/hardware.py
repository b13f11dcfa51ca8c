"""What ``aimindserve doctor`` finds of devices and engines."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aimindserve.domain.drivers import driver_lack
from aimindserve.domain.findings import Fact, Finding, Health, failure, good
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.units import format_bytes

if TYPE_CHECKING:
    import psutil

    from aimindserve.domain.nodes import Device, EngineInstall
    from aimindserve.server.settings import Settings

# No GPU is no trouble: models run on the CPU.
HARMLESS = {ReasonCode.DRIVER_ABSENT}


def hardware_findings(settings: Settings) -> Iterator[Finding]:
    """Devices (declared ones where the settings say so), then engines, then who can reach those that run."""
    from aimindserve.devices.declared import FleetError
    from aimindserve.devices.machine import DeclaredProbe, MachineProbe

    try:
        probe = DeclaredProbe(Path(settings.declared_fleet)) if settings.declared_fleet else MachineProbe()
    except FleetError as error:
        yield failure("device", reason(ReasonCode.FLEET_INVALID, detail=str(error)))
        return
    devices, notes = probe()
    yield from device_findings(devices, notes)
    yield from engine_findings(settings, devices)
    yield from socket_findings(settings)


def device_findings(devices: Sequence[Device], notes: Sequence[Reason]) -> Iterator[Finding]:
    """One line for each device, and one for each thing worth saying."""
    for device in devices:
        driver = f", driver {device.driver}" if device.driver else ""
        usable, total = format_bytes(device.allocatable), format_bytes(device.memory_total)
        yield good("device", Fact.DEVICE, name=device.name, usable=usable, total=total, driver=driver)
    for why in notes:
        health = Health.OK if why.code in HARMLESS else Health.WARN
        yield Finding(name="device", health=health, why=why)


def engine_findings(settings: Settings, devices: Sequence[Device] = ()) -> Iterator[Finding]:
    """The program that runs GGUF models, or why there is none; then those that run safetensors models, and whether the
    driver is new enough for them."""
    from aimindserve.node.environments import Environments
    from aimindserve.node.vllm_programs import vllm_programs

    found = asyncio.run(Environments(settings.llama_server).llama_cpp())
    yield failure("engine", found) if isinstance(found, Reason) else _engine(found[0])
    driver = next((device.driver for device in devices if device.driver), "")
    for install in vllm_programs(Path(settings.paths.engines)):
        lack = driver_lack(driver or "", install)
        yield failure("engine", lack) if lack else _engine(install)


def _engine(install: EngineInstall) -> Finding:
    shown = install.model_dump(include={"engine", "version", "flavour", "path"})
    return good("engine", Fact.ENGINE, **shown)


def socket_findings(settings: Settings) -> Iterator[Finding]:
    """Engines that run, and every address on which they or their children can be reached from other machines."""
    import psutil

    from aimindserve.cli.engines import living_engines

    engines = living_engines(Path(settings.data_dir))
    exposed: list[Finding] = []
    for engine in engines:
        try:
            root = psutil.Process(engine.process.pid)
            family = [root, *root.children(recursive=True)]
            exposed += [found for process in family for found in _exposed(process)]
        except psutil.Error:
            continue  # it ended, or belongs to another account
    yield from exposed
    if not exposed:
        yield good("sockets", Fact.SOCKETS, count=len(engines))


def _exposed(process: psutil.Process) -> Iterator[Finding]:
    import psutil

    for one in process.net_connections("inet"):
        if one.status == psutil.CONN_LISTEN and one.laddr and not ipaddress.ip_address(one.laddr.ip).is_loopback:
            address = f"{one.laddr.ip}:{one.laddr.port}"
            yield failure("sockets", reason(ReasonCode.ENGINE_EXPOSED, pid=process.pid, address=address))
