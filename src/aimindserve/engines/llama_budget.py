"""What llama.cpp gives up, step by step, when the bytes that it may take do not suffice for all that it would like."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.memory_cache import llama_cache_bytes
from aimindserve.domain.memory_search import most
from aimindserve.domain.params import EngineParameter
from aimindserve.domain.runs import LlamaRun
from aimindserve.domain.units import MIB
from aimindserve.engines._base import Machine

_PARALLEL_CPU, _PARALLEL_GPU = 2, 4
# Limits of --cache-ram in MiB: the server's own default is the most.
_PROMPTS_LEAST, _PROMPTS_MOST, _PROMPTS_UNKNOWN = 16, 8192, 512


@dataclass(frozen=True, slots=True)
class Step:
    """``parallel`` requests at a time, at ``most`` so many by itself; ``gpu_layers`` of the layers on the GPU, None for
    all."""

    parallel: int
    gpu_layers: int | None = None
    most: ClassVar[int] = _PARALLEL_GPU

    @staticmethod
    def usual(machine: Machine) -> int:
        """Requests at a time where there is room enough, as far as earlier starts showed."""
        wished = Step.wished(machine)
        return min(wished, machine.lessons.sequences or wished)

    @staticmethod
    def wished(machine: Machine) -> int:
        """Requests at a time before anything was learned."""
        return _PARALLEL_GPU if machine.gpus else _PARALLEL_CPU


def fitting_step(
    facts: ModelFacts, machine: Machine, yours: Mapping[str, EngineParameter], needs: Callable[[Step], int]
) -> Step:
    """The first step with which ``needs`` is within the machine's budget; the last one when none is.

    Fewer requests at a time come before layers that are not on the GPU: those make every answer slow. What the user
    set stays. On several GPUs all layers are on them.
    """
    steps = tuple(_whole_steps(Step.usual(machine), yours))
    for step in steps:
        if machine.budget is None or needs(step) <= machine.budget:
            return step
    layers, step = facts.layers or 0, steps[-1]
    if len(machine.gpus) != 1 or machine.lessons.whole or not layers or "--n-gpu-layers" in yours:
        return step
    return replace(step, gpu_layers=max(1, most(_fits(step, needs, machine.budget or 0), layers)))


def _fits(step: Step, needs: Callable[[Step], int], budget: int) -> Callable[[int], bool]:
    return lambda layers: needs(replace(step, gpu_layers=layers)) <= budget


def _whole_steps(usual: int, yours: Mapping[str, EngineParameter]) -> Iterator[Step]:
    """Half as many requests at a time, down to one; a context that the user set is divided anew, not shortened."""
    parallel = usual
    yield Step(parallel)
    while parallel > 1 and "--parallel" not in yours and "--ctx-size" not in yours:
        parallel //= 2
        yield Step(parallel)


def taken_bytes(estimate: MemoryEstimate, machine: Machine) -> int:
    """What a replica takes of the budget: on the CPU, what it keeps beside the model too."""
    return estimate.high + (0 if machine.gpus else estimate.host_high)


def prompt_cache_mib(facts: ModelFacts, run: LlamaRun) -> int:
    """Memory for finished prompts: as much again as the cache of those that are answered, at most what the server takes
    by itself."""
    cache = llama_cache_bytes(facts, run)
    if not cache:
        return _PROMPTS_UNKNOWN
    return min(max(-(-int(cache) // MIB), _PROMPTS_LEAST), _PROMPTS_MOST)
