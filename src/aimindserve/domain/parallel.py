"""On how many GPUs a model can be divided, and why not on others.

Source: vLLM's ``ModelConfig.verify_with_parallel_config`` and the linear layers' checks."""

from dataclasses import dataclass

from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.runs import VllmRun


@dataclass(frozen=True, slots=True)
class ParallelChoice:
    """A number of GPUs. ``refused``: why the model cannot be divided so; ``copied_cache``: there are more GPUs than
    heads of keys, so that the cache does not shrink further."""

    gpus: int
    refused: Explained | None = None
    copied_cache: bool = False


def tensor_parallel_choice(facts: ModelFacts, gpus: int, run: VllmRun | None = None) -> ParallelChoice:
    """Whether the model's matrices divide by ``gpus``; ``run`` tells how the vision tower lies (default: divided)."""
    heads, width, kv_heads = facts.heads, facts.feed_forward_size, facts.kv_heads or facts.heads
    if gpus > 1:
        if heads and heads % gpus:
            return ParallelChoice(gpus, explained(Why.PARALLEL_HEADS, heads=heads, gpus=gpus))
        if kv_heads and (kv_heads % gpus if kv_heads >= gpus else gpus % kv_heads):
            return ParallelChoice(gpus, explained(Why.PARALLEL_HEADS, heads=kv_heads, gpus=gpus))
        refused = _width_refused(facts, width, gpus) if width else None
        refused = refused or _tower_refused(facts, gpus, run)
        if refused:
            return ParallelChoice(gpus, refused)
    return ParallelChoice(gpus, copied_cache=bool(kv_heads and kv_heads < gpus))


def _width_refused(facts: ModelFacts, width: int, gpus: int) -> Explained | None:
    if width % gpus:
        return explained(Why.PARALLEL_WIDTH, width=width, gpus=gpus)
    group = facts.quantized.group_size if facts.quantized else None
    if group and group > 0 and (width // gpus) % group:
        return explained(Why.PARALLEL_GROUPS, width=width, gpus=gpus, group=group)
    return None


def _tower_refused(facts: ModelFacts, gpus: int, run: VllmRun | None) -> Explained | None:
    divided = (run is None or run.encoder_mode == "weights") and facts.config_format != "mistral"
    heads = facts.vision.heads if facts.vision else None
    if divided and heads and heads % gpus:
        return explained(Why.PARALLEL_TOWER, heads=heads, gpus=gpus)
    return None


def tensor_parallel_choices(facts: ModelFacts, most: int, run: VllmRun | None = None) -> tuple[ParallelChoice, ...]:
    """1, 2, 4, 8 … up to ``most`` GPUs, each with the reason against it where there is one."""
    sizes = [1 << power for power in range(most.bit_length()) if 1 << power <= most]
    return tuple(tensor_parallel_choice(facts, gpus, run) for gpus in sizes)


def feasible_tensor_parallel(facts: ModelFacts, most: int, run: VllmRun | None = None) -> tuple[int, ...]:
    """Those that nothing speaks against."""
    return tuple(choice.gpus for choice in tensor_parallel_choices(facts, most, run) if choice.refused is None)
