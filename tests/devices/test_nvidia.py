"""NVIDIA GPUs as NVML describes them, and NVML in trouble."""

import inspect
import os
import threading
import time
from pathlib import Path

import pynvml
import pytest
from tests.devices.fake_nvml import MIB, FakeNvml, Gpu

from aimindserve.devices._base import Found
from aimindserve.devices.nvidia import Nvidia, Reading, parse
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.reasons import ReasonCode

H100 = Gpu(
    "NVIDIA H100 80GB HBM3",
    "GPU-h100",
    81559,
    used=1000,
    reserved=551,
    utilization=37,
    temperature=54,
    capability=(9, 0),
)
RTX4090 = Gpu("NVIDIA GeForce RTX 4090", "GPU-4090", 24564, reserved=343)


def probe(nvml: FakeNvml) -> Found:
    return Nvidia(lambda: nvml).probe()


def test_every_gpu_with_its_numbers() -> None:
    h100, rtx = probe(FakeNvml(H100, RTX4090)).devices
    assert (h100.id, h100.kind, h100.name, h100.index) == ("GPU-h100", DeviceKind.NVIDIA, H100.name, 0)
    assert h100.memory_total == 81559 * MIB
    assert h100.allocatable == (81559 - 551) * MIB
    assert h100.memory_free == (81559 - 551 - 1000) * MIB
    assert (h100.utilization, h100.temperature_c, h100.driver) == (37.0, 54.0, "580.95.05")
    assert (rtx.id, rtx.index) == ("GPU-4090", 1)
    assert (h100.compute_capability, rtx.compute_capability) == ("9.0", "8.9")


def test_power_and_who_holds_memory() -> None:
    mine = os.getpid()
    gpu = Gpu("NVIDIA L40S", "GPU-l40s", 46068, processes={mine: 100, 2**22 + 1: 900, 7: None})
    (device,) = probe(FakeNvml(gpu)).devices
    assert device.power_w == 61.5
    assert [(one.pid, one.bytes // MIB) for one in device.processes] == [(2**22 + 1, 900), (mine, 100), (7, 0)]
    assert device.processes[0].name == ""
    assert device.processes[1].name == Path(f"/proc/{mine}/comm").read_text().strip()


def test_an_old_driver_knows_no_second_version_of_memory() -> None:
    (device,) = probe(FakeNvml(Gpu("Tesla T4", "GPU-t4", 15360, reserved=300, lacks={"memory_v2"}))).devices
    assert device.memory_total == device.allocatable == 15360 * MIB
    assert device.memory_free == (15360 - 300) * MIB


def test_what_a_device_cannot_tell_is_unknown() -> None:
    (device,) = probe(
        FakeNvml(Gpu("Grid", "GPU-grid", 100, lacks={"utilization", "temperature", "capability"}))
    ).devices
    assert device.utilization is None
    assert device.temperature_c is None
    assert device.compute_capability is None


def test_mig_slices_stand_for_their_gpu() -> None:
    slices = [Gpu(f"NVIDIA A100 MIG 3g.20gb {k}", f"MIG-{k}", 19968, lacks={"utilization"}) for k in range(2)]
    whole = Gpu("NVIDIA A100", "GPU-a100", 40960, mig=slices)
    found = probe(FakeNvml(whole, Gpu("NVIDIA A100", "GPU-b", 40960, mig=[])))
    assert [device.id for device in found.devices] == ["MIG-0", "MIG-1", "GPU-b"]
    assert found.devices[0].memory_total == 19968 * MIB


@pytest.mark.parametrize("number", [pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED])
def test_no_driver_is_a_fact(number: int) -> None:
    found = probe(FakeNvml(fails=number))
    assert found.devices == ()
    assert [(note.code, note.params) for note in found.notes] == [(ReasonCode.DRIVER_ABSENT, {"vendor": "NVIDIA"})]


def test_a_failing_driver_is_told_in_its_own_words() -> None:
    (note,) = probe(FakeNvml(H100, fails=pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH)).notes
    assert note.code == ReasonCode.DEVICE_PROBE_FAILED
    assert "version mismatch" in str(note.params["detail"])


def test_a_lost_gpu_does_not_hide_the_others() -> None:
    lost = Gpu("NVIDIA H100 80GB HBM3", "GPU-lost", 81559, broken=pynvml.NVML_ERROR_GPU_IS_LOST)
    found = probe(FakeNvml(lost, RTX4090))
    assert [device.id for device in found.devices] == ["GPU-4090"]
    assert [note.params["detail"] for note in found.notes] == ["GPU 0: GPU is lost"]


def test_missing_package_is_told() -> None:
    def load() -> object:
        raise ImportError("pynvml")

    (note,) = Nvidia(load).probe().notes
    assert note.code == ReasonCode.DEVICE_PROBE_FAILED


def test_a_hanging_driver_costs_the_time_limit_and_one_thread() -> None:
    nvml = FakeNvml(H100)
    nvml.hang = threading.Event()
    family = Nvidia(lambda: nvml, time_limit=0.05)
    before = time.monotonic()
    notes = [family.probe().notes for _ in range(3)]
    assert time.monotonic() - before < 5
    assert all("no answer within 0.05 s" in str(note.params["detail"]) for (note,) in notes)
    assert sum(thread.name == "nvml" for thread in threading.enumerate()) == 1
    nvml.hang.set()
    patient = Nvidia(lambda: nvml, time_limit=30)
    assert [device.id for device in patient.probe().devices] == ["GPU-h100"]


def test_nvml_is_opened_once_and_again_after_trouble() -> None:
    nvml = FakeNvml(H100)
    family = Nvidia(lambda: nvml)
    assert [len(family.probe().devices) for _ in range(3)] == [1, 1, 1]
    assert nvml.inits == 1
    nvml.initialised = False
    assert family.probe().notes[0].code == ReasonCode.DEVICE_PROBE_FAILED
    assert len(family.probe().devices) == 1
    assert nvml.inits == 2


def test_the_drivers_part_never_makes_memory_negative() -> None:
    assert parse(Reading("u", "n", 0, total=1, free=0, reserved=2)).allocatable == 0


def test_the_emulator_has_the_real_signatures() -> None:
    """Else the emulator would prove nothing."""
    names = [name for name in dir(FakeNvml) if name.startswith("nvml") and callable(getattr(FakeNvml, name))]
    assert len(names) > 8
    for name in names:
        real = inspect.signature(getattr(pynvml, name)).parameters
        emulated = list(inspect.signature(getattr(FakeNvml, name)).parameters)[1:]
        assert len(real) == len(emulated), name


def test_what_processes_hold_on_each_gpu() -> None:
    slices = [Gpu("slice", f"MIG-{k}", 19968, processes={7: 10 * (k + 1)}) for k in range(2)]
    nvml = FakeNvml(
        Gpu("NVIDIA L40S", "GPU-a", 46068, processes={7: 100, 8: 50, 9: 1000, 10: None}),
        Gpu("NVIDIA L40S", "GPU-b", 46068, processes={9: 1000}),
        Gpu("NVIDIA A100", "GPU-c", 40960, mig=slices),
        Gpu("NVIDIA L40S", "GPU-d", 46068, lacks={"processes"}),
        Gpu("NVIDIA L40S", "GPU-e", 46068, broken=pynvml.NVML_ERROR_GPU_IS_LOST),
    )
    family = Nvidia(lambda: nvml)
    assert family.used_by([7, 8, 10]) == {}, "nobody has asked for its devices yet"
    family.probe()
    assert family.used_by([7, 8, 10]) == {"GPU-a": 150 * MIB, "MIG-0": 10 * MIB, "MIG-1": 20 * MIB}
    assert family.used_by([]) == {}


def test_a_driver_that_hangs_tells_nothing_of_processes() -> None:
    nvml = FakeNvml(Gpu("NVIDIA L40S", "GPU-a", 46068, processes={7: 100}))
    family = Nvidia(lambda: nvml, time_limit=0.05)
    family.probe()
    nvml.hang = threading.Event()
    assert family.used_by([7]) == {}
    nvml.hang.set()
