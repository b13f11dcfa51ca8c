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
    """Keys and values of ``tokens`` tokens in every layer: 2 · layers · kv_heads · head_size · 2 bytes a token.

    Source: the cache's definition (one key and one value vector per layer and kv head). 0 when a size is not known.
    """
    layers, heads, size = facts.layers or 0, facts.kv_heads or facts.heads or 0, facts.head_size or 0
    return 2 * layers * heads * size * _KV_ELEMENT_BYTES * tokens


def compute_bytes(facts: ModelFacts) -> int:
    """Working memory of one micro-batch: logits and a handful of activations, as 32-bit floats.

    An upper estimate: 512 · (vocabulary + 16 · embedding size) · 4 bytes.
    """
    return _MICRO_BATCH * ((facts.vocabulary_size or 0) + 16 * (facts.embedding_size or 0)) * 4


def estimate_llama_cpp(facts: ModelFacts, context_tokens: int) -> MemoryEstimate:
    """What a llama.cpp server needs for ``facts`` with ``context_tokens`` tokens of cache in all."""
    items = [
        MemoryItem(item="weights", bytes=facts.weight_bytes, why=explained(Why.MEMORY_WEIGHTS)),
        MemoryItem(
            item="kv_cache",
            bytes=kv_cache_bytes(facts, context_tokens),
            why=explained(Why.MEMORY_KV_CACHE, tokens=context_tokens, layers=facts.layers or 0),
        ),
        MemoryItem(item="compute", bytes=compute_bytes(facts), why=explained(Why.MEMORY_COMPUTE)),
        MemoryItem(item="overhead", bytes=_ENGINE_OVERHEAD, why=explained(Why.MEMORY_OVERHEAD)),
    ]
    if facts.projector_bytes:
        projector = MemoryItem(item="projector", bytes=facts.projector_bytes, why=explained(Why.MEMORY_PROJECTOR))
        items.insert(1, projector)
    return MemoryEstimate(items=tuple(items))
