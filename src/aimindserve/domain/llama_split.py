"""llama.cpp on several GPUs: which layers lie on which (``--split-mode layer``, ``--tensor-split``)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.memory import high_of
from aimindserve.domain.memory_llama import estimate_llama_cpp
from aimindserve.domain.runs import LlamaRun


def layers_by_device(slots: int, shares: Sequence[float]) -> tuple[int, ...]:
    """How many of ``slots`` layers, the output counted as the last one, each device gets of ``shares``: the first whose
    part of the sum is beyond the layer's (``get_layer_buft_list`` in llama-model.cpp)."""
    if sum(shares) == slots and all(float(share).is_integer() for share in shares):
        return tuple(int(share) for share in shares)
    total = sum(shares)
    ends = [end / total for end in accumulate(shares)]
    owners = [next((at for at, end in enumerate(ends) if end > slot / slots), len(ends) - 1) for slot in range(slots)]
    return tuple(owners.count(at) for at in range(len(shares)))


def balanced_split(facts: ModelFacts, run: LlamaRun, gpus: int) -> tuple[int, ...]:
    """The split on ``gpus`` with which the fullest of them needs least: each layer goes where least lies yet. The first
    GPU works on pictures and the last one holds the output, so these get fewer layers."""
    layers = facts.layers or gpus
    fixed = _highs(facts, run, (0,) * (gpus - 1) + (layers + 1,))
    full, last = fixed[-1], _highs(facts, run, (layers,) + (0,) * (gpus - 2) + (1,))
    layer = max((last[0] - fixed[0]) / layers, 1.0)
    loads = [*fixed[:-1], full - layer * layers]
    counts = [0] * gpus
    for _ in range(layers):
        lightest = loads.index(min(loads))
        counts[lightest] += 1
        loads[lightest] += layer
    counts[-1] += 1
    return tuple(counts)


def _highs(facts: ModelFacts, run: LlamaRun, split: tuple[int, ...]) -> list[float]:
    return [float(high_of(items)) for items in estimate_llama_cpp(facts, replace(run, split=split)).each]
