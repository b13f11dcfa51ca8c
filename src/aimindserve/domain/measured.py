"""What a running engine really took, beside what was estimated."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.lessons import GROUPS, Sample
from aimindserve.domain.memory import MemoryEstimate, Place
from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.specs import EngineName
from aimindserve.domain.units import MIB

TOTAL = "total"
"""All that the engine's processes hold, as the driver or the kernel counts it."""


# Where hundredths of a GiB are 2 %.
_COARSE = 256 * MIB


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Reading(_Frozen):
    """A figure of an engine's log in bytes, on each of its devices (where these differ: on all of them together) or in
    the machine's memory beside GPUs."""

    item: str
    bytes: int
    place: Place = Place.DEVICE


class LogReadings(_Frozen):
    """All figures of one start. ``cache_tokens``: tokens that the cache holds, where the log says."""

    readings: tuple[Reading, ...] = ()
    cache_tokens: int | None = None


class DeviceReading(_Frozen):
    """A figure with the device that it was taken on (for what is the same on several GPUs, the first)."""

    device_id: str
    item: str
    bytes: int


class Measurement(_Frozen):
    """What one start took, read once it served. ``version``: of the engine's program. ``at``: Unix seconds."""

    attempt: int
    at: float
    engine: EngineName
    version: str
    on_gpu: bool
    items: tuple[DeviceReading, ...]
    cache_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure beside its estimate, in bytes: ``estimated`` likely and ``high``, as they were at the start (None
    where nothing was estimated); ``base``: without corrections."""

    device_id: str
    item: str
    measured: int
    estimated: int | None = None
    high: int | None = None
    base: int | None = None

    @property
    def sample(self) -> Sample | None:
        """What it teaches; nothing without an estimate."""
        return Sample(self.item, self.base, self.measured) if self.base else None


def compare(estimate: MemoryEstimate, measurement: Measurement) -> tuple[Compared, ...]:
    """Each figure beside the items of the estimate that it stands for."""
    return tuple(_compared(estimate, one, measurement) for one in measurement.items)


def _compared(estimate: MemoryEstimate, reading: DeviceReading, measurement: Measurement) -> Compared:
    if reading.item == TOTAL:
        expected = _total(estimate, reading.device_id, on_gpu=measurement.on_gpu)
        return Compared(reading.device_id, TOTAL, reading.bytes, *expected)
    items = [one for one in estimate.all_items if one.item in GROUPS.get(reading.item, (reading.item,))]
    if not items:
        return Compared(reading.device_id, reading.item, reading.bytes)
    return Compared(
        reading.device_id,
        reading.item,
        reading.bytes,
        sum(one.bytes for one in items),
        sum(one.high for one in items),
        sum(one.uncorrected for one in items) if _teaches(reading, measurement.engine) else None,
    )


def _teaches(reading: DeviceReading, engine: EngineName) -> bool:
    """VLLM logs hundredths of a GiB, too coarse for small figures; and what its cache gets is set or left over."""
    return engine != "vllm" or (reading.item != "kv_cache" and reading.bytes >= _COARSE)


def _total(estimate: MemoryEstimate, device_id: str, *, on_gpu: bool) -> tuple[int, int]:
    """Likely and at most: on a GPU; in the machine's memory beside GPUs; on the CPU both together."""
    if not on_gpu:
        return estimate.total + estimate.host_total, estimate.high + estimate.host_high
    if device_id == CPU_DEVICE_ID:
        return estimate.host_total, estimate.host_high
    return estimate.total, estimate.high


def located(readings: Sequence[Reading], device_id: str) -> tuple[DeviceReading, ...]:
    """Figures of a log with their devices; those of one item on one device are added up."""
    found: dict[tuple[str, str], int] = {}
    for one in readings:
        key = (CPU_DEVICE_ID if one.place is Place.HOST else device_id, one.item)
        found[key] = found.get(key, 0) + one.bytes
    return tuple(DeviceReading(device_id=device, item=item, bytes=size) for (device, item), size in found.items())
