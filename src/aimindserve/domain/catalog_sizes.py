"""How many parameters the parts of a model have, from the fields of its configuration.

Sources: the layers of ``transformers/models/*/modeling_*.py``. Norms and biases, below 0.2 %, are left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from aimindserve.domain.facts import ModelPart, VisionFacts
from aimindserve.domain.hf_config import HfConfig
from aimindserve.domain.hf_json import Json, section, size, text

# Their MLP has two matrices; all others have a gate as the third.
_PLAIN_MLP = frozenset({"bert", "xlm-roberta", "phi", "whisper", "nemotron_h"})
_GATED_TOWERS = frozenset({"qwen2_5_vl", "pixtral", "dots_vit"})
# How pictures get to the language model's width E from m² merged patches of width w: through a layer as wide as the
# patches, through one as wide as the language model, or at once.
_WIDE = frozenset(
    {"qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe", "kimi_vl", "keye_vl_1_5"}
)
_AT_ONCE = frozenset({"gemma3", "gemma4", "paligemma", "idefics3", "smolvlm"})


@dataclass(frozen=True, slots=True)
class LayerSizes:
    """Parameters of all layers: ``experts`` of a mixture, and the rest."""

    dense: int
    experts: int = 0


def text_fields(config: Json) -> Json:
    """The language part of a configuration."""
    inner = section(config, "text_config", "llm_config", "language_config", "thinker_config")
    return (section(inner, "text_config") or inner) if inner is not None else config


def layer_sizes(words: Json, config: HfConfig) -> LayerSizes:
    """Parameters of the layers. 0 when a size is missing."""
    layers, width, heads = config.layers or 0, config.embedding_size or 0, config.heads or 0
    attention = _attention(words, config)
    linear = _linear_attention(words, width)
    every = size(words, "full_attention_interval")
    full = layers // every if linear and every else layers
    matrices = 2 if text(words, "model_type") in _PLAIN_MLP else 3
    experts = size(words, "num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts") or 0
    dense_width = config.feed_forward_size or 4 * width
    mixed = max(layers - (size(words, "first_k_dense_replace") or 0), 0) if experts else 0
    moe_width = size(words, "moe_intermediate_size") or dense_width
    shared = _shared_width(words, moe_width)
    dense = full * attention + (layers - full) * linear
    dense += (layers - mixed) * matrices * width * dense_width
    dense += mixed * width * (experts + matrices * shared)
    return LayerSizes(dense if heads else 0, mixed * experts * matrices * width * moe_width)


def _shared_width(words: Json, moe_width: int) -> int:
    """Width of the experts that every token passes."""
    counted = size(words, "n_shared_experts", "moe_num_shared_experts")
    if counted:
        return counted * moe_width
    if text(words, "model_type") in ("llama4_text", "gemma4_text"):
        return size(words, "intermediate_size") or 0
    return size(words, "shared_expert_intermediate_size") or 0


def _attention(words: Json, config: HfConfig) -> int:
    """Keys, values, queries and output of one layer: E · d · (2 · heads + 2 · kv_heads), or with latent attention
    through its low ranks."""
    width, heads, per_head = config.embedding_size or 0, config.heads or 0, config.head_size or 0
    latent = size(words, "kv_lora_rank")
    if not latent:
        gate = 1 if words.get("attn_output_gate") is True else 0
        return width * per_head * ((2 + gate) * heads + 2 * (config.kv_heads or heads))
    rope, values = size(words, "qk_rope_head_dim") or 0, size(words, "v_head_dim") or 0
    plain = size(words, "qk_nope_head_dim") or 0
    low = size(words, "q_lora_rank")
    queries = low * (width + heads * (plain + rope)) if low else width * heads * (plain + rope)
    return queries + width * (latent + rope) + latent * heads * (plain + values) + heads * values * width


def _linear_attention(words: Json, width: int) -> int:
    """A layer of gated delta attention (Qwen3-Next): queries, keys, values, gate, two rates and the output."""
    values = (size(words, "linear_num_value_heads") or 0) * (size(words, "linear_value_head_dim") or 0)
    keys = (size(words, "linear_num_key_heads") or 0) * (size(words, "linear_key_head_dim") or 0)
    return width * (2 * keys + 3 * values + 2 * (size(words, "linear_num_value_heads") or 0)) if values else 0


def tower_size(vision: VisionFacts, kind: str) -> int:
    """Parameters of a vision tower: 4 · w² of attention and the MLP in each layer, patches and positions. 0 when it is
    not known."""
    if not vision.width or not vision.layers:
        return 0
    matrices = 3 if kind in _GATED_TOWERS or vision.kind in _GATED_TOWERS else 2
    feed_forward = vision.feed_forward_size or 4 * vision.width
    patch = vision.patch_size or 14
    positions = (vision.image_size // patch) ** 2 if vision.image_size else 0
    layers = vision.layers * (4 * vision.width**2 + matrices * vision.width * feed_forward)
    return layers + vision.width * (3 * patch**2 + positions)


def projector_size(vision: VisionFacts, kind: str, width: int) -> int:
    """Parameters between a tower and a language model of ``width``."""
    merged = (vision.width or 0) * (vision.merge_size or 1) ** 2
    if kind in _AT_ONCE:
        return merged * width
    if kind in _WIDE:
        return (merged + width) * merged * (1 + vision.deepstack_levels)
    extra = merged * (vision.width or 0) if kind == "mistral3" else 0
    joined = (vision.width or 0) if kind == "mistral3" else merged
    return extra + joined * width + width * width


def part_sizes(raw: Json, config: HfConfig, stated: Mapping[ModelPart, int]) -> dict[ModelPart, int]:
    """Parameters by part; ``stated`` ones are taken as they are."""
    rows = (config.vocabulary_size or 0) * (config.embedding_size or 0)
    layers = layer_sizes(text_fields(raw), config)
    found = {
        ModelPart.EMBEDDING: rows,
        ModelPart.LAYERS: layers.dense + layers.experts,
        ModelPart.OUTPUT: 0 if config.tied_embeddings else rows,
    }
    if config.vision is not None:
        kind = config.model_type or ""
        found[ModelPart.VISION] = tower_size(config.vision, kind)
        found[ModelPart.PROJECTOR] = projector_size(config.vision, kind, config.embedding_size or 0)
    return {**found, **stated}
