"""How the layers of a Hugging Face checkpoint remember, from its ``config.json``.

Field names and defaults as in ``transformers/models/*/configuration_*.py``."""

from collections import Counter
from collections.abc import Sequence

from aimindserve.domain.facts import CacheGroup, CacheKind
from aimindserve.domain.hf_json import Json, numbers, size, text, texts

_MOST_LAYERS = 4096
# One layer in so many looks at everything, where the configuration does not list the layers.
_FULL_EVERY = {"gemma2": 2, "gemma3_text": 6, "gemma3": 6, "gemma3n_text": 5, "cohere2": 4, "gpt_oss": 2}
_STATE_LAYERS = frozenset({"linear_attention", "mamba", "mamba2", "ssm", "recurrent"})
_WINDOW_LAYERS = frozenset({"sliding_attention", "chunked_attention", "local_attention"})


def hf_caches(config: Json, layers: int | None, kv_heads: int | None, head_size: int | None) -> tuple[CacheGroup, ...]:
    """The layers by how they remember; empty when the configuration does not say enough. ``config``: the text part."""
    if layers is None or layers > _MOST_LAYERS:
        return ()
    latent = size(config, "kv_lora_rank")
    if latent:
        rope = size(config, "qk_rope_head_dim") or 0
        return (CacheGroup(kind=CacheKind.LATENT, layers=layers, latent_size=latent + rope),)
    if not kv_heads or not head_size:
        return ()
    window = _window(config)
    heads = _heads_per_layer(config, layers, kv_heads)
    groups: Counter[CacheGroup] = Counter()
    for layer, kind in enumerate(_kinds(config, layers, window)):
        for one in (CacheKind.STATE, CacheKind.FULL) if kind is None else (kind,):
            groups[_group(config, one, heads[layer], head_size, window)] += 1
    return tuple(group.model_copy(update={"layers": count}) for group, count in groups.items())


def _group(config: Json, kind: CacheKind, kv_heads: int, head_size: int, window: int | None) -> CacheGroup:
    if kind is CacheKind.STATE:
        return CacheGroup(kind=kind, layers=1, state_bytes=_state_bytes(config))
    value_size = size(config, "v_head_dim") or head_size
    return CacheGroup(
        kind=kind,
        layers=1,
        kv_heads=kv_heads,
        key_size=head_size,
        value_size=value_size,
        window=window if kind is CacheKind.SLIDING else None,
    )


def _window(config: Json) -> int | None:
    window = size(config, "sliding_window", "attention_chunk_size")
    context = size(config, "max_position_embeddings")
    if config.get("use_sliding_window") is False or (window and context and window >= context):
        return None
    return window


def _heads_per_layer(config: Json, layers: int, kv_heads: int) -> Sequence[int]:
    listed = numbers(config, "num_key_value_heads") or numbers(config, "num_kv_heads_per_layer")
    return listed if len(listed) == layers else [kv_heads] * layers


def _kinds(config: Json, layers: int, window: int | None) -> list[CacheKind | None]:
    """What each layer keeps; None: attention and a state both."""
    if text(config, "model_type") == "falcon_h1":
        return [None] * layers
    crossing = set(numbers(config, "cross_attention_layers"))
    listed = texts(config, "layer_types") or texts(config, "layers_block_type")
    if len(listed) == layers:
        kinds: list[CacheKind | None] = [_kind(name, window) for name in listed]
    else:
        kinds = list(_by_rule(config, layers, window))
    return [CacheKind.CROSS if layer in crossing else kind for layer, kind in enumerate(kinds)]


def _kind(name: str, window: int | None) -> CacheKind:
    if name in _STATE_LAYERS:
        return CacheKind.STATE
    return CacheKind.SLIDING if name in _WINDOW_LAYERS and window else CacheKind.FULL


def _by_rule(config: Json, layers: int, window: int | None) -> list[CacheKind]:
    pattern = text(config, "hybrid_override_pattern")
    if pattern and len(pattern) == layers:
        # Nemotron-H: M a state, * attention, - neither.
        return [CacheKind.STATE if mark == "M" else CacheKind.FULL for mark in pattern if mark in "M*"]
    every = size(config, "full_attention_interval")
    if every:
        return [CacheKind.FULL if (layer + 1) % every == 0 else CacheKind.STATE for layer in range(layers)]
    period = size(config, "attn_layer_period")
    if period:
        offset = config.get("attn_layer_offset")
        offset = offset if isinstance(offset, int) else 0
        return [CacheKind.FULL if layer % period == offset else CacheKind.STATE for layer in range(layers)]
    if window is None:
        return [CacheKind.FULL] * layers
    every = size(config, "sliding_window_pattern") or _FULL_EVERY.get(text(config, "model_type") or "")
    if every:
        return [CacheKind.FULL if (layer + 1) % every == 0 else CacheKind.SLIDING for layer in range(layers)]
    first = size(config, "max_window_layers") if config.get("use_sliding_window") is True else 0
    return [CacheKind.FULL if layer < (first or 0) else CacheKind.SLIDING for layer in range(layers)]


def _state_bytes(config: Json) -> int:
    """Bytes of one layer's state for one sequence: the convolution's in 16 bits, the state itself in 32."""
    values, keys = size(config, "linear_num_value_heads"), size(config, "linear_num_key_heads")
    if values and keys:
        key_size, value_size = size(config, "linear_key_head_dim") or 0, size(config, "linear_value_head_dim") or 0
        kernel = size(config, "linear_conv_kernel_dim") or 1
        return 2 * (kernel - 1) * (2 * keys * key_size + values * value_size) + 4 * values * key_size * value_size
    state = size(config, "mamba_d_state", "ssm_state_size", "state_size") or 0
    kernel = size(config, "mamba_d_conv", "conv_kernel") or 1
    heads = size(config, "mamba_n_heads", "mamba_num_heads")
    per_head = size(config, "mamba_d_head", "mamba_head_dim")
    expand = size(config, "mamba_expand", "expand") or 2
    inner = heads * per_head if heads and per_head else expand * (size(config, "hidden_size") or 0)
    groups = size(config, "mamba_n_groups", "n_groups") or 0
    return 2 * (kernel - 1) * (inner + 2 * groups * state) + 4 * inner * state
