"""NVIDIA GPUs of this machine, compared with what the vendor's own tool says. Run by ``make test-engines``."""

import shutil
import subprocess

import pytest

from aimindserve.devices.machine import MachineProbe
from aimindserve.devices.nvidia import Nvidia
from aimindserve.domain.nodes import Device, DeviceKind
from aimindserve.domain.units import MIB

pytestmark = pytest.mark.gpu
FIELDS = "uuid,name,memory.total,driver_version,mig.mode.current"


@pytest.fixture(scope="module")
def told() -> list[dict[str, str]]:
    """Every GPU in the words of nvidia-smi; skips with the reason where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        pytest.skip("no nvidia-smi: this machine has no NVIDIA driver")
    command = [tool, f"--query-gpu={FIELDS}", "--format=csv,noheader,nounits"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        pytest.skip(f"nvidia-smi fails: {done.stdout}{done.stderr}")
    rows = [dict(zip(FIELDS.split(","), line.split(", "), strict=True)) for line in done.stdout.splitlines()]
    if any(row["mig.mode.current"] == "Enabled" for row in rows):
        pytest.skip("a GPU is cut into MIG slices, which nvidia-smi lists in another way")
    return rows


@pytest.fixture(scope="module")
def found(told: list[dict[str, str]]) -> tuple[Device, ...]:
    answer = Nvidia().probe()
    assert answer.notes == ()
    assert len(answer.devices) == len(told)
    return answer.devices


def test_identity_and_driver(told: list[dict[str, str]], found: tuple[Device, ...]) -> None:
    assert [(device.id, device.name, device.driver) for device in found] == [
        (row["uuid"], row["name"], row["driver_version"]) for row in told
    ]


def test_memory(told: list[dict[str, str]], found: tuple[Device, ...]) -> None:
    for device, row in zip(found, told, strict=True):
        assert abs(device.memory_total - int(row["memory.total"]) * MIB) <= MIB
        assert 0 < device.allocatable < device.memory_total
        assert 0 <= device.memory_free <= device.allocatable


def test_live_numbers(found: tuple[Device, ...]) -> None:
    for device in found:
        assert device.temperature_c is not None
        assert 0 < device.temperature_c < 120
        assert device.utilization is not None
        assert 0 <= device.utilization <= 100


def test_a_machine_is_its_cpu_and_its_gpus(found: tuple[Device, ...]) -> None:
    devices, notes = MachineProbe()()
    assert [device.kind for device in devices] == [DeviceKind.CPU] + [DeviceKind.NVIDIA] * len(found)
    assert list(notes) == []
