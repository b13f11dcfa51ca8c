"""NVML in memory: the same functions, structures and errors as ``pynvml``, over GPUs described by data."""

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pynvml

MIB = 1024**2


@dataclass
class Gpu:
    """One GPU or MIG slice. Sizes in MiB. ``broken``: an NVML error number of every call about it; ``lacks``:
    functions that this kind of device does not support. ``processes``: what each holds, by process id."""

    name: str
    uuid: str
    total: int
    used: int = 0
    reserved: int = 0
    utilization: int = 0
    temperature: int = 40
    mig: list["Gpu"] | None = None
    broken: int | None = None
    lacks: set[str] = field(default_factory=set)
    processes: dict[int, int | None] = field(default_factory=dict)
    capability: tuple[int, int] = (8, 9)
    milliwatts: int = 61_500


class FakeNvml:
    """What ``importlib.import_module("pynvml")`` would give on a machine with these GPUs.

    ``fails``: the error number of ``nvmlInit``; ``hang``: an event that every call waits for.
    """

    NVMLError = pynvml.NVMLError
    NVML_DEVICE_MIG_ENABLE = pynvml.NVML_DEVICE_MIG_ENABLE
    NVML_TEMPERATURE_GPU = pynvml.NVML_TEMPERATURE_GPU
    nvmlMemory_v2 = pynvml.nvmlMemory_v2  # noqa: N815 - NVML's own name

    def __init__(self, *gpus: Gpu, driver: str = "580.95.05", fails: int | None = None) -> None:
        self.gpus, self.driver, self.fails = list(gpus), driver, fails
        self.initialised, self.inits = False, 0
        self.hang: threading.Event | None = None
        self.calls = 0

    def _call(self, gpu: Gpu | None = None, name: str = "") -> None:
        self.calls += 1
        if self.hang is not None:
            self.hang.wait(30)
        if not self.initialised:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)
        if gpu is not None and gpu.broken is not None:
            raise pynvml.NVMLError(gpu.broken)
        if gpu is not None and name in gpu.lacks:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's own names, here and below
        self.inits += 1
        if self.fails is not None:
            raise pynvml.NVMLError(self.fails)
        self.initialised = True

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        self._call()
        return self.driver

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        self._call()
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Gpu:  # noqa: N802
        self._call(self.gpus[index])
        return self.gpus[index]

    def nvmlDeviceGetMigMode(self, gpu: Gpu) -> list[int]:  # noqa: N802
        self._call(gpu, "mig_mode")
        if gpu.mig is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return [1, 1] if gpu.mig else [0, 0]

    def nvmlDeviceGetMaxMigDeviceCount(self, gpu: Gpu) -> int:  # noqa: N802
        self._call(gpu)
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, gpu: Gpu, index: int) -> Gpu:  # noqa: N802
        self._call(gpu)
        if gpu.mig is None or index >= len(gpu.mig):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return gpu.mig[index]

    def nvmlDeviceGetMemoryInfo(self, gpu: Gpu, version: int | None = None) -> Any:  # noqa: N802
        self._call(gpu, "memory_v2" if version else "memory")
        total, used = gpu.total * MIB, gpu.used * MIB
        reserved = gpu.reserved * MIB
        if version:
            return SimpleNamespace(total=total, reserved=reserved, free=total - reserved - used, used=used)
        return SimpleNamespace(total=total, free=total - reserved - used, used=used + reserved)

    def nvmlDeviceGetComputeRunningProcesses(self, gpu: Gpu) -> list[Any]:  # noqa: N802
        self._call(gpu, "processes")
        return [
            SimpleNamespace(pid=pid, usedGpuMemory=None if size is None else size * MIB)
            for pid, size in gpu.processes.items()
        ]

    def nvmlDeviceGetUtilizationRates(self, gpu: Gpu) -> Any:  # noqa: N802
        self._call(gpu, "utilization")
        return SimpleNamespace(gpu=gpu.utilization, memory=0)

    def nvmlDeviceGetTemperature(self, gpu: Gpu, sensor: int) -> int:  # noqa: N802
        self._call(gpu, "temperature")
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return gpu.temperature

    def nvmlDeviceGetPowerUsage(self, gpu: Gpu) -> int:  # noqa: N802
        self._call(gpu, "power")
        return gpu.milliwatts

    def nvmlDeviceGetCudaComputeCapability(self, gpu: Gpu) -> list[int]:  # noqa: N802
        self._call(gpu, "capability")
        return list(gpu.capability)

    def nvmlDeviceGetUUID(self, gpu: Gpu) -> str:  # noqa: N802
        self._call(gpu)
        return gpu.uuid

    def nvmlDeviceGetName(self, gpu: Gpu) -> str:  # noqa: N802
        self._call(gpu)
        return gpu.name
