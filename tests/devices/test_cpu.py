"""The CPU and its memory, on machines and in containers."""

import os
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.devices.cgroup import Limits, Usage, parse_cpu_max, parse_membership, read_limits, read_usage
from aimindserve.devices.cpu import Cpu, Reading, model_name, parse
from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.units import GIB, MIB


def reading(**changes: object) -> Reading:
    values: dict[str, object] = {
        "name": "AMD EPYC 9354",
        "physical": 8,
        "logical": 16,
        "affinity": 16,
        "memory_total": 64 * GIB,
        "memory_available": 50 * GIB,
        "utilization": 3.0,
    }
    return Reading(**{**values, **changes})  # type: ignore[arg-type]


def test_a_plain_machine() -> None:
    device = parse(reading())
    assert (device.id, device.cores, device.threads) == ("cpu", 8, 16)
    assert (device.memory_total, device.memory_free) == (64 * GIB, 50 * GIB)
    assert device.allocatable == 64 * GIB - int(6.4 * GIB)


@pytest.mark.parametrize(
    ("total", "reserved"), [(2 * GIB, 512 * MIB), (20 * GIB, 2 * GIB), (512 * GIB, 8 * GIB), (256 * MIB, 256 * MIB)]
)
def test_the_systems_share_is_left_out(total: int, reserved: int) -> None:
    assert parse(reading(memory_total=total)).allocatable == total - reserved


def test_a_container_with_a_quota_and_a_memory_limit() -> None:
    limits = Limits(processors=2.5, memory=4 * GIB)
    device = parse(reading(limits=limits, usage=Usage(1 * GIB)))
    assert (device.cores, device.threads) == (2, 3)
    assert (device.memory_total, device.memory_free) == (4 * GIB, 3 * GIB)
    assert device.allocatable < 4 * GIB


def test_affinity_and_unknown_cores() -> None:
    assert parse(reading(affinity=2)).cores == 1
    assert parse(reading(physical=None)).cores == 16


@given(
    physical=st.none() | st.integers(1, 256),
    logical=st.integers(1, 512),
    affinity=st.integers(0, 512),
    processors=st.none() | st.floats(0.01, 1000),
    total=st.integers(1, 1 << 44),
    available=st.integers(0, 1 << 44),
    memory=st.none() | st.integers(1, 1 << 44),
    used=st.integers(0, 1 << 44),
)
def test_whatever_is_read_the_device_makes_sense(
    physical: int | None,
    logical: int,
    affinity: int,
    processors: float | None,
    total: int,
    available: int,
    memory: int | None,
    used: int,
) -> None:
    device = parse(
        reading(
            physical=physical,
            logical=logical,
            affinity=affinity,
            memory_total=total,
            memory_available=min(available, total),
            limits=Limits(processors, memory),
            usage=Usage(used),
        )
    )
    assert device.cores is not None
    assert device.threads is not None
    assert 1 <= device.cores <= device.threads <= logical
    assert 0 <= device.allocatable <= device.memory_total <= total
    assert 0 <= device.memory_free <= device.memory_total


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_version_2_takes_the_tightest_limit_on_the_way_up(tmp_path: Path) -> None:
    top = "sys/fs/cgroup"
    _write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/system.slice/own.service\n",
            f"{top}/cpu.max": "max 100000\n",
            f"{top}/system.slice/cpu.max": "150000 100000\n",
            f"{top}/system.slice/own.service/cpu.max": "400000 100000\n",
            f"{top}/system.slice/memory.max": "4294967296\n",
            f"{top}/system.slice/own.service/memory.max": "max\n",
            f"{top}/system.slice/own.service/memory.current": "1000000\n",
            f"{top}/system.slice/own.service/memory.stat": "anon 5\ninactive_file 400000\n",
        },
    )
    assert read_limits(tmp_path) == Limits(1.5, 4 * GIB)
    assert read_usage(tmp_path) == Usage(600_000)


def test_version_1_and_its_number_for_no_limit(tmp_path: Path) -> None:
    top = "sys/fs/cgroup"
    _write(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/box\n2:cpu,cpuacct:/box\n",
            f"{top}/cpu/box/cpu.cfs_quota_us": "50000\n",
            f"{top}/cpu/box/cpu.cfs_period_us": "100000\n",
            f"{top}/memory/memory.limit_in_bytes": "9223372036854771712\n",
            f"{top}/memory/box/memory.limit_in_bytes": "1073741824\n",
            f"{top}/memory/box/memory.usage_in_bytes": "7\n",
        },
    )
    assert read_limits(tmp_path) == Limits(0.5, GIB)
    assert read_usage(tmp_path) == Usage(7)


def test_a_container_whose_own_folder_is_not_visible(tmp_path: Path) -> None:
    _write(tmp_path, {"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/memory.max": "1073741824\n"})
    assert read_limits(tmp_path) == Limits(None, GIB)


def test_no_cgroups_at_all(tmp_path: Path) -> None:
    assert read_limits(tmp_path) == Limits()
    assert read_usage(tmp_path) == Usage()


def test_odd_texts() -> None:
    assert parse_cpu_max("x y") is None
    assert parse_cpu_max("-1 100000") is None
    assert parse_membership("nonsense\n1:name=systemd:/\n") == {"name=systemd": "/"}
    assert model_name("processor: 0\nmodel name\t: Intel(R)  Xeon(R)\n") == "Intel(R) Xeon(R)"
    assert model_name("") == ""


def test_this_machine() -> None:
    cpu = Cpu()
    (device,) = cpu.probe().devices
    assert device.memory_total <= psutil.virtual_memory().total
    assert 0 < device.memory_free <= device.memory_total
    assert device.cores
    assert device.name
    assert device.utilization is None
    again = cpu.probe().devices[0].utilization
    assert again is not None
    assert 0 <= again <= 100


def test_what_processes_hold() -> None:
    held = Cpu().used_by([os.getpid(), 2**22 + 1])
    assert held == {CPU_DEVICE_ID: pytest.approx(psutil.Process().memory_info().rss, rel=0.2)}
    assert Cpu().used_by([]) == {}
