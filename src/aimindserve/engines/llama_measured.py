"""The memory that a llama.cpp server writes into its log: buffers by device. And which part found no room.

Wordings of xllamacpp 2026.10 and llama-server b11434 (verbosity 4), and of builds of 2024 and 2025 (llm_load_tensors,
llama_new_context_with_model, clip_model_load) as their issues quote them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from aimindserve.domain.measured import LogReadings, Reading
from aimindserve.domain.memory import Place
from aimindserve.domain.relief import UNKNOWN
from aimindserve.domain.units import MIB

_BUFFER = re.compile(
    r"(?P<who>\w+): +(?P<device>\S+?) +(?P<kind>model|KV|RS|compute|output|)\s*buffer size *= *(?P<size>[\d.]+) MiB"
)
_SIGHT_WEIGHTS = re.compile(r"(?:load_hparams|clip_\w+): model size: +([\d.]+) Mi?B")
_SIGHT_OLD = re.compile(r"clip_\w+: compute allocated memory: +([\d.]+) Mi?B")
_SIGHT_DEVICE = re.compile(r"CLIP using (\S+) backend")
_BEGINS = re.compile(r"llama_model_loader: loaded meta data|llama_model_load_from_file_impl: using device")
_CONTEXT_BEGINS = re.compile(r"constructing llama_context|llama_new_context_with_model: n_ctx ")
# The parts of the server that work on pictures.
_SIGHT = re.compile(r"compute_meta|^clip|^warmup|^mtmd")
_ITEMS = {"model": "weights", "": "weights", "KV": "kv_cache", "RS": "kv_cache"}
_HOST_ITEMS = {"weights": "weights_host", "kv_cache": "kv_cache_host", "compute": "compute_host"}


@dataclass
class _Sums:
    """MiB by item and device. What one load names several times (a dry run before it, a second reservation) counts
    once."""

    model: dict[str, float] = field(default_factory=dict[str, float])
    cache: dict[str, float] = field(default_factory=dict[str, float])
    compute: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    sight: dict[str, float] = field(default_factory=dict[str, float])
    sight_weights: float = 0.0
    sight_device: str = "CPU"

    def take(self, line: str) -> None:
        if _BEGINS.search(line):
            self.model, self.cache, self.compute = {}, {}, {}
        elif _CONTEXT_BEGINS.search(line):
            self.cache, self.compute = {}, {}
        elif found := _SIGHT_DEVICE.search(line):
            self.sight_device = found[1]
        elif found := _SIGHT_WEIGHTS.search(line):
            self.sight_weights = float(found[1])
        elif found := _SIGHT_OLD.search(line):
            self.sight[self.sight_device] = float(found[1])
        elif found := _BUFFER.search(line):
            self._buffer(found["who"], found["device"], found["kind"], float(found["size"]))

    def _buffer(self, who: str, device: str, kind: str, size: float) -> None:
        if kind in ("compute", "output") and _SIGHT.search(who):
            self.sight[device] = size
        elif kind in ("compute", "output"):
            self.compute[device, kind] = size
        elif kind in ("KV", "RS"):
            self.cache[device] = self.cache.get(device, 0.0) + size
        else:
            self.model[device] = self.model.get(device, 0.0) + size


def read_buffers(lines: Sequence[str], *, on_gpu: bool) -> LogReadings:
    """The sizes of all buffers, by item."""
    sums = _Sums()
    for line in lines:
        sums.take(line)
    found = [
        *(("weights", device, size) for device, size in sums.model.items()),
        *(("kv_cache", device, size) for device, size in sums.cache.items()),
        *(("compute", device, size) for (device, _), size in sums.compute.items()),
        *(("vision_compute", device, size) for device, size in sums.sight.items()),
    ]
    if sums.sight_weights:
        found.append(("projector", sums.sight_device, sums.sight_weights))
    totals: dict[tuple[str, Place], float] = {}
    for item, device, size in found:
        place = Place.HOST if on_gpu and _is_host(device) else Place.DEVICE
        key = (_HOST_ITEMS.get(item, item) if place is Place.HOST else item, place)
        totals[key] = totals.get(key, 0.0) + size
    readings = (Reading(item=item, place=place, bytes=round(size * MIB)) for (item, place), size in totals.items())
    return LogReadings(readings=tuple(one for one in readings if one.bytes))


def _is_host(device: str) -> bool:
    """``CPU``, ``CPU_Mapped``, ``CPU_REPACK``; what a GPU reads from the machine's memory is ``CUDA_Host``."""
    return device.startswith("CPU") or device.endswith("_Host")


# Which part found no room: the consequence names it, the cause only says how many bytes it was.
_FAILED = (
    ("kv_cache", r"failed to allocate buffer for (?:kv|rs) cache"),
    ("compute", r"failed to allocate compute|failed to allocate output buffer"),
    (
        "weights",
        r"unable to allocate \S+ buffer|failed to allocate buffer for model|llama_model_load: .*failed to alloc",
    ),
    (
        "vision_compute",
        r"failed to load multimodal model|[Ff]ailed to load CLIP|reserve_compute_meta|clip_model_loader:",
    ),
)


def failed_part(lines: Sequence[str]) -> str:
    """The part of the memory for which a start that ran out of it had no room."""
    for item, pattern in _FAILED:
        if any(re.search(pattern, line) for line in lines):
            return item
    return UNKNOWN
