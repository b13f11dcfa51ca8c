"""vLLM's arguments in the quantities that its memory depends on, and the memory that they take."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.image_families import ImageFamily, image_family
from aimindserve.domain.lessons import Correction, corrected
from aimindserve.domain.memory import MemoryEstimate, MemoryItem, Place
from aimindserve.domain.memory_vllm import cache_item as cache_line
from aimindserve.domain.memory_vllm import estimate_vllm
from aimindserve.domain.nodes import DeviceKind, EngineInstall
from aimindserve.domain.params import Origin
from aimindserve.domain.runs import VllmRun
from aimindserve.domain.units import GIB
from aimindserve.engines._base import Machine, ParameterPlan, Sight
from aimindserve.engines._flags import read_size
from aimindserve.engines.vllm_flags import before
from aimindserve.engines.vllm_pictures import seen_by
from aimindserve.engines.vllm_words import read_object

# Where the configuration does not tell what the model was trained on.
CONTEXT_UNKNOWN = 4096
# What vLLM does unless it is told.
_SEQUENCES, _IMAGES = 256, 999
# From this version on CUDA graphs are part of the share of the device that vLLM takes.
_GRAPHS_COUNTED = "0.21"
# From this version on the CPU's cache has a size in bytes; before, in whole GiB (VLLM_CPU_KVCACHE_SPACE).
_CPU_CACHE_BYTES = "0.32"
# Tokens for which there is more cache than is needed.
_SPARE_TOKENS = 256
_PICTURES_KEPT = "picture_cache"
_NOT_ON_CPU = ("cuda_graphs", "non_torch")


@dataclass(frozen=True, slots=True)
class Sizing:
    """A run, and who decides on the cache: ``cache_bytes``, a fixed size; ``share_bytes``, what is left of a share of
    the device; both None: what the run needs. ``corrections``: of the estimate, by earlier starts."""

    run: VllmRun
    on_cpu: bool = False
    cache_bytes: int | None = None
    share_bytes: int | None = None
    corrections: tuple[Correction, ...] = ()


def is_on_cpu(machine: Machine | None, install: EngineInstall | None) -> bool:
    """Whether the engine will run on the CPU."""
    if machine is not None and machine.device is not None:
        return machine.device.kind is DeviceKind.CPU
    return install is not None and not install.gpu_kinds and not (machine and machine.gpus)


def sizing_of(facts: ModelFacts, plan: ParameterPlan, version: str, install: EngineInstall | None) -> Sizing:
    """How vLLM will run with the planned arguments."""
    machine = plan.machine
    values = {item.flag: item.value for item in plan.parameters}
    on_cpu = is_on_cpu(machine, install)
    device = machine.device if machine else None
    run = vllm_run(facts, values, version, device.memory_total if device else None)
    cache = values.get("--kv-cache-memory-bytes")
    share = next((p.value for p in plan.parameters if _is_your_share(p.flag, p.origin)), None)
    return Sizing(
        run,
        on_cpu,
        cache_bytes=int(cache) if cache else None,
        share_bytes=math.ceil(float(share) * device.memory_total) if share and device else None,
        corrections=plan.lessons.corrections,
    )


def _is_your_share(flag: str, origin: Origin) -> bool:
    return flag == "--gpu-memory-utilization" and origin is Origin.YOURS


def vllm_run(facts: ModelFacts, values: Mapping[str, str | None], version: str, device_bytes: int | None) -> VllmRun:
    """The run of arguments: flags with their values, None for a switch."""

    def number(flag: str, otherwise: int) -> int:
        text = values.get(flag)
        try:
            return read_size(text) if text else otherwise
        except ValueError:
            return otherwise

    limits = read_object(values.get("--limit-mm-per-prompt"))
    quantization = values.get("--quantization")
    images = 0 if "--language-model-only" in values else picture_limit(limits)
    return VllmRun(
        version=version,
        context_tokens=number("--max-model-len", facts.context_length or CONTEXT_UNKNOWN),
        sequences=number("--max-num-seqs", _SEQUENCES),
        batch_tokens=number("--max-num-batched-tokens", 0) or None,
        tensor_parallel=number("--tensor-parallel-size", 1),
        pipeline_parallel=number("--pipeline-parallel-size", 1),
        dtype=_dtype(values.get("--dtype")),
        cache_dtype=values.get("--kv-cache-dtype") or "auto",
        quantization=quantization if facts.quantized is None else None,
        eager="--enforce-eager" in values,
        images=images,
        image_pixels=pixel_limit(read_object(values.get("--mm-processor-kwargs"))),
        device_bytes=device_bytes,
        encoder_mode="data" if values.get("--mm-encoder-tp-mode") == "data" else "weights",
    )


def _dtype(name: str | None) -> str | None:
    return {None: None, "auto": None, "half": "float16", "float": "float32"}.get(name, name)


def picture_limit(limits: Mapping[str, Any]) -> int:
    """Pictures in one prompt, from the value of ``--limit-mm-per-prompt``."""
    given = given_pictures(limits)
    return _IMAGES if given is None else given


def given_pictures(limits: Mapping[str, Any]) -> int | None:
    """The same; None when it says nothing of pictures."""
    given = _part(limits, "image", "count")
    return given if isinstance(given, int) and given >= 0 else None


def _part(values: Mapping[str, Any], name: str, within: str) -> Any:
    """A value, or what an object in its place calls ``within``."""
    given = values.get(name)
    return cast("dict[str, Any]", given).get(within) if isinstance(given, dict) else given


def pixel_limit(kwargs: Mapping[str, Any]) -> int | None:
    """Pixels of one picture, from the value of ``--mm-processor-kwargs``; None: the model's own limit."""
    given = kwargs.get("max_pixels", _part(kwargs, "size", "longest_edge"))
    return given if isinstance(given, int) and given > 0 else None


def sight(facts: ModelFacts, plan: ParameterPlan) -> Sight:
    """How vLLM sees pictures with the planned arguments: its processor's own rule, within the given area. MiniCPM's
    slices are counted by their area alone."""
    kwargs = read_object(plan.value("--mm-processor-kwargs"))
    seen = seen_by(facts, kwargs)
    vision, exact = seen.vision, image_family(seen) is not ImageFamily.MINICPM
    if vision is None or "--language-model-only" in {item.flag for item in plan.parameters}:
        return Sight(seen.model_copy(update={"vision": None}), exact)
    least = kwargs.get("min_pixels", _part(kwargs, "size", "shortest_edge"))
    bounds = {
        "pixels_min": least if isinstance(least, int) and least > 0 else vision.pixels_min,
        "pixels_max": pixel_limit(kwargs) or vision.pixels_max,
    }
    return Sight(seen.model_copy(update={"vision": vision.model_copy(update=bounds)}), exact)


def measure(facts: ModelFacts, sizing: Sizing) -> MemoryEstimate:
    """Memory of one replica on each device, with the cache as it will be made."""
    estimate = corrected(estimate_vllm(facts, sizing.run), sizing.corrections)
    if sizing.on_cpu:
        estimate = _on_cpu(estimate)
    if sizing.cache_bytes is not None:
        return _with_cache(estimate, sizing.cache_bytes)
    if sizing.share_bytes is not None:
        return _filled(estimate, sizing)
    return estimate


def cache_item(estimate: MemoryEstimate) -> MemoryItem:
    """The item of the cache."""
    return next(item for item in estimate.items if item.item == "kv_cache")


def cache_size(facts: ModelFacts, sizing: Sizing) -> int:
    """Bytes to ask for, so that what the run needs is surely there: pages are longer than 16 tokens on some devices
    (128 on the CPU), and vLLM keeps one for itself."""
    spare = replace(sizing.run, context_tokens=_SPARE_TOKENS, cached_tokens=None, images=0)
    size = cache_line(facts, sizing.run).high + cache_line(facts, spare).high
    return -(-size // GIB) * GIB if has_coarse_cache(sizing) else size


def has_coarse_cache(sizing: Sizing) -> bool:
    """Whether the cache has a size in whole GiB, given by an environment variable."""
    return sizing.on_cpu and before(sizing.run.version, _CPU_CACHE_BYTES)


# A cache of a given size is not estimated: nothing corrects it.
_AS_SET: dict[str, object] = {"base": None, "corrections": ()}


def _with_cache(estimate: MemoryEstimate, size: int) -> MemoryEstimate:
    items = (
        item.model_copy(update={"bytes": size, "high": size, **_AS_SET}) if item.item == "kv_cache" else item
        for item in estimate.items
    )
    return estimate.model_copy(update={"items": tuple(items)})


def _filled(estimate: MemoryEstimate, sizing: Sizing) -> MemoryEstimate:
    """All of a share is taken: vLLM measures what the rest needs and gives what is left to the cache. Unchanged where
    the share is too small."""
    outside = ("cuda_graphs",) if before(sizing.run.version, _GRAPHS_COUNTED) else ()
    measured = sum(item.bytes for item in estimate.device_items if item.item not in (*outside, "kv_cache"))
    left = (sizing.share_bytes or 0) - measured
    if left < cache_item(estimate).bytes:
        return estimate

    def fixed(item: MemoryItem) -> MemoryItem:
        if item.place is Place.HOST or item.item in outside:
            return item
        if item.item == "kv_cache":
            return item.model_copy(update={"bytes": left, "high": left, **_AS_SET})
        return item.model_copy(update={"high": item.bytes})

    return estimate.model_copy(update={"items": tuple(fixed(item) for item in estimate.items)})


def _on_cpu(estimate: MemoryEstimate) -> MemoryEstimate:
    """The machine's memory is the device: what lay beside a GPU lies on it, and what only a GPU has is not there.
    Prepared pictures are kept up to a limit; at first there are none."""

    def moved(item: MemoryItem) -> MemoryItem:
        size = 0 if item.item == _PICTURES_KEPT else item.bytes
        return item.model_copy(update={"place": Place.DEVICE, "bytes": size})

    items = (moved(item) for item in estimate.items if item.item not in _NOT_ON_CPU)
    return estimate.model_copy(update={"items": tuple(items)})
