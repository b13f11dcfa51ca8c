"""Memory of a llama.cpp server: on the GPU and in the machine's memory, or on the CPU alone."""

from aimindserve.domain.architectures import is_known
from aimindserve.domain.explanations import Why, explained
from aimindserve.domain.facts import ModelFacts, ModelPart
from aimindserve.domain.memory import MemoryEstimate, MemoryItem, Place, memory_item
from aimindserve.domain.memory_cache import LLAMA_SOURCE as CACHE_SOURCE
from aimindserve.domain.memory_cache import cache_groups, llama_cache_bytes
from aimindserve.domain.memory_constants import (
    LLAMA_CUDA,
    LLAMA_CUDA_HIGH,
    LLAMA_POOL_SHARE,
    LLAMA_PROGRAM,
    LLAMA_SLOT_LOGITS,
    UNKNOWN_CACHE,
    UNKNOWN_FACTOR,
)
from aimindserve.domain.memory_vision import LLAMA_SOURCE as VISION_SOURCE
from aimindserve.domain.memory_vision import llama_picture, llama_vision_bytes
from aimindserve.domain.memory_weights import language_groups, sight_groups
from aimindserve.domain.runs import LlamaRun

_COMPUTE_SOURCE = "llama.cpp: src/llama-context.cpp (graph_reserve), fitted to published logs"
_PROGRAM_SOURCE = "measured: a server without a model; CUDA's context"
_HEADER_SOURCE = "GGUF header"


def llama_weights(facts: ModelFacts, run: LlamaRun) -> tuple[float, float]:
    """Bytes of the language model on the device and in the machine's memory.

    On a GPU the embedding stays in the machine's memory; an output that is tied to it is a second copy on the GPU.
    ``gpu_layers`` are counted from the last, the output layer first.
    """
    sums = dict.fromkeys(ModelPart, 0.0)
    for group in language_groups(facts):
        sums[group.part] += group.bytes
    embedding, output = sums[ModelPart.EMBEDDING], sums[ModelPart.OUTPUT]
    rest = sums[ModelPart.LAYERS] + sums[ModelPart.OTHER]
    if not run.gpu:
        return embedding + rest + output, 0.0
    share = offloaded_share(facts, run)
    last = output if output > embedding / 2 else output + embedding
    on_device = rest * share + (last if _output_on_gpu(run) else 0.0)
    return on_device, embedding + rest * (1 - share) + (0.0 if _output_on_gpu(run) else output)


def _output_on_gpu(run: LlamaRun) -> bool:
    return run.gpu and (run.gpu_layers is None or run.gpu_layers >= 1)


def offloaded_share(facts: ModelFacts, run: LlamaRun) -> float:
    """The share of the repeating layers that are on the GPU."""
    if not run.gpu:
        return 0.0
    if run.gpu_layers is None:
        return 1.0
    layers = facts.layers or 1
    return min(max(run.gpu_layers - 1, 0), layers) / layers


def llama_compute_bytes(facts: ModelFacts, run: LlamaRun) -> float:
    """Compute buffer of one micro-batch of u tokens, all in 32 bits: the larger of logits and layers.

    Logits: u · (vocabulary + embedding), 304.0 MiB for Qwen2-7B where 304.75 were logged, 490.00 for Qwen3.5-4B; newer
    builds reserve them for the slots alone. Layers: u · (2 · embedding + 2 · feed-forward + context), or without flash
    attention u · (context · (heads + 1) + 4 · embedding): 164.0 MiB where 164.01 were logged (ollama issue 2706).
    """
    tokens = run.batch_tokens
    embedding = facts.embedding_size or 0
    newer = run.build is None or run.build >= LLAMA_SLOT_LOGITS
    outputs = min(tokens, max(run.slots, 1)) if newer else tokens
    logits = outputs * (facts.vocabulary_size or 0) + tokens * embedding
    layers = 2 * embedding + 2 * (facts.feed_forward_size or 4 * embedding)
    wide = tokens * (layers + run.context_tokens)
    if not run.flash_attention:
        wide = max(wide, tokens * (run.context_tokens * ((facts.heads or 1) + 1) + 4 * embedding))
    return 4.0 * max(logits, wide)


def llama_copied_bytes(facts: ModelFacts, run: LlamaRun) -> float:
    """What a GPU needs for weights that are in the machine's memory and are copied to it for large batches: the largest
    tensor, which is the output where it is not on the GPU, and three activations.

    297 + 426 + 21 MiB for Qwen2-VL-7B without layers on the GPU, where 744.25 were logged (llama.cpp issue 10973).
    """
    if not run.gpu or (offloaded_share(facts, run) >= 1 and _output_on_gpu(run)):
        return 0.0
    sums = dict.fromkeys(ModelPart, 0.0)
    for group in language_groups(facts):
        sums[group.part] += group.bytes
    table = max(sums[ModelPart.OUTPUT], sums[ModelPart.EMBEDDING])
    matrix = sums[ModelPart.LAYERS] / max(facts.layers or 1, 1) / 3
    return max(matrix, 0.0 if _output_on_gpu(run) else table) + 4 * run.batch_tokens * 2 * (facts.embedding_size or 0)


def estimate_llama_cpp(facts: ModelFacts, run: LlamaRun) -> MemoryEstimate:
    """What a llama.cpp server needs for ``facts`` as ``run`` says."""
    certain = is_known(facts) and bool(cache_groups(facts))
    items = [
        *_weights(facts, run),
        *_projector(facts, run),
        *_cache(facts, run),
        *_compute(facts, run, certain=certain),
        *_vision(facts, run),
        *_program(facts, run),
    ]
    return MemoryEstimate(items=tuple(items), certain=certain)


def _weights(facts: ModelFacts, run: LlamaRun) -> list[MemoryItem]:
    device, host = llama_weights(facts, run)
    found = [memory_item("weights", device, device * 1.002, _HEADER_SOURCE, why=Why.MEMORY_WEIGHTS)]
    if host:
        why = Why.MEMORY_WEIGHTS_HOST
        found.append(memory_item("weights_host", host, host, _HEADER_SOURCE, why=why, place=Place.HOST))
    return found


def _projector(facts: ModelFacts, run: LlamaRun) -> list[MemoryItem]:
    size = projector_bytes(facts)
    if not size:
        return []
    place = Place.HOST if run.gpu and not run.projector_on_gpu else Place.DEVICE
    return [memory_item("projector", size, size, _HEADER_SOURCE, why=Why.MEMORY_PROJECTOR, place=place)]


def projector_bytes(facts: ModelFacts) -> int:
    """Bytes of the projector's file."""
    return facts.projector_bytes or sum(group.bytes for group in sight_groups(facts))


def _cache(facts: ModelFacts, run: LlamaRun) -> list[MemoryItem]:
    size = llama_cache_bytes(facts, run)
    high = size
    if not size:
        weights = sum(llama_weights(facts, run))
        size, high = (run.context_tokens * weights * share for share in UNKNOWN_CACHE)
    share = offloaded_share(facts, run) if run.gpu else 1.0
    why = explained(Why.MEMORY_KV_CACHE, tokens=run.context_tokens, layers=facts.layers or 0)
    found = [memory_item("kv_cache", size * share, high * share, CACHE_SOURCE, why=why)]
    if share < 1:
        beside = 1 - share
        found.append(
            memory_item("kv_cache_host", size * beside, high * beside, CACHE_SOURCE, why=why, place=Place.HOST)
        )
    return found


def _compute(facts: ModelFacts, run: LlamaRun, *, certain: bool) -> list[MemoryItem]:
    size = llama_compute_bytes(facts, run) + llama_copied_bytes(facts, run)
    # Mixtures of experts were measured at 1.2 to 2.7 times the dense formula (gguf-parser-go issue 45).
    factor = 2.7 if _has_experts(facts) else 1.35 if certain else 2 * UNKNOWN_FACTOR
    found = [memory_item("compute", size, size * factor, _COMPUTE_SOURCE, why=Why.MEMORY_COMPUTE)]
    if run.gpu:
        inputs = 4 * run.batch_tokens * (run.context_tokens + 2 * (facts.embedding_size or 0))
        why = Why.MEMORY_COMPUTE_HOST
        found.append(memory_item("compute_host", inputs, 2 * inputs, _COMPUTE_SOURCE, why=why, place=Place.HOST))
    return found


def _has_experts(facts: ModelFacts) -> bool:
    return any(mark in f"{facts.architecture} {facts.name}".lower() for mark in ("moe", "mixtral", "-a3b", "deepseek2"))


def _vision(facts: ModelFacts, run: LlamaRun) -> list[MemoryItem]:
    size, picture = llama_vision_bytes(facts, run), llama_picture(facts, run)
    if picture is None or not size:
        if not projector_bytes(facts):
            return []
        # A tower of unknown sizes: measured ones need 0.2 to 4 times their weights.
        size, high, tokens = projector_bytes(facts) * 0.5, projector_bytes(facts) * 4, 0
    else:
        high, tokens = size * 1.04, picture.tokens
    place = Place.HOST if run.gpu and not run.projector_on_gpu else Place.DEVICE
    why = explained(Why.MEMORY_VISION_COMPUTE, tokens=tokens) if tokens else explained(Why.MEMORY_VISION_UNKNOWN)
    return [memory_item("vision_compute", size, high, VISION_SOURCE, why=why, place=place)]


def _program(facts: ModelFacts, run: LlamaRun) -> list[MemoryItem]:
    if not run.gpu:
        found = [memory_item("overhead", LLAMA_PROGRAM, LLAMA_PROGRAM, _PROGRAM_SOURCE, why=Why.MEMORY_OVERHEAD)]
    else:
        high = LLAMA_CUDA_HIGH + LLAMA_POOL_SHARE * llama_weights(facts, run)[0]
        found = [
            memory_item("overhead", LLAMA_CUDA, high, _PROGRAM_SOURCE, why=Why.MEMORY_OVERHEAD_GPU),
            memory_item(
                "overhead_host",
                4 * LLAMA_PROGRAM,
                8 * LLAMA_PROGRAM,
                _PROGRAM_SOURCE,
                why=Why.MEMORY_OVERHEAD,
                place=Place.HOST,
            ),
        ]
    if run.prompt_cache_bytes:
        why, source = Why.MEMORY_PROMPT_CACHE, "llama.cpp: --cache-ram"
        found.append(memory_item("prompt_cache", 0, run.prompt_cache_bytes, source, why=why, place=Place.HOST))
    return found
