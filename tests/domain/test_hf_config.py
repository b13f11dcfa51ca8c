"""``config.json`` and safetensors headers: of the guide's models, and nonsense."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.hf_config import parse_config, parse_image_pixels
from aimindserve.domain.hf_json import ConfigError
from aimindserve.domain.hf_weights import parse_safetensors_header

QWEN2_VL = {
    "architectures": ["Qwen2VLForConditionalGeneration"], "hidden_size": 3584, "intermediate_size": 18944,
    "max_position_embeddings": 32768, "num_attention_heads": 28, "num_hidden_layers": 28, "num_key_value_heads": 4,
    "torch_dtype": "bfloat16", "vocab_size": 152064,
    "vision_config": {"depth": 32, "embed_dim": 1280, "hidden_size": 3584, "num_heads": 16, "patch_size": 14,
                      "spatial_merge_size": 2, "model_type": "qwen2_vl"},
}  # fmt: skip
MLLAMA = {
    "architectures": ["MllamaForConditionalGeneration"],
    "text_config": {"hidden_size": 4096, "num_hidden_layers": 40, "num_attention_heads": 32, "num_key_value_heads": 8,
                    "max_position_embeddings": 131072, "vocab_size": 128256, "intermediate_size": 14336},
    "vision_config": {"hidden_size": 1280, "image_size": 560, "patch_size": 14, "num_hidden_layers": 32,
                      "attention_heads": 16, "intermediate_size": 5120},
    "quantization_config": {"quant_method": "fp8"},
}  # fmt: skip


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def test_sizes_at_the_top_level() -> None:
    found = parse_config(raw(QWEN2_VL))
    assert found.architecture == "Qwen2VLForConditionalGeneration"
    assert (found.layers, found.heads, found.kv_heads, found.head_size) == (28, 28, 4, 128)
    assert (found.embedding_size, found.feed_forward_size, found.vocabulary_size) == (3584, 18944, 152064)
    assert (found.context_length, found.quantization) == (32768, "bfloat16")
    assert found.vision is not None
    assert (found.vision.kind, found.vision.width, found.vision.layers, found.vision.heads) == (
        "qwen2_vl",
        1280,
        32,
        16,
    )


def test_sizes_in_a_section_of_the_language_part() -> None:
    found = parse_config(raw(MLLAMA))
    assert (found.layers, found.kv_heads, found.head_size, found.context_length) == (40, 8, 128, 131072)
    assert found.quantization == "fp8"
    assert found.vision is not None
    assert (found.vision.width, found.vision.image_size, found.vision.heads) == (1280, 560, 16)


def test_a_head_size_of_its_own_is_believed() -> None:
    """Pixtral's heads are 128 wide, not 5120 / 32."""
    found = parse_config(raw({"model_type": "x", "hidden_size": 5120, "num_attention_heads": 32, "head_dim": 128}))
    assert (found.head_size, found.kv_heads, found.vision) == (128, 32, None)


def test_absurd_values_are_unknown_values() -> None:
    found = parse_config(
        raw({"model_type": "x", "hidden_size": -5, "num_hidden_layers": True, "vocab_size": 1 << 40, "dtype": 3})
    )
    assert found.embedding_size is found.layers is found.vocabulary_size is found.quantization is None


@pytest.mark.parametrize("wrong", [b"", b"\xff", b"[]", b"3", b"{}", b'{"architectures": []}', b"[" * 100_000])
def test_what_is_no_configuration(wrong: bytes) -> None:
    with pytest.raises(ConfigError):
        parse_config(wrong)


def test_picture_sizes() -> None:
    assert parse_image_pixels(raw({"min_pixels": 3136, "max_pixels": 12845056})) == (3136, 12845056)
    assert parse_image_pixels(raw({"size": {"shortest_edge": 4, "longest_edge": 9}})) == (4, 9)
    assert parse_image_pixels(raw({"size": 336})) == (None, None)


def tensor(begin: int, end: int, shape: list[Any], dtype: str = "BF16") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_a_safetensors_header() -> None:
    header = {"b": tensor(12, 16, [1], "F32"), "a": tensor(0, 12, [2, 3]), "__metadata__": {"format": "pt"}}
    assert parse_safetensors_header(raw(header), 16).parameters == 7
    assert parse_safetensors_header(b"{}", 0).parameters == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": tensor(0, 14, [2, 3])}, {"a": tensor(4, 16, [2, 3])}, {"a": tensor(0, 12, [2, 3])},
        {"a": tensor(0, 12, [2, 3]), "b": tensor(10, 16, [3])}, {"a": tensor(16, 0, [2])}, {"a": tensor(0, 16, [-8])},
        {"a": tensor(0, 16, ["8"])}, {"a": 3}, {"a": {}}, {"a": {"dtype": "BF16", "shape": [8], "data_offsets": [16]}},
        {"a": tensor(0, 16, [1] * 17 + [8])}, {"a": tensor(0, 16, [1 << 62, 1 << 62])}, [],
    ],
)  # fmt: skip
def test_wrong_safetensors_headers(wrong: object) -> None:
    with pytest.raises(ConfigError):
        parse_safetensors_header(raw(wrong), 16)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["architectures", "text_config", "vision_config", "hidden_size", "num_attention_heads", "quantization_config",
         "dtype", "a", "shape", "data_offsets", "__metadata__", "size", "model_type"]), inner, max_size=5),
)  # fmt: skip


@given(JSON, st.integers(0, 64))
def test_any_json_is_read_or_refused(value: object, data_size: int) -> None:
    for parse in (parse_config, parse_image_pixels, lambda text: parse_safetensors_header(text, data_size)):
        try:
            parse(raw(value))
        except ConfigError as error:
            told = str(error)
        else:
            continue
        assert told
