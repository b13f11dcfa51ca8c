"""What the tensors of a checkpoint are for, and how many weights they hold."""

from typing import Any

import pytest

from aimindserve.domain.facts import ModelPart
from aimindserve.domain.hf_json import ConfigError, json_object
from aimindserve.domain.hf_weights import join_weights, parse_safetensors_header, part_of

from .test_hf_config import raw

NAMES = {
    "model.embed_tokens.weight": ModelPart.EMBEDDING,
    "tok_embeddings.weight": ModelPart.EMBEDDING,
    "language_model.model.layers.3.mlp.up_proj.weight": ModelPart.LAYERS,
    "transformer.h.3.self_attention.dense.weight": ModelPart.LAYERS,
    "layers.0.attention.wq.weight": ModelPart.LAYERS,
    "lm_head.weight": ModelPart.OUTPUT,
    "output.weight": ModelPart.OUTPUT,
    "visual.blocks.3.attn.qkv.weight": ModelPart.VISION,
    "visual.merger.mlp.0.weight": ModelPart.PROJECTOR,
    "vision_tower.vision_model.encoder.layers.1.mlp.fc1.weight": ModelPart.VISION,
    "vision_model.transformer.layers.1.mlp.fc1.weight": ModelPart.VISION,
    "model.vision_embed_tokens.img_processor.vision_model.encoder.layers.0.mlp.fc1.weight": ModelPart.VISION,
    "model.vision_embed_tokens.img_projection.0.weight": ModelPart.PROJECTOR,
    "multi_modal_projector.linear_1.weight": ModelPart.PROJECTOR,
    "vision_language_adapter.w_in.weight": ModelPart.PROJECTOR,
    "mlp1.1.weight": ModelPart.PROJECTOR,
    "resampler.query": ModelPart.PROJECTOR,
    "vpm.encoder.layers.0.mlp.fc1.weight": ModelPart.VISION,
    "audio_tower.layers.0.fc1.weight": ModelPart.AUDIO,
    "model.norm.weight": ModelPart.OTHER,
}


@pytest.mark.parametrize(("name", "part"), NAMES.items())
def test_what_a_tensor_is_for(name: str, part: ModelPart) -> None:
    assert part_of(name) is part


def test_weights_that_are_packed_several_into_one_number() -> None:
    """One AWQ layer of 128 by 256: 4 bits each in 32, scales and zeros for each group of 128."""
    sizes = {
        "model.layers.0.q.qweight": ("I32", [128, 32]),
        "model.layers.0.q.qzeros": ("I32", [1, 32]),
        "model.layers.0.q.scales": ("F16", [1, 256]),
        "model.layers.0.norm.weight": ("F16", [128]),
    }
    header: dict[str, Any] = {}
    end = 0
    for name, (dtype, shape) in sizes.items():
        count = 1
        for side in shape:
            count *= side
        begin, end = end, end + count * (4 if dtype == "I32" else 2)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    found = parse_safetensors_header(raw(header), end, bits=4)
    assert found.parameters == 128 * 256 + 128
    linear = [group for group in found.groups if group.linear]
    assert [(group.dtype, group.elements, group.bytes) for group in linear] == [("I32", 128 * 32, 128 * 32 * 4)]
    assert found.bytes == end
    twice = join_weights([found, found])
    assert (twice.parameters, twice.bytes, len(twice.groups)) == (2 * found.parameters, 2 * end, len(found.groups))


def test_json_that_would_take_more_memory_than_its_text() -> None:
    for bomb in (b"[" * 300_000, b'{"a":[' + b"{}," * 250_000 + b"{}]}", b'{"a":[' + b"1," * 600_000 + b"1]}"):
        with pytest.raises(ConfigError):
            json_object(bomb)
