"""Facts of the models whose memory was published or measured, as their headers and configurations give them."""

from typing import Any

from aimindserve.domain.facts import (
    CacheGroup,
    CacheKind,
    ModelFacts,
    ModelFormat,
    ModelPart,
    QuantizationFacts,
    VisionFacts,
    WeightGroup,
)

_BITS = {"F32": 32.0, "F16": 16.0, "BF16": 16.0, "Q8_0": 8.5, "Q6_K": 6.5625, "Q4_K": 4.5}


def weights(part: ModelPart, elements: int, dtype: str = "BF16") -> WeightGroup:
    return WeightGroup(part=part, dtype=dtype, elements=elements, bytes=round(elements * _BITS[dtype] / 8))


def model(architecture: str, **values: Any) -> ModelFacts:
    base: dict[str, Any] = {"format": ModelFormat.SAFETENSORS, "name": architecture, "files": (), "dtype": "bfloat16"}
    return ModelFacts(**{**base, "architecture": architecture, **values})


QWEN_TOWER = VisionFacts(
    kind="qwen2_vl", width=1280, feed_forward_size=5120, heads=16, layers=32, patch_size=14, merge_size=2,
    pixels_min=3136, pixels_max=12_845_056,
)  # fmt: skip
_QWEN7 = {
    "layers": 28, "heads": 28, "kv_heads": 4, "head_size": 128, "embedding_size": 3584, "feed_forward_size": 18944,
    "vocabulary_size": 152064, "context_length": 32768, "capabilities": ("chat", "vision"),
}  # fmt: skip
QWEN_SIZES = {
    "layers": 32, "heads": 32, "kv_heads": 32, "head_size": 128, "embedding_size": 4096, "feed_forward_size": 11008,
    "vocabulary_size": 151936,
}  # fmt: skip
QWEN2_VL_7B = model(
    "Qwen2VLForConditionalGeneration",
    **_QWEN7,
    vision=QWEN_TOWER,
    weights=(
        weights(ModelPart.EMBEDDING, 152064 * 3584),
        weights(ModelPart.LAYERS, 7_615_616_512 - 2 * 152064 * 3584),
        weights(ModelPart.OUTPUT, 152064 * 3584),
        weights(ModelPart.VISION, 675_759_104),
    ),
)
QWEN2_VL_7B_GGUF = model(
    "qwen2vl",
    **_QWEN7,
    format=ModelFormat.GGUF,
    vision=QWEN_TOWER.model_copy(update={"kind": "qwen2vl_merger"}),
    weights=(
        weights(ModelPart.EMBEDDING, 152064 * 3584, "Q4_K"),
        weights(ModelPart.LAYERS, 7_615_616_512 - 2 * 152064 * 3584, "Q4_K"),
        weights(ModelPart.OUTPUT, 152064 * 3584, "Q6_K"),
        weights(ModelPart.VISION, 675_759_104, "F32"),
    ),
)
QWEN2_VL_2B_GGUF = QWEN2_VL_7B_GGUF.model_copy(
    update={
        "layers": 28, "heads": 12, "kv_heads": 2, "embedding_size": 1536, "feed_forward_size": 8960,
        "vocabulary_size": 151936, "tied_embeddings": True,
        "weights": (
            weights(ModelPart.EMBEDDING, 151936 * 1536, "Q6_K"),
            weights(ModelPart.LAYERS, 1_543_714_304 - 151936 * 1536, "Q4_K"),
            weights(ModelPart.VISION, 1_331_656_192 // 2, "F16"),
        ),
    }
)  # fmt: skip
MISTRAL_SMALL_Q8 = model(
    "llama",
    format=ModelFormat.GGUF, layers=40, heads=32, kv_heads=8, head_size=128, embedding_size=5120,
    feed_forward_size=32768, vocabulary_size=131072, context_length=131072,
    weights=(
        weights(ModelPart.EMBEDDING, 131072 * 5120, "Q8_0"),
        weights(ModelPart.LAYERS, 40 * (5120 * 2 * 128 * (32 + 8) + 3 * 5120 * 32768), "Q8_0"),
        weights(ModelPart.OUTPUT, 131072 * 5120, "Q8_0"),
    ),
)  # fmt: skip
GEMMA3_1B = model(
    "gemma3",
    format=ModelFormat.GGUF, layers=26, heads=4, kv_heads=1, head_size=256, embedding_size=1152,
    feed_forward_size=6912, vocabulary_size=262144, context_length=32768, tied_embeddings=True,
    caches=(
        CacheGroup(layers=4, kv_heads=1, key_size=256, value_size=256),
        CacheGroup(kind=CacheKind.SLIDING, layers=22, kv_heads=1, key_size=256, value_size=256, window=512),
    ),
    weights=(
        weights(ModelPart.EMBEDDING, 262144 * 1152, "Q8_0"),
        weights(ModelPart.LAYERS, 26 * (1152 * 256 * 2 * 5 + 3 * 1152 * 6912), "Q8_0"),
    ),
)  # fmt: skip
MLLAMA_TOWER = VisionFacts(
    kind="mllama_vision_model", width=1280, feed_forward_size=5120, heads=16, layers=40, image_size=560, patch_size=14,
    tiles_max=4, tile_tokens=1601,
)  # fmt: skip
LLAMA_3_2 = model(
    "MllamaForConditionalGeneration",
    layers=40, heads=32, kv_heads=8, head_size=128, embedding_size=4096, feed_forward_size=14336,
    vocabulary_size=128256, context_length=131072, capabilities=("chat", "vision"), vision=MLLAMA_TOWER,
    caches=(
        CacheGroup(layers=32, kv_heads=8, key_size=128, value_size=128),
        CacheGroup(kind=CacheKind.CROSS, layers=8, kv_heads=8, key_size=128, value_size=128),
    ),
    weights=(
        weights(ModelPart.EMBEDDING, 128264 * 4096),
        weights(ModelPart.LAYERS, 10_670_220_835 - 2 * 128260 * 4096 - 900_000_000),
        weights(ModelPart.OUTPUT, 128256 * 4096),
        weights(ModelPart.VISION, 900_000_000),
    ),
)  # fmt: skip
PIXTRAL = model(
    "PixtralForConditionalGeneration",
    layers=40, heads=32, kv_heads=8, head_size=128, embedding_size=5120, feed_forward_size=14336,
    vocabulary_size=131072, context_length=128000, capabilities=("chat", "vision"), config_format="mistral",
    parameters=12_682_739_712, weight_bytes=25_365_479_424,
    vision=VisionFacts(
        kind="pixtral", width=1024, feed_forward_size=4096, heads=16, layers=24, image_size=1024, patch_size=16,
    ),
)  # fmt: skip
PHI_3_5 = model(
    "Phi3VForCausalLM",
    layers=32, heads=32, kv_heads=32, head_size=96, embedding_size=3072, feed_forward_size=8192,
    vocabulary_size=32064, context_length=131072, capabilities=("chat", "vision"),
    parameters=4_146_621_440, weight_bytes=8_293_242_880,
    vision=VisionFacts(
        kind="phi3_v", width=1024, feed_forward_size=4096, heads=16, layers=24, image_size=336, patch_size=14,
        merge_size=2, tiles_max=5, tile_tokens=156,
    ),
)  # fmt: skip
OPT_125M = model(
    "OPTForCausalLM", layers=12, heads=12, kv_heads=12, head_size=64, embedding_size=768, feed_forward_size=3072,
    vocabulary_size=50272, tied_embeddings=True, parameters=125_239_296, weight_bytes=250_478_592, dtype="float16",
)  # fmt: skip
QWEN3_32B = model(
    "Qwen3ForCausalLM", layers=64, heads=64, kv_heads=8, head_size=128, embedding_size=5120, feed_forward_size=25600,
    vocabulary_size=151936, context_length=40960,
)  # fmt: skip
QWEN2_VL_7B_AWQ = model(
    "Qwen2VLForConditionalGeneration",
    **_QWEN7,
    vision=QWEN_TOWER,
    parameters=8_291_375_616,
    quantized=QuantizationFacts(method="awq", bits=4, group_size=128),
)
COMMAND_R = model("command-r", layers=40, heads=64, kv_heads=64, head_size=128, format=ModelFormat.GGUF)
MISTRAL_7B = model(
    "llama", layers=32, heads=32, kv_heads=8, head_size=128, embedding_size=4096, feed_forward_size=14336,
    vocabulary_size=32000, format=ModelFormat.GGUF,
)  # fmt: skip
GUIDE = (LLAMA_3_2, QWEN2_VL_7B, PIXTRAL, PHI_3_5)


def tower(kind: str, **values: Any) -> ModelFacts:
    """A GGUF model with nothing but a vision tower."""
    sizes = {"width": 1280, "heads": 16, "patch_size": 14, **values}
    return model(kind, format=ModelFormat.GGUF, vision=VisionFacts(kind=kind, **sizes))
