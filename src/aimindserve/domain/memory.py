"""How much memory a model needs, item by item."""

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.units import MIB

# Resident size of a llama.cpp server without a model: measured 55 to 80 MB, rounded up.
_ENGINE_OVERHEAD = 96 * MIB
# Both key and value are kept as 16-bit floats unless told otherwise.
_KV_ELEMENT_BYTES = 2
# llama.cpp's default physical batch (--ubatch-size).
_MICRO_BATCH = 512
# The cache's length is a multiple of this.
_CACHE_STEP = 256
# llama.cpp scales larger pictures down to this many tokens in models that take any size (Qwen-VL).
_MOST_IMAGE_TOKENS = 4096


class MemoryItem(BaseModel):
    """A line of the fit report, in bytes."""

    model_config = ConfigDict(frozen=True)

    item: str
    bytes: int
    why: Explained


class MemoryEstimate(BaseModel):
    """All items of one replica on one device."""

    model_config = ConfigDict(frozen=True)

    items: tuple[MemoryItem, ...]

    @property
    def total(self) -> int:
        """Bytes in all."""
        return sum(item.bytes for item in self.items)


def kv_cache_bytes(facts: ModelFacts, tokens: int) -> int:
    """Keys and values of ``tokens`` tokens in every layer: layers · kv_heads · (key + value size) · 2 bytes a token.

    Source: the cache's definition (one key and one value vector per layer and kv head; llama.cpp rounds the tokens up
    to 256). It gives the 224 MiB that llama.cpp logs for Qwen2-VL-7B at 4096 tokens. 0 when a size is not known.
    """
    layers, heads, size = facts.layers or 0, facts.kv_heads or facts.heads or 0, facts.head_size or 0
    padded = -(-tokens // _CACHE_STEP) * _CACHE_STEP
    return layers * heads * (size + (facts.value_size or size)) * _KV_ELEMENT_BYTES * padded


def compute_bytes(facts: ModelFacts, context_tokens: int = 0) -> int:
    """Working memory of one micro-batch as 32-bit floats: logits and one activation, or the widest layer, whichever is
    more, and the attention mask over ``context_tokens``.

    512 · max(vocabulary + embedding, 4 · embedding + 3 · feed-forward) · 4 bytes: 304.0 MiB for Qwen2-7B, where
    llama.cpp logged 304.75; builds since mid-2026 need less. Assumes flash attention, which is on by default.
    """
    embedding = facts.embedding_size or 0
    widest = 4 * embedding + 3 * (facts.feed_forward_size or 4 * embedding)
    logits = (facts.vocabulary_size or 0) + embedding
    return _MICRO_BATCH * (max(logits, widest) + context_tokens) * 4


def vision_patches(facts: ModelFacts) -> int:
    """Patches of the largest picture that the deployment may be sent; 0 when the vision tower is not known."""
    vision = facts.vision
    if vision is None:
        return 0
    if vision.merge_size is not None:
        tokens = facts.image_tokens_max or _MOST_IMAGE_TOKENS
        return tokens * vision.merge_size**2
    return (vision.image_size // vision.patch_size) ** 2 if vision.image_size and vision.patch_size else 0


def vision_compute_bytes(facts: ModelFacts) -> int:
    """Working memory of the vision tower for the largest picture, with flash attention.

    4 bytes · (feed-forward · P + 2 · width · P + 3 · width of the picture · its height), P patches. It gives 267.0 MiB
    for Qwen2-VL at 2,116 tokens, as measured (gguf-parser-go issue 44). 0 when the tower is not known.
    """
    vision, patches = facts.vision, vision_patches(facts)
    if vision is None or not patches or not vision.width:
        return 0
    feed_forward = vision.feed_forward_size or 4 * vision.width
    pixels = patches * (vision.patch_size or 0) ** 2
    return 4 * (feed_forward * patches + 2 * vision.width * patches + 3 * pixels)


def estimate_llama_cpp(facts: ModelFacts, context_tokens: int) -> MemoryEstimate:
    """What a llama.cpp server needs for ``facts`` with ``context_tokens`` tokens of cache in all."""
    kv_cache = explained(Why.MEMORY_KV_CACHE, tokens=context_tokens, layers=facts.layers or 0)
    tokens = vision_patches(facts) // ((facts.vision.merge_size or 1) ** 2) if facts.vision else 0
    lines = (
        ("weights", facts.weight_bytes, explained(Why.MEMORY_WEIGHTS)),
        ("projector", facts.projector_bytes, explained(Why.MEMORY_PROJECTOR)),
        ("kv_cache", kv_cache_bytes(facts, context_tokens), kv_cache),
        ("compute", compute_bytes(facts, context_tokens), explained(Why.MEMORY_COMPUTE)),
        ("vision_compute", vision_compute_bytes(facts), explained(Why.MEMORY_VISION_COMPUTE, tokens=tokens)),
        ("overhead", _ENGINE_OVERHEAD, explained(Why.MEMORY_OVERHEAD)),
    )
    optional = ("projector", "vision_compute")
    kept = (line for line in lines if line[1] or line[0] not in optional)
    return MemoryEstimate(items=tuple(MemoryItem(item=item, bytes=size, why=why) for item, size, why in kept))
