"""What earlier starts taught about memory: corrections of the estimate, and how much less to ask for."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.memory import MemoryEstimate, MemoryItem
from aimindserve.domain.units import MIB

# Starts that count, the newest ones; fewer than the least say nothing.
COUNTED_STARTS, LEAST_STARTS = 8, 3
# How far starts may move an item of the estimate; how far failed starts may raise it beside that.
LOWEST, HIGHEST, HIGHEST_FAILED = 0.8, 1.5, 2.0
# By how much the item that failed is raised.
RAISE = 1.25
# Below this, rounding in the log is more than the difference.
_LEAST_BYTES = MIB
_DEAD_BAND = 0.005

# What engines log is sometimes the sum of several items of the estimate.
GROUPS: dict[str, tuple[str, ...]] = {
    "weights": ("weights", "vision_weights"),
    "profile": ("activation", "sampler", "encoder_peak", "encoder_cache"),
}
# Items that starts may correct. What is reserved at the start as a whole may be lowered too; what grows when pictures
# come (llama.cpp warms up with a picture of medium size) or with use only rises.
LOWERED = frozenset({"weights", "projector", "kv_cache", "kv_cache_host", "compute", "profile", "cuda_graphs"})
CORRECTED = LOWERED | {"weights_host", "compute_host", "vision_compute", "non_torch"}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Correction(_Frozen):
    """A factor on one item of the estimate, or on the group of items that the engine logs as one. ``measured``: learned
    from ``starts`` starts; ``failed``: this deployment ran out of memory there."""

    item: str
    factor: float
    origin: Literal["measured", "failed"] = "measured"
    starts: int = 0


class Lessons(_Frozen):
    """What the plan of one replica heeds. ``context``, ``sequences``: the most that may be chosen for one request and
    at a time; what the user set is no choice. ``whole``: it was wholly on GPUs and must not go elsewhere. ``retry``:
    the deployment's generation whose one retry this is, 0 for none."""

    corrections: tuple[Correction, ...] = ()
    context: int | None = None
    sequences: int | None = None
    whole: bool = False
    retry: int = 0


NOTHING = Lessons()


class Family(NamedTuple):
    """Starts that teach about each other: the same version of an engine, the same architecture, on GPUs or not."""

    engine: str
    version: str
    architecture: str
    on_gpu: bool


@dataclass(frozen=True, slots=True)
class Learned:
    """All that is known: ``corrections`` of every family, and ``own``: the deployment's own lessons."""

    corrections: Mapping[Family, tuple[Correction, ...]] = field(default_factory=dict[Family, tuple[Correction, ...]])
    own: Lessons = NOTHING

    def about(self, family: Family) -> Lessons:
        """The lessons for one replica in such surroundings."""
        found = self.corrections.get(family, ())
        return self.own.model_copy(update={"corrections": (*found, *self.own.corrections)}) if found else self.own


NOTHING_LEARNED = Learned()


@dataclass(frozen=True, slots=True)
class Sample:
    """One start's figure for an item: what the estimate said without corrections, and what was measured. Bytes."""

    item: str
    base: int
    measured: int


def residual(item: str, ratios: Sequence[float]) -> float | None:
    """The factor that starts with these ratios of measured to estimated suggest, newest first; None for no evidence.

    Above 1 it is their median: no single start moves it far. Below 1 it is the largest of them, so that no estimate
    falls below what a start really took. It rises with every ratio, and stays within fixed bounds.
    """
    counted = ratios[:COUNTED_STARTS]
    if len(counted) < LEAST_STARTS:
        return None
    middle = median(counted)
    factor = middle if middle >= 1 else min(1.0, max(counted))
    factor = min(max(factor, LOWEST if item in LOWERED else 1.0), HIGHEST)
    return 1.0 if abs(factor - 1) < _DEAD_BAND else math.ceil(factor * 1000) / 1000


def ratios_of(samples: Iterable[Sample]) -> dict[str, tuple[float, ...]]:
    """Measured by estimated of the starts that count, by item, from samples with the newest first."""
    found: dict[str, list[float]] = {}
    for sample in samples:
        if sample.item in CORRECTED and sample.base >= _LEAST_BYTES:
            found.setdefault(sample.item, []).append(sample.measured / sample.base)
    return {item: tuple(ratios[:COUNTED_STARTS]) for item, ratios in sorted(found.items())}


def learn(ratios: Mapping[str, Sequence[float]]) -> tuple[Correction, ...]:
    """The corrections of a family from its ratios; items that need none are left out."""
    found = ((item, residual(item, of_item), len(of_item)) for item, of_item in ratios.items())
    return tuple(
        Correction(item=item, factor=factor, starts=starts)
        for item, factor, starts in found
        if factor is not None and factor != 1
    )


def corrected(estimate: MemoryEstimate, corrections: Sequence[Correction]) -> MemoryEstimate:
    """The estimate with corrected items; each says by how much, and why."""
    if not corrections:
        return estimate
    items = tuple(_corrected(item, corrections) for item in estimate.items)
    each = tuple(tuple(_corrected(item, corrections) for item in device) for device in estimate.each)
    return estimate.model_copy(update={"items": items, "each": each})


def _corrected(item: MemoryItem, corrections: Sequence[Correction]) -> MemoryItem:
    found = [one for one in corrections if item.item in GROUPS.get(one.item, (one.item,))]
    if not found or not item.high:
        return item
    factor = math.prod(one.factor for one in found)
    size, high = math.ceil(item.bytes * factor), math.ceil(item.high * factor)
    told = tuple(_told(one) for one in found)
    return item.model_copy(update={"bytes": size, "high": high, "base": item.bytes, "corrections": told})


def _told(one: Correction) -> Explained:
    percent = f"{(one.factor - 1) * 100:+.1f}"
    if one.origin == "failed":
        return explained(Why.CORRECTED_FAILED, percent=percent)
    return explained(Why.CORRECTED_MEASURED, percent=percent, starts=one.starts)
