"""NVIDIA GPUs, through NVML."""

import importlib
import queue
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aimindserve.devices._base import Found
from aimindserve.domain.nodes import Device, DeviceKind, DeviceProcess
from aimindserve.domain.reasons import Reason, ReasonCode, reason

VENDOR = "NVIDIA"
# A driver in trouble may never answer; the machine's other facts must not wait for it.
TIME_LIMIT_SECONDS = 5.0
# The number of NVML_ERROR_LIBRARY_NOT_FOUND and NVML_ERROR_DRIVER_NOT_LOADED (nvml.h): no driver, which is no fault.
_NO_DRIVER = {12, 9}
_MOST_PROCESSES = 32


@dataclass(frozen=True, slots=True)
class Reading:
    """What NVML says of one GPU or MIG slice. Memory in bytes; ``reserved`` is the driver's own part of ``total``;
    ``capability``: major and minor number of its generation; ``processes``: id and bytes of who uses it."""

    uuid: str
    name: str
    index: int
    total: int
    free: int
    reserved: int = 0
    driver: str = ""
    utilization: float | None = None
    temperature_c: float | None = None
    capability: tuple[int, int] | None = None
    power_w: float | None = None
    processes: tuple[DeviceProcess, ...] = ()


def parse(reading: Reading) -> Device:
    """A GPU as a device. What the driver keeps for itself cannot be claimed."""
    return Device(
        id=reading.uuid,
        kind=DeviceKind.NVIDIA,
        name=reading.name,
        index=reading.index,
        memory_total=reading.total,
        memory_free=reading.free,
        allocatable=max(0, reading.total - reading.reserved),
        utilization=reading.utilization,
        temperature_c=reading.temperature_c,
        power_w=reading.power_w,
        processes=tuple(sorted(reading.processes, key=lambda one: (-one.bytes, one.pid))[:_MOST_PROCESSES]),
        driver=reading.driver or None,
        compute_capability="{}.{}".format(*reading.capability) if reading.capability else None,
    )


def _words(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _program(pid: int) -> str:
    """The name of a process; "" where it is gone, or another container's."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return ""


class _Session:
    """Calls to a loaded NVML. ``nvml`` is the module ``pynvml`` or something that behaves like it."""

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        self._driver = _words(nvml.nvmlSystemGetDriverVersion())

    def found(self) -> Found:
        devices: list[Device] = []
        notes: list[Reason] = []
        for index in range(self._nvml.nvmlDeviceGetCount()):
            try:
                handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
                slices = self._slices(handle)
                readings = [self._read(one, index) for one in slices or [handle]]
            except self._nvml.NVMLError as error:
                notes.append(reason(ReasonCode.DEVICE_PROBE_FAILED, vendor=VENDOR, detail=f"GPU {index}: {error}"))
                continue
            devices += map(parse, readings)
        return Found(tuple(devices), tuple(notes))

    def used_by(self, pids: Collection[int]) -> dict[str, int]:
        """Bytes that these processes hold, by GPU or slice; GPUs on which they hold none, or that do not tell, are left
        out. In a container the driver may count with the machine's process ids: then nothing is found."""
        nvml, found = self._nvml, dict[str, int]()
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = self._optional(lambda index=index: nvml.nvmlDeviceGetHandleByIndex(index))
            for one in (self._slices(handle) or [handle]) if handle is not None else []:
                running = self._optional(lambda one=one: nvml.nvmlDeviceGetComputeRunningProcesses(one)) or []
                held = sum(process.usedGpuMemory or 0 for process in running if process.pid in pids)
                if held:
                    found[_words(nvml.nvmlDeviceGetUUID(one))] = int(held)
        return found

    def _slices(self, handle: Any) -> list[Any]:
        """The MIG slices of a GPU that is cut up; a program can use only those, not the whole."""
        nvml = self._nvml
        mode = self._optional(lambda: nvml.nvmlDeviceGetMigMode(handle)[0])
        if mode != nvml.NVML_DEVICE_MIG_ENABLE:
            return []
        at = range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle))
        slices = (self._optional(lambda k=k: nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, k)) for k in at)
        return [one for one in slices if one is not None]

    def _read(self, handle: Any, index: int) -> Reading:
        nvml = self._nvml
        memory = self._optional(lambda: nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2))
        # Drivers before 510 know no second version; they count their own part as used.
        memory = memory or nvml.nvmlDeviceGetMemoryInfo(handle)
        busy = self._optional(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        heat = self._optional(lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        capability = self._optional(lambda: nvml.nvmlDeviceGetCudaComputeCapability(handle))
        milliwatts = self._optional(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        return Reading(
            uuid=_words(nvml.nvmlDeviceGetUUID(handle)),
            name=_words(nvml.nvmlDeviceGetName(handle)),
            index=index,
            total=int(memory.total),
            free=int(memory.free),
            reserved=int(getattr(memory, "reserved", 0)),
            driver=self._driver,
            utilization=None if busy is None else float(busy),
            temperature_c=None if heat is None else float(heat),
            capability=(int(capability[0]), int(capability[1])) if capability else None,
            power_w=None if milliwatts is None else milliwatts / 1000,
            processes=tuple(self._processes(handle)),
        )

    def _processes(self, handle: Any) -> Iterator[DeviceProcess]:
        running = self._optional(lambda: self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)) or []
        for process in running:
            yield DeviceProcess(pid=process.pid, name=_program(process.pid), bytes=process.usedGpuMemory or 0)

    def _optional(self, call: Callable[[], Any]) -> Any:
        """What not every device can tell: None then."""
        try:
            return call()
        except self._nvml.NVMLError:
            return None


class Nvidia:
    """The family. ``load`` gives the NVML module. Returns within ``time_limit`` seconds even if the driver hangs."""

    def __init__(
        self,
        load: Callable[[], Any] = lambda: importlib.import_module("pynvml"),
        time_limit: float = TIME_LIMIT_SECONDS,
    ) -> None:
        self._load, self._time_limit = load, time_limit
        self._session: _Session | None = None
        self._asked: threading.Thread | None = None
        self._answers: queue.SimpleQueue[Found] = queue.SimpleQueue()

    def probe(self) -> Found:
        """The GPUs; a note instead when there is no driver, or it fails or does not answer."""
        if self._asked is None or not self._asked.is_alive():
            self._answers = queue.SimpleQueue()
            # A daemon: a hanging driver must not keep the process from ending, and only one thread waits for it.
            self._asked = threading.Thread(target=self._ask, args=(self._answers,), name="nvml", daemon=True)
            self._asked.start()
        try:
            return self._answers.get(timeout=self._time_limit)
        except queue.Empty:
            return _failed(f"no answer within {self._time_limit:g} s")

    def used_by(self, pids: Collection[int]) -> Mapping[str, int]:
        """Bytes that processes hold, by GPU; nothing when there is no driver, or it does not answer in time."""
        answers: queue.SimpleQueue[dict[str, int]] = queue.SimpleQueue()

        def ask() -> None:
            session = self._session
            try:
                answers.put(session.used_by(pids) if session is not None else {})
            except self._load().NVMLError:
                answers.put({})

        threading.Thread(target=ask, name="nvml-processes", daemon=True).start()
        try:
            return answers.get(timeout=self._time_limit)
        except queue.Empty:
            return {}

    def _ask(self, answers: "queue.SimpleQueue[Found]") -> None:
        answers.put(self._found())

    def _found(self) -> Found:
        try:
            nvml = self._load()
        except ImportError:
            return _failed("the package nvidia-ml-py is not installed")
        try:
            if self._session is None:
                # Kept open: without a user, some drivers shut the GPU down, which takes seconds to undo.
                nvml.nvmlInit()
                self._session = _Session(nvml)
            return self._session.found()
        except nvml.NVMLError as error:
            self._session = None
            if getattr(error, "value", None) in _NO_DRIVER:
                return Found(notes=(reason(ReasonCode.DRIVER_ABSENT, vendor=VENDOR),))
            return _failed(str(error))


def _failed(detail: str) -> Found:
    return Found(notes=(reason(ReasonCode.DEVICE_PROBE_FAILED, vendor=VENDOR, detail=detail),))
