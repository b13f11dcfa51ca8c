"""How the layers of a GGUF model remember, from its header's metadata.

Keys and defaults as in llama.cpp's ``src/llama-arch.cpp`` and ``src/llama-model.cpp`` (``load_hparams``)."""

from collections import Counter
from collections.abc import Mapping

from aimindserve.domain.facts import CacheGroup, CacheKind
from aimindserve.domain.gguf import GgufArray, Scalar

Metadata = Mapping[str, Scalar | GgufArray]

# Every n-th layer looks at everything; 0: none does. For architectures whose files do not say.
_FULL_EVERY = {
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gemma-embedding": 6,
    "cohere2": 4,
    "gpt-oss": 2,
    "llama4": 4,
    "olmo2": 4,
    "exaone4": 4,
    "smallthinker": 4,
}
# Their sliding window is declared and not used.
_WINDOW_UNUSED = frozenset({"llama", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "phi3", "mistral3"})
_LARGEST = 1 << 31


def gguf_caches(metadata: Metadata, architecture: str) -> tuple[CacheGroup, ...]:
    """The layers by how they remember; empty when the file does not say enough."""
    keys = _Keys(metadata, architecture)
    layers, heads = keys.size("block_count"), keys.size("attention.head_count")
    if layers is None or layers > 4096:
        return ()
    latent = keys.size("attention.kv_lora_rank")
    if latent and keys.size("attention.key_length_mla"):
        rope = keys.size("rope.dimension_count") or 0
        return (CacheGroup(kind=CacheKind.LATENT, layers=layers, latent_size=latent + rope),)
    embedding = keys.size("embedding_length")
    per_head = embedding // heads if embedding and heads else 0
    key_size = keys.size("attention.key_length") or per_head
    value_size = keys.size("attention.value_length") or per_head
    window = keys.size("attention.sliding_window")
    kv_heads = keys.per_layer("attention.head_count_kv", layers) or [heads or 0] * layers
    state = _state_bytes(keys)
    recurrent = _recurrent(keys, kv_heads, layers) if state else [False] * layers
    sliding = _sliding(keys, architecture, layers) if window else [False] * layers
    groups: Counter[CacheGroup] = Counter()
    for layer in range(layers):
        if recurrent[layer]:
            groups[CacheGroup(kind=CacheKind.STATE, layers=1, state_bytes=state)] += 1
        if kv_heads[layer] and not (recurrent[layer] and not keys.both):
            kind = CacheKind.SLIDING if sliding[layer] else CacheKind.FULL
            groups[
                CacheGroup(
                    kind=kind,
                    layers=1,
                    kv_heads=kv_heads[layer],
                    key_size=key_size,
                    value_size=value_size,
                    window=window if sliding[layer] else None,
                )
            ] += 1
    return tuple(group.model_copy(update={"layers": count}) for group, count in groups.items())


class _Keys:
    """Values of one architecture; None for anything absent or absurd."""

    def __init__(self, metadata: Metadata, architecture: str) -> None:
        self._metadata = metadata
        self._architecture = architecture
        # Attention and a state in every layer.
        self.both = architecture == "falcon-h1"

    def value(self, key: str) -> Scalar | GgufArray | None:
        return self._metadata.get(f"{self._architecture}.{key}")

    def size(self, key: str) -> int | None:
        value = self.value(key)
        candidates = (value.values or ()) if isinstance(value, GgufArray) else (value,)
        sizes = [size for size in candidates if isinstance(size, int) and not isinstance(size, bool)]
        largest = max(sizes, default=0)
        return largest if 0 < largest < _LARGEST else None

    def per_layer(self, key: str, layers: int) -> list[int] | None:
        """A number for each layer, whether the file has one for all or an array."""
        value = self.value(key)
        if isinstance(value, GgufArray):
            values = [item for item in value.values or () if isinstance(item, int) and 0 <= item < _LARGEST]
            return values[:layers] if len(values) >= layers else None
        size = self.size(key)
        return [size] * layers if size else None


def _sliding(keys: _Keys, architecture: str, layers: int) -> list[bool]:
    pattern = keys.value("attention.sliding_window_pattern")
    if isinstance(pattern, GgufArray) and pattern.values and len(pattern.values) >= layers:
        return [bool(value) for value in pattern.values[:layers]]
    every = keys.size("attention.sliding_window_pattern") or _FULL_EVERY.get(architecture)
    if every is None:
        return [architecture not in _WINDOW_UNUSED] * layers
    return [layer % every < every - 1 for layer in range(layers)]


def _recurrent(keys: _Keys, kv_heads: list[int], layers: int) -> list[bool]:
    if keys.both:
        return [True] * layers
    if 0 in kv_heads:
        return [count == 0 for count in kv_heads]
    every = keys.size("full_attention_interval") or 0
    # Every fourth layer of Qwen3-Next and Qwen3.5 looks at everything.
    default = 4 if keys.size("ssm.group_count") and keys.size("attention.head_count_kv") else 0
    every = every or default
    return [(layer + 1) % every != 0 for layer in range(layers)] if every else [True] * layers


def _state_bytes(keys: _Keys) -> int:
    """Bytes of one layer's state for one sequence: llama.cpp keeps it in 32 bits (``n_embd_r`` and ``n_embd_s``)."""
    inner, state, kernel = keys.size("ssm.inner_size"), keys.size("ssm.state_size"), keys.size("ssm.conv_kernel")
    if not inner or not state:
        return 0
    groups = keys.size("ssm.group_count") or 0
    convolution = max((kernel or 1) - 1, 0) * (inner + 2 * groups * state)
    return 4 * (convolution + inner * state)
