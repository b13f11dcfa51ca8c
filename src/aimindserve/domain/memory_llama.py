"""Memory of a llama.cpp server: on the GPU and in the machine's memory, or on the CPU alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from aimindserve.domain.architectures import is_known
from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.facts import CacheKind, ModelFacts, ModelPart
from aimindserve.domain.memory import MemoryEstimate, MemoryItem, Place, high_of, memory_item
from aimindserve.domain.memory_cache import LLAMA_SOURCE as CACHE_SOURCE
from aimindserve.domain.memory_cache import cache_groups, llama_cache_bytes, llama_slot_cells, window_cells
from aimindserve.domain.memory_constants import (
    LLAMA_COPIES,
    LLAMA_CUDA,
    LLAMA_CUDA_HIGH,
    LLAMA_CUDA_HOST,
    LLAMA_CUDA_HOST_HIGH,
    LLAMA_POOL_SHARE,
    LLAMA_PROGRAM,
    LLAMA_PROGRAM_HIGH,
    LLAMA_SLOT_LOGITS,
    LLAMA_TOKEN,
    LLAMA_TOKEN_HIGH,
    LLAMA_TOKENS_UNKNOWN,
    UNKNOWN_CACHE,
    UNKNOWN_FACTOR,
)
from aimindserve.domain.memory_vision import LLAMA_SOURCE as VISION_SOURCE
from aimindserve.domain.memory_vision import llama_picture, llama_vision_bytes
from aimindserve.domain.memory_weights import language_groups, sight_groups
from aimindserve.domain.runs import LlamaRun

_COMPUTE_SOURCE = "llama.cpp: src/llama-context.cpp (graph_reserve), fitted to published logs"
_PROGRAM_SOURCE = "measured: servers with small models; CUDA's context"
_HEADER_SOURCE = "GGUF header"


@dataclass(frozen=True, slots=True)
class Part:
    """What of the model lies on one device: a share of the repeating ``layers`` (a number of them), the ``output``; and
    whether it is the ``first`` device, which works on pictures."""

    layers: float
    output: bool = True
    first: bool = True


def parts_of(facts: ModelFacts, run: LlamaRun) -> tuple[Part, ...]:
    """The devices in turn. A CPU holds everything. ``gpu_layers`` are counted from the last, the output first; several
    GPUs take them in turn (``get_layer_buft_list`` in llama-model.cpp)."""
    layers = facts.layers or 1
    if not run.gpu:
        return (Part(layers),)
    slots = layers + 1 if run.gpu_layers is None else min(run.gpu_layers, layers + 1)
    if len(run.split) < 2 or sum(run.split) != slots:
        return (Part(max(slots - 1, 0), output=slots >= 1),)
    last = max(at for at, count in enumerate(run.split) if count)
    return tuple(Part(count - (at == last), at == last, at == 0) for at, count in enumerate(run.split))


def _sums(facts: ModelFacts) -> tuple[float, float, float]:
    """Bytes of the embedding, of the repeating layers, and of the output."""
    sums = dict.fromkeys(ModelPart, 0.0)
    for group in language_groups(facts):
        sums[group.part] += group.bytes
    return sums[ModelPart.EMBEDDING], sums[ModelPart.LAYERS] + sums[ModelPart.OTHER], sums[ModelPart.OUTPUT]


def llama_weights(facts: ModelFacts, run: LlamaRun) -> tuple[float, float]:
    """Bytes of the language model on all devices and in the machine's memory.

    On a GPU the embedding stays in the machine's memory; an output that is tied to it is a second copy on the GPU.
    """
    embedding, rest, output = _sums(facts)
    if not run.gpu:
        return embedding + rest + output, 0.0
    parts = parts_of(facts, run)
    on_devices = sum(_part_weights(facts, run, part) for part in parts)
    beside = rest * (1 - _layers_on(parts) / (facts.layers or 1))
    return on_devices, embedding + beside + (0.0 if any(part.output for part in parts) else output)


def _part_weights(facts: ModelFacts, run: LlamaRun, part: Part) -> float:
    embedding, rest, output = _sums(facts)
    if not run.gpu:
        return embedding + rest + output
    last = output if output > embedding / 2 else output + embedding
    return rest * part.layers / (facts.layers or 1) + (last if part.output else 0.0)


def _layers_on(parts: Sequence[Part]) -> float:
    return sum(part.layers for part in parts)


def llama_compute_bytes(facts: ModelFacts, run: LlamaRun, *, output: bool = True) -> float:
    """Compute buffer of one micro-batch of u tokens, in 32 bits but for masks: the larger of logits (where the
    ``output`` is) and layers.

    Logits: u · (vocabulary + embedding), 304.0 MiB for Qwen2-7B where 304.75 were logged, 490.00 for Qwen3.5-4B; newer
    builds reserve them for the slots alone. Layers: u · (5 · embedding + 3 · feed-forward) and the masks: 32.0 MiB for
    Qwen3-0.6B where 32.09 were measured. Without flash attention u · (context · (heads + 1) + 4 · embedding): 164.0 MiB
    where 164.01 were logged (ollama issue 2706).
    """
    tokens, embedding = run.batch_tokens, facts.embedding_size or 0
    outputs = min(tokens, max(run.slots, 1)) if _is_newer(run) else tokens
    logits = outputs * (facts.vocabulary_size or 0) + tokens * embedding if output else 0
    wide = 4 * tokens * (5 * embedding + 3 * (facts.feed_forward_size or 4 * embedding))
    if run.flash_attention:
        # Before, masks came in 32 bits and were copied into 16 on the device.
        wide += (2 if _is_newer(run) else 6) * tokens * _mask_cells(facts, run)
    else:
        cells = llama_slot_cells(run)
        wide = max(wide + 4 * tokens * cells, 4 * tokens * (cells * ((facts.heads or 1) + 1) + 4 * embedding))
    return max(4.0 * logits, wide)


def _is_newer(run: LlamaRun) -> bool:
    return run.build is None or run.build >= LLAMA_SLOT_LOGITS


def _mask_cells(facts: ModelFacts, run: LlamaRun) -> int:
    """Cells of the cache that a token's masks cover: one mask for layers that see everything, one for windows."""
    windows = {group.window for group in cache_groups(facts) if group.kind is CacheKind.SLIDING and group.window}
    return llama_slot_cells(run) + sum(window_cells(window, run) for window in windows)


def llama_pipeline_bytes(facts: ModelFacts, run: LlamaRun) -> float:
    """What each of several GPUs needs more: inputs are kept for 4 batches that follow each other (GGML_SCHED_MAX_COPIES
    in ggml-backend.cpp), masks and u · 4 · embedding bytes each.

    A mask of 2^20 tokens takes 4.0 GiB on each of 4 GPUs (unsloth pull request 7637). Only where all layers are on GPUs
    (llama-context.cpp: pipeline_parallel).
    """
    if len(run.split) < 2 or run.gpu_layers is not None:
        return 0.0
    mask = 2 if run.flash_attention and _is_newer(run) else 4
    inputs = mask * _mask_cells(facts, run) + 4 * (facts.embedding_size or 0)
    return (LLAMA_COPIES - 1) * run.batch_tokens * inputs


def llama_copied_bytes(facts: ModelFacts, run: LlamaRun) -> float:
    """What a GPU needs for weights that are in the machine's memory and are copied to it for large batches: the largest
    tensor, which is the output where it is not on the GPU, and three activations.

    297 + 426 + 21 MiB for Qwen2-VL-7B without layers on the GPU, where 744.25 were logged (llama.cpp issue 10973).
    """
    parts = parts_of(facts, run)
    has_output = any(part.output for part in parts)
    if not run.gpu or (_layers_on(parts) >= (facts.layers or 1) and has_output):
        return 0.0
    embedding, rest, output = _sums(facts)
    matrix = rest / max(facts.layers or 1, 1) / 3
    table = 0.0 if has_output else max(output, embedding)
    return max(matrix, table) + 4 * run.batch_tokens * 2 * (facts.embedding_size or 0)


def estimate_llama_cpp(facts: ModelFacts, run: LlamaRun) -> MemoryEstimate:
    """What a llama.cpp server needs for ``facts`` as ``run`` says."""
    certain = is_known(facts) and bool(cache_groups(facts))
    parts = parts_of(facts, run)
    each = tuple(tuple(_device_items(facts, run, part, certain=certain)) for part in parts)
    fullest = max(each, key=high_of)
    several = each if len(each) > 1 else ()
    return MemoryEstimate(items=(*fullest, *_host_items(facts, run, parts)), certain=certain, each=several)


def _device_items(facts: ModelFacts, run: LlamaRun, part: Part, *, certain: bool) -> list[MemoryItem]:
    weights = _part_weights(facts, run, part)
    found = [memory_item("weights", weights, weights * 1.002, _HEADER_SOURCE, why=_weights_why(facts, run, part))]
    sees = part.first and not _projector_beside(run)
    if sees:
        found += _projector(facts, Place.DEVICE)
    found += [_cache(facts, run, part), _compute(facts, run, part, certain=certain)]
    if sees:
        found += _vision(facts, run, Place.DEVICE)
    if not run.gpu:
        (overhead, high), why = _program(facts), Why.MEMORY_OVERHEAD
    else:
        overhead, high, why = LLAMA_CUDA, LLAMA_CUDA_HIGH + LLAMA_POOL_SHARE * weights, Why.MEMORY_OVERHEAD_GPU
    return [*found, memory_item("overhead", overhead, high, _PROGRAM_SOURCE, why=why)]


def _host_items(facts: ModelFacts, run: LlamaRun, parts: Sequence[Part]) -> list[MemoryItem]:
    found: list[MemoryItem] = []
    host = llama_weights(facts, run)[1]
    if host:
        why = Why.MEMORY_WEIGHTS_HOST
        found.append(memory_item("weights_host", host, host, _HEADER_SOURCE, why=why, place=Place.HOST))
    if _projector_beside(run):
        found += [*_projector(facts, Place.HOST), *_vision(facts, run, Place.HOST)]
    if run.gpu:
        found += [*_cache_beside(facts, run, parts), *_program_beside(facts, run)]
    if run.prompt_cache_bytes:
        why, source = Why.MEMORY_PROMPT_CACHE, "llama.cpp: --cache-ram"
        found.append(memory_item("prompt_cache", 0, run.prompt_cache_bytes, source, why=why, place=Place.HOST))
    return found


def _projector_beside(run: LlamaRun) -> bool:
    return run.gpu and not run.projector_on_gpu


def _weights_why(facts: ModelFacts, run: LlamaRun, part: Part) -> Explained:
    if len(run.split) < 2:
        return explained(Why.MEMORY_WEIGHTS)
    return explained(Why.MEMORY_WEIGHTS_LAYERS, layers=int(part.layers), all=facts.layers or 0)


def _projector(facts: ModelFacts, place: Place) -> list[MemoryItem]:
    size = projector_bytes(facts)
    return [memory_item("projector", size, size, _HEADER_SOURCE, why=Why.MEMORY_PROJECTOR, place=place)] if size else []


def projector_bytes(facts: ModelFacts) -> int:
    """Bytes of the projector's file."""
    return facts.projector_bytes or sum(group.bytes for group in sight_groups(facts))


def _cache_sizes(facts: ModelFacts, run: LlamaRun) -> tuple[float, float]:
    """Of all layers, likely and at most."""
    size = llama_cache_bytes(facts, run)
    if size:
        return size, size
    weights = sum(llama_weights(facts, run))
    likely, most = (run.context_tokens * weights * share for share in UNKNOWN_CACHE)
    return likely, most


def _cache(facts: ModelFacts, run: LlamaRun, part: Part) -> MemoryItem:
    size, high = _cache_sizes(facts, run)
    layers = facts.layers or 1
    share = part.layers / layers
    why = explained(Why.MEMORY_KV_CACHE, tokens=run.context_tokens, layers=int(part.layers) if facts.layers else 0)
    # Layers that remember in several ways may fall unevenly: one more of the larger kind.
    uneven = len(run.split) > 1 and len(cache_groups(facts)) > 1
    most = high * min(1.0, share + (1 / layers if uneven else 0.0))
    return memory_item("kv_cache", size * share, most, CACHE_SOURCE, why=why)


def _cache_beside(facts: ModelFacts, run: LlamaRun, parts: Sequence[Part]) -> list[MemoryItem]:
    layers = facts.layers or 1
    beside = 1 - _layers_on(parts) / layers
    if beside <= 0:
        return []
    size, high = _cache_sizes(facts, run)
    why = explained(Why.MEMORY_KV_CACHE, tokens=run.context_tokens, layers=round(layers * beside))
    return [memory_item("kv_cache_host", size * beside, high * beside, CACHE_SOURCE, why=why, place=Place.HOST)]


def _compute(facts: ModelFacts, run: LlamaRun, part: Part, *, certain: bool) -> MemoryItem:
    pipeline = llama_pipeline_bytes(facts, run)
    size = llama_compute_bytes(facts, run, output=part.output or not run.split) + llama_copied_bytes(facts, run)
    # Mixtures of experts were measured at 1.2 to 2.7 times the dense formula (gguf-parser-go issue 45).
    likely, factor = (2.0, 2.7) if _has_experts(facts) else (1.0, 1.35 if certain else 2 * UNKNOWN_FACTOR)
    why = explained(Why.MEMORY_COMPUTE_SPLIT, copies=LLAMA_COPIES) if pipeline else explained(Why.MEMORY_COMPUTE)
    return memory_item("compute", size * likely + pipeline, size * factor + pipeline * 1.35, _COMPUTE_SOURCE, why=why)


def _has_experts(facts: ModelFacts) -> bool:
    return any(mark in f"{facts.architecture} {facts.name}".lower() for mark in ("moe", "mixtral", "-a3b", "deepseek2"))


def _vision(facts: ModelFacts, run: LlamaRun, place: Place) -> list[MemoryItem]:
    size, picture = llama_vision_bytes(facts, run), llama_picture(facts, run)
    if picture is None or not size:
        if not projector_bytes(facts):
            return []
        # A tower of unknown sizes: measured ones need 0.2 to 4 times their weights.
        size, high, tokens = projector_bytes(facts) * 0.5, projector_bytes(facts) * 4, 0
    else:
        high, tokens = size * 1.04, picture.tokens
    why = explained(Why.MEMORY_VISION_COMPUTE, tokens=tokens) if tokens else explained(Why.MEMORY_VISION_UNKNOWN)
    return [memory_item("vision_compute", size, high, VISION_SOURCE, why=why, place=place)]


def _program(facts: ModelFacts) -> tuple[float, float]:
    """Of the machine's memory, likely and at most: the program and its tables of the vocabulary."""
    tokens = facts.vocabulary_size or LLAMA_TOKENS_UNKNOWN
    return LLAMA_PROGRAM + LLAMA_TOKEN * tokens, LLAMA_PROGRAM_HIGH + LLAMA_TOKEN_HIGH * tokens


def _program_beside(facts: ModelFacts, run: LlamaRun) -> list[MemoryItem]:
    """What the program keeps in the machine's memory beside GPUs, where these can read it."""
    copies = LLAMA_COPIES if llama_pipeline_bytes(facts, run) else 1
    inputs = 4 * copies * run.batch_tokens * (llama_slot_cells(run) + 2 * (facts.embedding_size or 0))
    gpus = max(len(run.split), 1)
    program, high = _program(facts)
    return [
        memory_item("compute_host", inputs, 2 * inputs, _COMPUTE_SOURCE, why=Why.MEMORY_COMPUTE_HOST, place=Place.HOST),
        memory_item(
            "overhead_host",
            program + gpus * LLAMA_CUDA_HOST,
            high + gpus * LLAMA_CUDA_HOST_HIGH,
            _PROGRAM_SOURCE,
            why=Why.MEMORY_OVERHEAD,
            place=Place.HOST,
        ),
    ]
