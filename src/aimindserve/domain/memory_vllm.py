"""Memory of vLLM on one of its GPUs, and in the machine's memory."""

import math
from dataclasses import dataclass

from aimindserve.domain.architectures import is_known
from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.image_families import image_family
from aimindserve.domain.memory import MemoryEstimate, MemoryItem, Place, memory_item
from aimindserve.domain.memory_cache import VLLM_SOURCE as CACHE_SOURCE
from aimindserve.domain.memory_cache import cache_groups, vllm_cache_bytes
from aimindserve.domain.memory_constants import (
    ACTIVATION_CONSTANT,
    GRAPH_CONSTANT,
    GRAPH_HIGH,
    GRAPH_PER_SIZE,
    LOADED_CONSTANT,
    NCCL,
    NON_TORCH,
    NON_TORCH_HIGH,
    PICTURE_CACHE,
    SERVER_HOST,
    SERVER_HOST_HIGH,
    TEXT_FACTOR,
    UNKNOWN_CACHE,
    UNKNOWN_FACTOR,
    WEIGHT_MARGINS,
    VllmConstants,
    default_batch_tokens,
    vllm_constants,
)
from aimindserve.domain.memory_vision import VLLM_SOURCE as VISION_SOURCE
from aimindserve.domain.memory_vision import encoder_bytes, encoder_cache_bytes, encoder_load
from aimindserve.domain.memory_weights import SOURCE as WEIGHT_SOURCE
from aimindserve.domain.memory_weights import (
    language_groups,
    loaded_bytes,
    rank_bytes,
    rotary_bytes,
    sight_groups,
    sight_is_divided,
)
from aimindserve.domain.runs import VllmRun

_PROFILE_SOURCE = "vllm/v1/worker/gpu_worker.py (determine_available_memory), factors fitted to published logs"
_GRAPH_SOURCE = "vllm/config/compilation.py; published logs of 0.21 to 3.34 GiB"
_HOST_SOURCE = "vllm: --mm-processor-cache-gb; a server and its workers"


@dataclass(frozen=True, slots=True)
class Phase:
    """A step of the profile run with the memory that it holds for a while, likely and at most."""

    name: str
    bytes: float
    high: float
    why: Explained


@dataclass(frozen=True, slots=True)
class _Case:
    """What the items share."""

    facts: ModelFacts
    run: VllmRun
    constants: VllmConstants
    batch_tokens: int
    certain: bool


def estimate_vllm(facts: ModelFacts, run: VllmRun) -> MemoryEstimate:
    """What vLLM needs on each GPU, at least, to start and to hold the cache that ``run`` asks for."""
    case = _case(facts, run)
    items = [*_weights(case), _cache(case), _transient(case), *_encoder_cache(case), *_graphs(case), _non_torch(case)]
    return MemoryEstimate(items=(*items, *_host(case)), certain=case.certain)


def _case(facts: ModelFacts, run: VllmRun) -> _Case:
    constants = vllm_constants(run.version, facts.architecture)
    batch = run.batch_tokens or default_batch_tokens(
        run.version, facts.architecture, run.device_bytes, run.context_tokens, sees_images=facts.sees_images
    )
    seen = facts.vision is None or image_family(facts) is not None
    certain = is_known(facts) and bool(cache_groups(facts)) and seen
    return _Case(facts, run, constants, batch, certain)


def weights_bytes(facts: ModelFacts, run: VllmRun) -> float:
    """All weights on one GPU with vLLM's table of positions: what its log calls "Model loading took"."""
    both = (language_groups(facts), sight_groups(facts))
    return sum(rank_bytes(facts, run, groups) for groups in both) + rotary_bytes(facts, run) + LOADED_CONSTANT


def _weights(case: _Case) -> list[MemoryItem]:
    facts, run = case.facts, case.run
    margin = WEIGHT_MARGINS[run.tensor_parallel * run.pipeline_parallel > 1]
    language = rank_bytes(facts, run, language_groups(facts)) + rotary_bytes(facts, run) + LOADED_CONSTANT
    high = language * (1 + margin)
    if run.quantization and facts.quantized is None:
        # A layer is whole in 16 bits while it is being quantised.
        whole = sum(loaded_bytes(group, facts, run) for group in language_groups(facts))
        high += 4 * whole / max(facts.layers or 1, 1)
    dtype = run.quantization or (facts.quantized.method if facts.quantized else run.dtype or facts.dtype or "bfloat16")
    gpus = run.tensor_parallel * run.pipeline_parallel
    divided = explained(Why.MEMORY_WEIGHTS_DIVIDED, dtype=dtype, gpus=gpus)
    why = divided if gpus > 1 else explained(Why.MEMORY_WEIGHTS_VLLM, dtype=dtype)
    found = [memory_item("weights", language, high, WEIGHT_SOURCE, why=why)]
    sight = rank_bytes(facts, run, sight_groups(facts))
    if sight:
        told = Why.MEMORY_WEIGHTS_VISION if sight_is_divided(facts, run) else Why.MEMORY_WEIGHTS_VISION_COPIED
        found.append(memory_item("vision_weights", sight, sight * (1 + margin), WEIGHT_SOURCE, why=told))
    return found


def _cache(case: _Case) -> MemoryItem:
    facts, run = case.facts, case.run
    tokens = max(run.cached_tokens or 0, run.context_tokens)
    why = explained(Why.MEMORY_KV_CACHE, tokens=tokens, layers=facts.layers or 0)
    size = vllm_cache_bytes(facts, run, case.constants, case.batch_tokens)
    if not size:
        weights = weights_bytes(facts, run)
        size, most = (tokens * weights * share for share in UNKNOWN_CACHE)
        return memory_item("kv_cache", size, most, CACHE_SOURCE, why=why)
    return memory_item("kv_cache", size, size * (1.0 if case.certain else UNKNOWN_FACTOR), CACHE_SOURCE, why=why)


def cache_item(facts: ModelFacts, run: VllmRun) -> MemoryItem:
    """The line of the cache alone."""
    return _cache(_case(facts, run))


def transient_phases(facts: ModelFacts, run: VllmRun) -> tuple[Phase, ...]:
    """The steps of the profile run. They take turns, so that only the largest counts.

    Text: T tokens · (2 · feed-forward / GPUs + 2 · embedding + (heads + 2 · kv_heads) · head size / GPUs) · 2 bytes;
    the sampler: sequences · vocabulary · 4 bytes · 5 (V0: 9.5, which gives the 1.26 to 1.42 GiB of its logs).
    """
    case = _case(facts, run)
    embedding, ranks = facts.embedding_size or 4096, run.tensor_parallel
    heads = (facts.heads or 0) + 2 * (facts.kv_heads or facts.heads or 0)
    wide = (
        2 * (facts.feed_forward_size or 4 * embedding) / ranks + 2 * embedding + heads * (facts.head_size or 0) / ranks
    )
    text = 2 * case.batch_tokens * wide
    logits = 4 * run.sequences * (facts.vocabulary_size or 150_000)
    likely, most = case.constants.sampler
    text_why = explained(Why.MEMORY_ACTIVATION, tokens=case.batch_tokens)
    phases = [
        Phase("activation", text * TEXT_FACTOR[0], text * TEXT_FACTOR[1], text_why),
        Phase("sampler", logits * likely, logits * most, explained(Why.MEMORY_SAMPLER, sequences=run.sequences)),
    ]
    load = encoder_load(facts, run, case.constants.scheduler, case.batch_tokens)
    if load:
        size, high = encoder_bytes(facts, load, ranks if sight_is_divided(facts, run) else 1)
        why = explained(
            Why.MEMORY_ENCODER, pictures=math.ceil(load.pictures), tokens=load.cost.encoder_tokens or load.cost.tokens
        )
        phases.append(Phase("encoder_peak", size, high, why))
    elif facts.vision is not None and run.images:
        tower = rank_bytes(facts, run, sight_groups(facts))
        phases.append(Phase("encoder_peak", tower, 8 * tower, explained(Why.MEMORY_VISION_UNKNOWN)))
    return tuple(phases)


def _transient(case: _Case) -> MemoryItem:
    phases = transient_phases(case.facts, case.run)
    largest = max(phases, key=lambda phase: phase.bytes)
    factor = 1.0 if case.certain else UNKNOWN_FACTOR
    high = max(phase.high for phase in phases) * factor + ACTIVATION_CONSTANT
    source = VISION_SOURCE if largest.name == "encoder_peak" else _PROFILE_SOURCE
    return memory_item(largest.name, largest.bytes + ACTIVATION_CONSTANT, high, source, why=largest.why)


def _encoder_cache(case: _Case) -> list[MemoryItem]:
    load = encoder_load(case.facts, case.run, case.constants.scheduler, case.batch_tokens)
    if load is None or case.constants.scheduler == 0:
        return []
    size = encoder_cache_bytes(case.facts, load)
    why = explained(Why.MEMORY_ENCODER_CACHE, tokens=load.budget)
    return [memory_item("encoder_cache", size, size, VISION_SOURCE, why=why)]


def graph_sizes(sequences: int) -> int:
    """How many batch sizes are captured as CUDA graphs: 1, 2, 4, then steps of 8 below 256 and of 16 up to the largest
    (twice the sequences, at most 512)."""
    most = min(2 * sequences, 512)
    small = sum(1 for size in (1, 2, 4) if size <= most)
    return small + min(most, 255) // 8 + (max(most - 256, -16) // 16 + 1)


def _graphs(case: _Case) -> list[MemoryItem]:
    if case.run.eager:
        return []
    sizes = graph_sizes(case.run.sequences)
    width = (case.facts.embedding_size or 4096) / 4096
    size = GRAPH_CONSTANT + GRAPH_PER_SIZE * sizes * width
    high = min(3 * size, max(GRAPH_HIGH, size))
    why = explained(Why.MEMORY_GRAPHS, sizes=sizes)
    return [memory_item("cuda_graphs", size, high, _GRAPH_SOURCE, why=why)]


def _non_torch(case: _Case) -> MemoryItem:
    gpus = case.run.tensor_parallel * case.run.pipeline_parallel
    size = NON_TORCH + (NCCL if gpus > 1 else 0)
    return memory_item("non_torch", size, NON_TORCH_HIGH * gpus**0.5, _PROFILE_SOURCE, why=Why.MEMORY_NON_TORCH)


def _host(case: _Case) -> list[MemoryItem]:
    gpus = case.run.tensor_parallel * case.run.pipeline_parallel
    size, high = SERVER_HOST * (1 + (gpus - 1) / 2), SERVER_HOST_HIGH * (1 + (gpus - 1) / 2)
    several = explained(Why.MEMORY_SERVERS_HOST, gpus=gpus)
    why = several if gpus > 1 else explained(Why.MEMORY_SERVER_HOST)
    found = [memory_item("server_host", size, high, _HOST_SOURCE, why=why, place=Place.HOST)]
    if case.constants.scheduler and case.facts.vision is not None and case.run.images:
        cached = memory_item(
            "picture_cache", PICTURE_CACHE, PICTURE_CACHE, _HOST_SOURCE, why=Why.MEMORY_PICTURE_CACHE, place=Place.HOST
        )
        found.append(cached)
    return found
