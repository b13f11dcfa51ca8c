"""Memory of the tokens before: keys and values of every layer, in vLLM's pages and in llama.cpp's cells."""

from functools import lru_cache

from aimindserve.domain.facts import CacheGroup, CacheKind, ModelFacts
from aimindserve.domain.image_tokens import largest_picture
from aimindserve.domain.memory_constants import (
    BLOCK_TOKENS,
    LLAMA_CACHE_BYTES,
    LLAMA_CACHE_STEP,
    VllmConstants,
)
from aimindserve.domain.memory_weights import dtype_bytes
from aimindserve.domain.runs import LlamaRun, VllmRun

VLLM_SOURCE = "vllm/v1/core/kv_cache_utils.py, vllm/v1/kv_cache_interface.py"
LLAMA_SOURCE = "llama.cpp: src/llama-kv-cache.cpp, src/llama-kv-cache-iswa.cpp"


def cache_groups(facts: ModelFacts) -> tuple[CacheGroup, ...]:
    """The layers by how they remember; without ``facts.caches`` all alike. Empty when a size is not known."""
    if facts.caches:
        return facts.caches
    heads, size = facts.kv_heads or facts.heads, facts.head_size
    if not facts.layers or not heads or not size:
        return ()
    return _alike(facts.layers, heads, size, facts.value_size or size)


@lru_cache(maxsize=512)
def _alike(layers: int, kv_heads: int, key_size: int, value_size: int) -> tuple[CacheGroup, ...]:
    return (CacheGroup(layers=layers, kv_heads=kv_heads, key_size=key_size, value_size=value_size),)


def heads_per_rank(kv_heads: int, tensor_parallel: int) -> int:
    """Heads of keys on each GPU: they are divided, and copied where there are fewer than GPUs."""
    return max(1, kv_heads // tensor_parallel)


def vllm_token_bytes(group: CacheGroup, run: VllmRun, element_bytes: float) -> float:
    """Bytes of one token in one layer on one GPU: kv_heads · (key + value size) · bytes, or the latent vector, which
    is not divided among GPUs."""
    if group.kind is CacheKind.LATENT:
        return group.latent_size * element_bytes
    return heads_per_rank(group.kv_heads, run.tensor_parallel) * (group.key_size + group.value_size) * element_bytes


def vllm_cache_bytes(facts: ModelFacts, run: VllmRun, constants: VllmConstants, batch_tokens: int) -> float:
    """Cache on one GPU for ``run.cached_tokens``, at least one sequence of the whole context: vLLM does not start with
    less. 0 when the sizes are not known.

    Layers that keep a state keep one for each sequence at a time, however long it is; vLLM does not start where
    ``max_num_seqs`` "exceeds available Mamba cache blocks" (gpu_model_runner.py).
    """
    states = run.sequences * _vllm_states(facts, run)
    one = _vllm_sequence(facts, run, constants, batch_tokens, run.context_tokens)
    if run.cached_tokens is None or run.cached_tokens <= run.context_tokens:
        return states + one
    whole, rest = divmod(run.cached_tokens, run.context_tokens)
    more = _vllm_sequence(facts, run, constants, batch_tokens, rest) if rest else 0.0
    return states + whole * one + more


def _vllm_states(facts: ModelFacts, run: VllmRun) -> float:
    """Bytes of one sequence's states on one GPU."""
    kept = (group for group in cache_groups(facts) if group.kind is CacheKind.STATE)
    return sum(-(-group.layers // run.pipeline_parallel) * group.state_bytes / run.tensor_parallel for group in kept)


def _vllm_sequence(facts: ModelFacts, run: VllmRun, constants: VllmConstants, batch_tokens: int, tokens: int) -> float:
    """One sequence without states, in whole pages.

    Encoder and decoder in one (V0): one table of pages for all layers, so that text and picture tokens cost the same
    in each. V1 keeps a picture's tokens in the crossing layers alone.
    """
    groups = cache_groups(facts)
    crossing = any(group.kind is CacheKind.CROSS for group in groups)
    picture = encoder_tokens(facts, run.image_pixels) * run.images if crossing else 0
    element_bytes = 1.0 if run.cache_dtype.startswith("fp8") else dtype_bytes(run.dtype or facts.dtype or "bfloat16")
    total = 0.0
    for group in groups:
        layers = -(-group.layers // run.pipeline_parallel)
        if group.kind is CacheKind.STATE:
            continue
        if crossing and constants.scheduler == 0:
            pages = _pages(tokens) + _pages(picture)
        elif group.kind is CacheKind.CROSS:
            pages = _pages(picture)
        elif group.kind is CacheKind.SLIDING and group.window and constants.hybrid_cache:
            pages = min(_pages(min(tokens, group.window - 1 + batch_tokens)) + 1, _pages(tokens) + 1)
        else:
            pages = _pages(tokens)
        total += layers * pages * BLOCK_TOKENS * vllm_token_bytes(group, run, element_bytes)
    return total


def _pages(tokens: int) -> int:
    return -(-tokens // BLOCK_TOKENS)


def encoder_tokens(facts: ModelFacts, pixels: int | None) -> int:
    """Tokens that layers with cross-attention keep of one picture; 0 for models without such layers."""
    cost = largest_picture(facts, pixels)
    return cost.encoder_tokens if cost else 0


def llama_slot_cells(run: LlamaRun) -> int:
    """Cells that one request sees: all of a unified cache, else those of its slot."""
    cells = llama_cells(run)
    return cells if run.unified_cache else cells // max(run.slots, 1)


def window_cells(window: int, run: LlamaRun) -> int:
    """Cells that one request sees of layers with a window: the window and a batch, padded to 256."""
    seen = window * (run.slots if run.unified_cache else 1) + run.batch_tokens
    return min(llama_slot_cells(run), _padded(seen))


def llama_cells(run: LlamaRun) -> int:
    """Cells of the cache: one pool of ``context_tokens`` when it is unified, else the same for each slot; both padded
    to 256."""
    if run.unified_cache or run.slots <= 1:
        return _padded(run.context_tokens)
    return _padded(-(-run.context_tokens // run.slots)) * run.slots


def llama_cache_bytes(facts: ModelFacts, run: LlamaRun) -> float:
    """Keys and values in every layer: cells · kv_heads · (key size · bytes of its type + value size · bytes of its
    type).

    It gives the 224 MiB that llama.cpp logs for Qwen2-VL-7B at 4096 tokens, and with crossing layers in 32 bits the
    656 MiB that Ollama logs for Llama 3.2 Vision at 2048. 0 when a size is not known.
    """
    keys, values = (LLAMA_CACHE_BYTES.get(name, 2.0) for name in run.cache_types)
    return sum(_llama_group(facts, run, group, keys, values) for group in cache_groups(facts))


def _llama_group(facts: ModelFacts, run: LlamaRun, group: CacheGroup, keys: float, values: float) -> float:
    cells = llama_cells(run)
    if group.kind is CacheKind.STATE:
        return group.layers * group.state_bytes * run.slots
    if group.kind is CacheKind.LATENT:
        return group.layers * cells * group.latent_size * keys
    if group.kind is CacheKind.CROSS:
        cells, keys, values = encoder_tokens(facts, None), 4.0, 4.0
    elif group.kind is CacheKind.SLIDING and group.window:
        cells = window_cells(group.window, run) * (1 if run.unified_cache else max(run.slots, 1))
    return group.layers * cells * group.kv_heads * (group.key_size * keys + group.value_size * values)


def _padded(tokens: int) -> int:
    return -(-tokens // LLAMA_CACHE_STEP) * LLAMA_CACHE_STEP
