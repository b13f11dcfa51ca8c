"""Names and shapes of the tensors of checkpoints, from their configurations as the architectures define them. Pure.

Each function takes the parsed ``config.json`` (``params.json`` for Mistral's format) and gives the tensors in the order
of the model's state dict, which decides how they are shared out over files.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Config = Mapping[str, Any]


class Tensor(NamedTuple):
    """A weight, stored as BF16."""

    name: str
    shape: tuple[int, ...]


def _linear(name: str, width_in: int, width_out: int, *, bias: bool) -> Iterator[Tensor]:
    yield Tensor(f"{name}.weight", (width_out, width_in))
    if bias:
        yield Tensor(f"{name}.bias", (width_out,))


def _norm(name: str, width: int, *, bias: bool) -> Iterator[Tensor]:
    yield Tensor(f"{name}.weight", (width,))
    if bias:
        yield Tensor(f"{name}.bias", (width,))


def _mlp(name: str, width: int, inner: int) -> Iterator[Tensor]:
    for part in ("gate_proj", "up_proj"):
        yield from _linear(f"{name}.{part}", width, inner, bias=False)
    yield from _linear(f"{name}.down_proj", inner, width, bias=False)


def _attention(name: str, config: Config, *, bias: bool) -> Iterator[Tensor]:
    width, heads = config["hidden_size"], config["num_attention_heads"]
    keys = config["num_key_value_heads"] * (width // heads)
    for part, out in (("q_proj", width), ("k_proj", keys), ("v_proj", keys)):
        yield from _linear(f"{name}.{part}", width, out, bias=bias)
    yield from _linear(f"{name}.o_proj", width, width, bias=False)


def qwen2_vl(config: Config) -> Iterator[Tensor]:
    """Qwen2-VL: a ViT with full biases, a merger, and Qwen2."""
    vision = config["vision_config"]
    inside, width, patch = vision["embed_dim"], config["hidden_size"], vision["patch_size"]
    yield Tensor("visual.patch_embed.proj.weight", (inside, 3, vision["temporal_patch_size"], patch, patch))
    for layer in range(vision["depth"]):
        block = f"visual.blocks.{layer}"
        yield from _norm(f"{block}.norm1", inside, bias=True)
        yield from _norm(f"{block}.norm2", inside, bias=True)
        yield from _linear(f"{block}.attn.qkv", inside, 3 * inside, bias=True)
        yield from _linear(f"{block}.attn.proj", inside, inside, bias=True)
        yield from _linear(f"{block}.mlp.fc1", inside, vision["mlp_ratio"] * inside, bias=True)
        yield from _linear(f"{block}.mlp.fc2", vision["mlp_ratio"] * inside, inside, bias=True)
    merged = inside * vision["spatial_merge_size"] ** 2
    yield from _norm("visual.merger.ln_q", inside, bias=True)
    yield from _linear("visual.merger.mlp.0", merged, merged, bias=True)
    yield from _linear("visual.merger.mlp.2", merged, width, bias=True)
    yield Tensor("model.embed_tokens.weight", (config["vocab_size"], width))
    for layer in range(config["num_hidden_layers"]):
        block = f"model.layers.{layer}"
        yield from _attention(f"{block}.self_attn", config, bias=True)
        yield from _mlp(f"{block}.mlp", width, config["intermediate_size"])
        yield from _norm(f"{block}.input_layernorm", width, bias=False)
        yield from _norm(f"{block}.post_attention_layernorm", width, bias=False)
    yield Tensor("model.norm.weight", (width,))
    if not config["tie_word_embeddings"]:
        yield Tensor("lm_head.weight", (config["vocab_size"], width))


def _mllama_vision_layer(block: str, width: int, inner: int, *, gated: bool) -> Iterator[Tensor]:
    if gated:
        yield Tensor(f"{block}.gate_attn", (1,))
        yield Tensor(f"{block}.gate_ffn", (1,))
    for part in ("q_proj", "k_proj", "v_proj", "o_proj"):
        yield from _linear(f"{block}.self_attn.{part}", width, width, bias=False)
    yield from _linear(f"{block}.mlp.fc1", width, inner, bias=True)
    yield from _linear(f"{block}.mlp.fc2", inner, width, bias=True)
    yield from _norm(f"{block}.input_layernorm", width, bias=True)
    yield from _norm(f"{block}.post_attention_layernorm", width, bias=True)


def _mllama_vision(vision: Config) -> Iterator[Tensor]:
    width, tiles = vision["hidden_size"], vision["max_num_tiles"]
    places = (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    ratios = len(vision["supported_aspect_ratios"]) + 1
    patch = vision["patch_size"]
    yield Tensor("vision_model.class_embedding", (width,))
    yield Tensor("vision_model.patch_embedding.weight", (width, 3, patch, patch))
    yield Tensor("vision_model.gated_positional_embedding.gate", (1,))
    yield Tensor("vision_model.gated_positional_embedding.embedding", (places, width))
    yield Tensor("vision_model.gated_positional_embedding.tile_embedding.weight", (ratios, tiles * places * width))
    for part in ("pre_tile_positional_embedding", "post_tile_positional_embedding"):
        yield Tensor(f"vision_model.{part}.gate", (1,))
        yield Tensor(f"vision_model.{part}.embedding.weight", (ratios, tiles * width))
    yield from _norm("vision_model.layernorm_pre", width, bias=True)
    yield from _norm("vision_model.layernorm_post", width, bias=True)
    for name, count in (
        ("transformer", vision["num_hidden_layers"]),
        ("global_transformer", vision["num_global_layers"]),
    ):
        for layer in range(count):
            block = f"vision_model.{name}.layers.{layer}"
            gated = name == "global_transformer"
            yield from _mllama_vision_layer(block, width, vision["intermediate_size"], gated=gated)


def mllama(config: Config) -> Iterator[Tensor]:
    """Llama 3.2 Vision: a tiled ViT, and Llama with gated cross-attention layers in between."""
    text, vision = config["text_config"], config["vision_config"]
    width, head = text["hidden_size"], text["hidden_size"] // text["num_attention_heads"]
    yield from _mllama_vision(vision)
    # Eight more rows than the vocabulary has: the image token and room.
    yield Tensor("language_model.model.embed_tokens.weight", (text["vocab_size"] + 8, width))
    for layer in range(text["num_hidden_layers"]):
        block = f"language_model.model.layers.{layer}"
        if layer in text["cross_attention_layers"]:
            yield Tensor(f"{block}.cross_attn_attn_gate", (1,))
            yield Tensor(f"{block}.cross_attn_mlp_gate", (1,))
            yield from _attention(f"{block}.cross_attn", text, bias=False)
            yield from _norm(f"{block}.cross_attn.q_norm", head, bias=False)
            yield from _norm(f"{block}.cross_attn.k_norm", head, bias=False)
        else:
            yield from _attention(f"{block}.self_attn", text, bias=False)
        yield from _mlp(f"{block}.mlp", width, text["intermediate_size"])
        yield from _norm(f"{block}.input_layernorm", width, bias=False)
        yield from _norm(f"{block}.post_attention_layernorm", width, bias=False)
    yield Tensor("language_model.model.norm.weight", (width,))
    yield Tensor("language_model.lm_head.weight", (text["vocab_size"], width))
    yield from _linear("multi_modal_projector", vision["vision_output_dim"], width, bias=True)


def _mistral_layer(block: str, width: int, queries: int, keys: int, inner: int) -> Iterator[Tensor]:
    for part, out in (("wq", queries), ("wk", keys), ("wv", keys)):
        yield from _linear(f"{block}.attention.{part}", width, out, bias=False)
    yield from _linear(f"{block}.attention.wo", queries, width, bias=False)
    for part, sizes in (("w1", (width, inner)), ("w2", (inner, width)), ("w3", (width, inner))):
        yield from _linear(f"{block}.feed_forward.{part}", *sizes, bias=False)
    yield from _norm(f"{block}.attention_norm", width, bias=False)
    yield from _norm(f"{block}.ffn_norm", width, bias=False)


def pixtral(params: Config) -> Iterator[Tensor]:
    """Pixtral in Mistral's own format."""
    width, head, vision = params["dim"], params["head_dim"], params["vision_encoder"]
    inside, patch = vision["hidden_size"], vision["patch_size"]
    yield Tensor("tok_embeddings.weight", (params["vocab_size"], width))
    for layer in range(params["n_layers"]):
        queries, keys = params["n_heads"] * head, params["n_kv_heads"] * head
        yield from _mistral_layer(f"layers.{layer}", width, queries, keys, params["hidden_dim"])
    yield Tensor("norm.weight", (width,))
    yield Tensor("output.weight", (params["vocab_size"], width))
    yield Tensor("vision_encoder.patch_conv.weight", (inside, 3, patch, patch))
    yield Tensor("vision_encoder.ln_pre.weight", (inside,))
    for layer in range(vision["num_hidden_layers"]):
        block = f"vision_encoder.transformer.layers.{layer}"
        yield from _mistral_layer(block, inside, inside, inside, vision["intermediate_size"])
    yield from _linear("vision_language_adapter.w_in", inside, width, bias=vision["adapter_bias"])
    yield from _linear("vision_language_adapter.w_out", width, width, bias=vision["adapter_bias"])


def _clip_large(name: str) -> Iterator[Tensor]:
    """The vision tower of openai/clip-vit-large-patch14-336, which the configuration only names."""
    width, inner, places = 1024, 4096, (336 // 14) ** 2 + 1
    yield Tensor(f"{name}.embeddings.class_embedding", (width,))
    yield Tensor(f"{name}.embeddings.patch_embedding.weight", (width, 3, 14, 14))
    yield Tensor(f"{name}.embeddings.position_embedding.weight", (places, width))
    yield from _norm(f"{name}.pre_layrnorm", width, bias=True)
    for layer in range(24):
        block = f"{name}.encoder.layers.{layer}"
        for part in ("k_proj", "v_proj", "q_proj", "out_proj"):
            yield from _linear(f"{block}.self_attn.{part}", width, width, bias=True)
        yield from _norm(f"{block}.layer_norm1", width, bias=True)
        yield from _linear(f"{block}.mlp.fc1", width, inner, bias=True)
        yield from _linear(f"{block}.mlp.fc2", inner, width, bias=True)
        yield from _norm(f"{block}.layer_norm2", width, bias=True)
    yield from _norm(f"{name}.post_layernorm", width, bias=True)


def phi3_v(config: Config) -> Iterator[Tensor]:
    """Phi-3.5-vision: CLIP, learned separators, a projection, and Phi-3 with fused projections."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    seen = 4 * config["img_processor"]["image_dim_out"]
    vision = "model.vision_embed_tokens"
    yield Tensor("model.embed_tokens.weight", (config["vocab_size"], width))
    yield Tensor(f"{vision}.glb_GN", (1, 1, seen))
    yield Tensor(f"{vision}.sub_GN", (1, 1, 1, seen))
    yield from _clip_large(f"{vision}.img_processor.vision_model")
    yield from _linear(f"{vision}.img_projection.0", seen, width, bias=True)
    yield from _linear(f"{vision}.img_projection.2", width, width, bias=True)
    for layer in range(config["num_hidden_layers"]):
        block = f"model.layers.{layer}"
        keys = config["num_key_value_heads"] * (width // config["num_attention_heads"])
        yield from _linear(f"{block}.self_attn.o_proj", width, width, bias=False)
        yield from _linear(f"{block}.self_attn.qkv_proj", width, width + 2 * keys, bias=False)
        yield from _linear(f"{block}.mlp.gate_up_proj", width, 2 * inner, bias=False)
        yield from _linear(f"{block}.mlp.down_proj", inner, width, bias=False)
        yield from _norm(f"{block}.input_layernorm", width, bias=False)
        yield from _norm(f"{block}.post_attention_layernorm", width, bias=False)
    yield Tensor("model.norm.weight", (width,))
    yield Tensor("lm_head.weight", (config["vocab_size"], width))


def bert(config: Config) -> Iterator[Tensor]:
    """An encoder for embeddings."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    yield Tensor("embeddings.word_embeddings.weight", (config["vocab_size"], width))
    yield Tensor("embeddings.position_embeddings.weight", (config["max_position_embeddings"], width))
    yield Tensor("embeddings.token_type_embeddings.weight", (config["type_vocab_size"], width))
    yield from _norm("embeddings.LayerNorm", width, bias=True)
    for layer in range(config["num_hidden_layers"]):
        block = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            yield from _linear(f"{block}.attention.self.{part}", width, width, bias=True)
        yield from _linear(f"{block}.attention.output.dense", width, width, bias=True)
        yield from _norm(f"{block}.attention.output.LayerNorm", width, bias=True)
        yield from _linear(f"{block}.intermediate.dense", width, inner, bias=True)
        yield from _linear(f"{block}.output.dense", inner, width, bias=True)
        yield from _norm(f"{block}.output.LayerNorm", width, bias=True)
    yield from _linear("pooler.dense", width, width, bias=True)


ARCHITECTURES: Mapping[str, Callable[[Config], Iterator[Tensor]]] = {
    "qwen2_vl": qwen2_vl,
    "mllama": mllama,
    "pixtral": pixtral,
    "phi3_v": phi3_v,
    "bert": bert,
}
