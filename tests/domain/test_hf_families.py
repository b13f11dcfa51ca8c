"""Facts of the families that people serve, from configurations like their publishers' (shortened)."""

from typing import Any

import pytest

from aimindserve.domain.facts import CacheGroup, CacheKind
from aimindserve.domain.hf_config import capabilities, chat_template, parse_config, parse_params
from aimindserve.domain.hf_json import ConfigError
from aimindserve.domain.hf_vision import image_tokens

from .test_hf_config import raw


def text(name: str, kind: str, width: int, layers: int, heads: int, kv_heads: int, **more: Any) -> dict[str, Any]:
    return {
        "architectures": [name],
        "model_type": kind,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        **more,
    }


def full(layers: int, kv_heads: int, size: int) -> CacheGroup:
    return CacheGroup(layers=layers, kv_heads=kv_heads, key_size=size, value_size=size)


def sliding(layers: int, kv_heads: int, size: int, window: int) -> CacheGroup:
    return full(layers, kv_heads, size).model_copy(update={"kind": CacheKind.SLIDING, "window": window})


QWEN3_NEXT = text(
    "Qwen3NextForCausalLM", "qwen3_next", 2048, 48, 16, 2, head_dim=256, full_attention_interval=4,
    linear_num_value_heads=32, linear_num_key_heads=16, linear_key_head_dim=128, linear_value_head_dim=128,
    linear_conv_kernel_dim=4,
)  # fmt: skip
FALCON_7B = {
    "architectures": ["FalconForCausalLM"], "model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32,
    "num_attention_heads": 71, "multi_query": True, "new_decoder_architecture": False,
}  # fmt: skip
TEXTS: list[tuple[str, dict[str, Any], tuple[CacheGroup, ...]]] = [
    ("llama", text("LlamaForCausalLM", "llama", 4096, 32, 32, 8), (full(32, 8, 128),)),
    (
        "mistral 0.1",
        text("MistralForCausalLM", "mistral", 4096, 32, 32, 8, sliding_window=4096),
        (sliding(32, 8, 128, 4096),),
    ),
    ("mistral 0.3", text("MistralForCausalLM", "mistral", 4096, 32, 32, 8, sliding_window=None), (full(32, 8, 128),)),
    (
        "qwen2",
        text("Qwen2ForCausalLM", "qwen2", 3584, 28, 28, 4, sliding_window=131072, use_sliding_window=False),
        (full(28, 4, 128),),
    ),
    ("qwen3", text("Qwen3ForCausalLM", "qwen3", 4096, 36, 32, 8, head_dim=128), (full(36, 8, 128),)),
    ("qwen3 moe", text("Qwen3MoeForCausalLM", "qwen3_moe", 2048, 48, 32, 4, head_dim=128), (full(48, 4, 128),)),
    (
        "phi3: a window as long as the context is none",
        text("Phi3ForCausalLM", "phi3", 3072, 32, 32, 32, sliding_window=262144, max_position_embeddings=131072),
        (full(32, 32, 96),),
    ),
    (
        "gemma2",
        text("Gemma2ForCausalLM", "gemma2", 3584, 42, 16, 8, head_dim=256, sliding_window=4096),
        (sliding(21, 8, 256, 4096), full(21, 8, 256)),
    ),
    (
        "gemma3 text",
        text(
            "Gemma3ForCausalLM",
            "gemma3_text",
            1152,
            26,
            4,
            1,
            head_dim=256,
            sliding_window=512,
            sliding_window_pattern=6,
        ),
        (sliding(22, 1, 256, 512), full(4, 1, 256)),
    ),
    (
        "deepseek v3",
        text(
            "DeepseekV3ForCausalLM",
            "deepseek_v3",
            7168,
            61,
            128,
            128,
            kv_lora_rank=512,
            qk_rope_head_dim=64,
            v_head_dim=128,
        ),
        (CacheGroup(kind=CacheKind.LATENT, layers=61, latent_size=576),),
    ),
    ("granite", text("GraniteForCausalLM", "granite", 4096, 40, 32, 8), (full(40, 8, 128),)),
    ("glm4", text("Glm4ForCausalLM", "glm4", 4096, 40, 32, 2, head_dim=128), (full(40, 2, 128),)),
    (
        "chatglm",
        {
            "architectures": ["ChatGLMModel"],
            "hidden_size": 4096,
            "num_layers": 40,
            "num_attention_heads": 32,
            "multi_query_attention": True,
            "multi_query_group_num": 2,
            "kv_channels": 128,
        },
        (full(40, 2, 128),),
    ),
    ("olmo2", text("Olmo2ForCausalLM", "olmo2", 4096, 32, 32, 32), (full(32, 32, 128),)),
    ("falcon 7b: one head for all", FALCON_7B, (full(32, 1, 64),)),
    (
        "gpt-oss by list",
        text(
            "GptOssForCausalLM",
            "gpt_oss",
            2880,
            4,
            64,
            8,
            head_dim=64,
            sliding_window=128,
            layer_types=["sliding_attention", "full_attention"] * 2,
        ),
        (sliding(2, 8, 64, 128), full(2, 8, 64)),
    ),
    (
        "qwen3 next: three states, one attention",
        QWEN3_NEXT,
        (
            CacheGroup(kind=CacheKind.STATE, layers=36, state_bytes=2 * 3 * (2 * 2048 + 4096) + 4 * 32 * 128 * 128),
            full(12, 2, 256),
        ),
    ),
    (
        "nemotron-h by marks",
        text(
            "NemotronHForCausalLM",
            "nemotron_h",
            4096,
            5,
            32,
            8,
            hybrid_override_pattern="M-M*-",
            ssm_state_size=128,
            mamba_num_heads=128,
            mamba_head_dim=64,
            n_groups=8,
            conv_kernel=4,
        ),
        (
            CacheGroup(kind=CacheKind.STATE, layers=2, state_bytes=2 * 3 * (8192 + 2 * 8 * 128) + 4 * 8192 * 128),
            full(1, 8, 128),
        ),
    ),
    (
        "jamba by period",
        text(
            "JambaForCausalLM",
            "jamba",
            4096,
            8,
            32,
            8,
            attn_layer_period=8,
            attn_layer_offset=4,
            mamba_d_state=16,
            mamba_d_conv=4,
            mamba_expand=2,
        ),
        (CacheGroup(kind=CacheKind.STATE, layers=7, state_bytes=2 * 3 * 8192 + 4 * 8192 * 16), full(1, 8, 128)),
    ),
]


@pytest.mark.parametrize(("name", "config", "caches"), TEXTS, ids=[name for name, _, _ in TEXTS])
def test_how_layers_remember(name: str, config: dict[str, Any], caches: tuple[CacheGroup, ...]) -> None:
    assert parse_config(raw(config)).caches == caches


LLAMA = text("LlamaForCausalLM", "llama", 4096, 32, 32, 8)


def test_cross_attention_layers() -> None:
    inner = text("x", "mllama_text_model", 4096, 40, 32, 8, cross_attention_layers=[3, 8, 13, 18, 23, 28, 33, 38])
    found = parse_config(raw({"architectures": ["MllamaForConditionalGeneration"], "text_config": inner}))
    assert found.caches == (
        full(32, 8, 128),
        full(8, 8, 128).model_copy(update={"kind": CacheKind.CROSS}),
    )


def test_sizes_that_a_nested_configuration_leaves_out() -> None:
    llava = parse_config(raw({"architectures": ["Llava"], "text_config": {"model_type": "llama"}, "vision_config": {}}))
    assert (llava.layers, llava.heads, llava.embedding_size, llava.head_size) == (32, 32, 4096, 128)
    inner = {"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34, "sliding_window": 1024}
    gemma = parse_config(raw({"architectures": ["Gemma3"], "model_type": "gemma3", "text_config": inner}))
    assert (gemma.heads, gemma.kv_heads, gemma.head_size, gemma.context_length) == (8, 4, 256, 131072)
    assert gemma.caches == (sliding(29, 4, 256, 1024), full(5, 4, 256))
    assert gemma.tied_embeddings


PIXTRAL = {
    "dim": 5120, "n_layers": 40, "head_dim": 128, "hidden_dim": 14336, "n_heads": 32, "n_kv_heads": 8,
    "rope_theta": 1000000000.0, "norm_eps": 1e-05, "vocab_size": 131072,
    "vision_encoder": {"hidden_size": 1024, "num_channels": 3, "image_size": 1024, "patch_size": 16,
                       "rope_theta": 10000.0, "intermediate_size": 4096, "num_hidden_layers": 24,
                       "num_attention_heads": 16, "adapter_bias": True, "image_token_id": 10},
}  # fmt: skip


def test_a_checkpoint_in_the_mistral_form() -> None:
    """Pixtral-12B-2409 as memory of it is written down: KV of 160 KiB a token, at most 4,160 tokens a picture."""
    found = parse_params(raw(PIXTRAL))
    assert found.architecture == "PixtralForConditionalGeneration"
    assert (found.context_length, found.layers, found.head_size, found.dtype) == (128000, 40, 128, "bfloat16")
    assert sum(2 * group.layers * group.kv_heads * group.key_size * 2 for group in found.caches) == 160 * 1024
    assert found.vision is not None
    assert (found.vision.width, found.vision.layers, found.vision.feed_forward_size) == (1024, 24, 4096)
    assert image_tokens(found.vision)[1] == 4160
    plain = parse_params(raw({**PIXTRAL, "vision_encoder": None, "moe": {"num_experts": 8}}))
    assert (plain.architecture, plain.vision) == ("MixtralForCausalLM", None)
    with pytest.raises(ConfigError):
        parse_params(b"[]")


QUANTISED: list[tuple[dict[str, Any], tuple[str, int | None, int | None, int]]] = [
    ({"quant_method": "awq", "bits": 4, "group_size": 128, "modules_to_not_convert": ["visual"]}, ("awq", 4, 128, 1)),
    ({"quant_method": "gptq", "bits": 8, "group_size": 32}, ("gptq", 8, 32, 0)),
    ({"quant_method": "fp8", "ignored_layers": []}, ("fp8", 8, None, 0)),
    (
        {"quant_method": "bitsandbytes", "load_in_4bit": True, "llm_int8_skip_modules": ["a", "b"]},
        ("bitsandbytes", 4, None, 2),
    ),
    (
        {
            "quant_method": "compressed-tensors",
            "ignore": ["lm_head"],
            "config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": 128}}},
        },
        ("compressed-tensors", 4, 128, 1),
    ),
    ({"quant_method": "mxfp4"}, ("mxfp4", 4, None, 0)),
]


@pytest.mark.parametrize(("section", "expected"), QUANTISED, ids=[row[1][0] for row in QUANTISED])
def test_how_a_checkpoint_is_quantised(section: dict[str, Any], expected: tuple[str, int, int, int]) -> None:
    found = parse_config(raw({**LLAMA, "quantization_config": section, "torch_dtype": "bfloat16"}))
    assert found.quantized is not None
    method, bits, group, skipped = expected
    assert (found.quantized.method, found.quantized.bits, found.quantized.group_size) == (method, bits, group)
    assert len(found.quantized.skipped) == skipped
    assert (found.quantization, found.dtype) == (method, "bfloat16")


def test_code_that_a_configuration_names() -> None:
    named = {"AutoConfig": "configuration_phi3_v.Phi3VConfig", "AutoModel": ["other/repo--modeling.Model", None, 3]}
    assert parse_config(raw({**LLAMA, "auto_map": named})).code == (
        "configuration_phi3_v.py",
        "other/repo--modeling.py",
    )
    assert parse_config(raw(LLAMA)).code == ()


@pytest.mark.parametrize(
    ("architecture", "template", "pooled", "expected"),
    [
        ("LlamaForCausalLM", "{{ messages }}", False, ("chat",)),
        ("LlamaForCausalLM", "{% if tools %}<think>{% endif %}", False, ("chat", "tools", "thinking")),
        ("BertModel", "", False, ("embedding",)),
        ("Qwen3ForCausalLM", "{{ tools }}", True, ("embedding",)),
        ("XLMRobertaForSequenceClassification", "", False, ("rerank",)),
    ],
)
def test_capabilities(architecture: str, template: str, pooled: bool, expected: tuple[str, ...]) -> None:
    config = parse_config(raw({**LLAMA, "architectures": [architecture]}))
    assert capabilities(config, template, pooled=pooled) == expected


def test_pictures_and_sounds_are_capabilities() -> None:
    config = parse_config(raw({**LLAMA, "vision_config": {"patch_size": 14}, "audio_config": {}}))
    assert capabilities(config, "") == ("chat", "vision", "audio")


def test_chat_templates_in_both_forms() -> None:
    assert chat_template(raw({"chat_template": "a"})) == "a"
    several = [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}, 3]
    assert chat_template(raw({"chat_template": several})) == "a\nb"
    assert chat_template(None) == chat_template(b"[") == ""
