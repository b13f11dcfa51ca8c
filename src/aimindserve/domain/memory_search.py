"""The longest context and the most pictures that fit a number of bytes. Both only ever need more for more."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.image_tokens import largest_picture
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.memory_llama import estimate_llama_cpp
from aimindserve.domain.memory_vllm import estimate_vllm
from aimindserve.domain.runs import LlamaRun, VllmRun

Run = TypeVar("Run", LlamaRun, VllmRun)

# Both engines' caches grow in multiples of 256 or 16 tokens.
CONTEXT_STEP = 256
# Where the model's own limit is not known.
_LONGEST = 1 << 20
# Room for words beside the pictures.
_WORDS = 1024
_MOST_IMAGES = 999


def estimate_memory(facts: ModelFacts, run: LlamaRun | VllmRun) -> MemoryEstimate:
    """The estimate of either engine."""
    return estimate_llama_cpp(facts, run) if isinstance(run, LlamaRun) else estimate_vllm(facts, run)


def needed_bytes(estimate: MemoryEstimate, *, likely: bool = False) -> int:
    """What has to be free on the device: the high estimate, or the likely one."""
    return estimate.total if likely else estimate.high


def longest_context(facts: ModelFacts, run: Run, available: int, *, likely: bool = False) -> int | None:
    """The most ``context_tokens``, in steps of 256, with which ``run`` fits ``available`` bytes; at most what the model
    was trained on (for each slot of llama.cpp). None when not even one step fits."""
    slots = run.slots if isinstance(run, LlamaRun) else 1
    limit = (facts.context_length or _LONGEST) * slots

    def fits(steps: int) -> bool:
        tried = replace(run, context_tokens=steps * CONTEXT_STEP)
        return needed_bytes(estimate_memory(facts, tried), likely=likely) <= available

    steps = most(fits, limit // CONTEXT_STEP)
    return steps * CONTEXT_STEP if steps else None


def most_images(facts: ModelFacts, run: VllmRun, available: int, *, likely: bool = False) -> int:
    """The most pictures in one prompt for which memory and context suffice, 1,024 tokens left for words."""
    cost = largest_picture(facts, run.image_pixels)
    if cost is None:
        return 0
    room = max(run.context_tokens - _WORDS, 0) // max(cost.tokens, 1)

    def fits(images: int) -> bool:
        return needed_bytes(estimate_vllm(facts, replace(run, images=images)), likely=likely) <= available

    return most(fits, min(room, _MOST_IMAGES))


def most(fits: Callable[[int], bool], limit: int) -> int:
    """The largest number from 1 to ``limit`` that fits, where all below it fit too; 0 when 1 does not."""
    low, high = 0, max(limit, 0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
