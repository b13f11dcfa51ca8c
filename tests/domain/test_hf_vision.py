"""How many tokens a picture takes, for the families of vision models that people serve."""

from typing import Any

import pytest

from aimindserve.domain.hf_config import parse_config
from aimindserve.domain.hf_vision import image_tokens

from .test_hf_config import raw


def vlm(name: str, kind: str, tower: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"architectures": [name], "model_type": kind, "vision_config": tower, **more}


QWEN_PIXELS = {"min_pixels": 3136, "max_pixels": 12845056, "patch_size": 14, "merge_size": 2}
PICTURES: list[tuple[str, dict[str, Any], dict[str, Any] | None, tuple[int | None, int | None]]] = [
    (
        "qwen2-vl",
        vlm("Qwen2VL", "qwen2_vl", {"depth": 32, "embed_dim": 1280, "patch_size": 14, "spatial_merge_size": 2}),
        QWEN_PIXELS,
        (4, 16384),
    ),
    (
        "qwen2.5-vl",
        vlm("Q", "qwen2_5_vl", {"depth": 32, "hidden_size": 1280, "patch_size": 14, "spatial_merge_size": 2}),
        QWEN_PIXELS,
        (4, 16384),
    ),
    (
        "qwen3-vl: areas called edges",
        vlm(
            "Q",
            "qwen3_vl",
            {"depth": 27, "patch_size": 16, "spatial_merge_size": 2, "deepstack_visual_indexes": [8, 16, 24]},
        ),
        {"size": {"shortest_edge": 65536, "longest_edge": 16777216}},
        (64, 16384),
    ),
    (
        "mllama: four tiles of 1601",
        vlm("M", "mllama", {"image_size": 560, "patch_size": 14, "max_num_tiles": 4}),
        {"max_image_tiles": 4},
        (1601, 6404),
    ),
    (
        "pixtral in the Hugging Face form",
        vlm("L", "llava", {"model_type": "pixtral", "image_size": 1024, "patch_size": 16}),
        None,
        (2, 4160),
    ),
    (
        "mistral 3",
        vlm("M", "mistral3", {"model_type": "pixtral", "image_size": 1540, "patch_size": 14}, spatial_merge_size=2),
        {"size": {"longest_edge": 1540}},
        (2, 3080),
    ),
    (
        "llava 1.5: one picture of 576",
        vlm("L", "llava", {"model_type": "clip_vision_model", "image_size": 336, "patch_size": 14}),
        None,
        (576, 576),
    ),
    (
        "llava-next: a grid and the whole",
        vlm(
            "L",
            "llava_next",
            {"image_size": 336, "patch_size": 14},
            image_grid_pinpoints=[[336, 672], [672, 336], [672, 672]],
        ),
        None,
        (576, 2880),
    ),
    (
        "internvl: twelve tiles and the whole",
        vlm("I", "internvl_chat", {"image_size": 448, "patch_size": 14}, max_dynamic_patch=12, use_thumbnail=True),
        None,
        (256, 3328),
    ),
    ("gemma 3", vlm("G", "gemma3", {"image_size": 896, "patch_size": 14}, mm_tokens_per_image=256), None, (256, 256)),
    (
        "smolvlm: 4 by 4 tiles and the whole",
        vlm("S", "idefics3", {"image_size": 384, "patch_size": 14}, scale_factor=3),
        {"max_image_size": {"longest_edge": 384}, "size": {"longest_edge": 1536}},
        (81, 1377),
    ),
    (
        "minicpm-v",
        vlm("M", "minicpmv", {"image_size": 980, "patch_size": 14}, query_num=64, slice_config={"max_slice_nums": 9}),
        None,
        (64, 640),
    ),
    (
        "phi-3.5-vision: a tower without sizes",
        {
            "architectures": ["Phi3VForCausalLM"],
            "model_type": "phi3_v",
            "img_processor": {"name": "clip_vision_model", "num_img_tokens": 144},
        },
        {"num_crops": 4},
        (156, 780),
    ),
    (
        "glm-4.1v: two frames a picture",
        vlm("G", "glm4v", {"depth": 24, "patch_size": 14, "spatial_merge_size": 2}),
        {"size": {"shortest_edge": 12544, "longest_edge": 9633792}},
        (8, 6144),
    ),
    ("a tower that says nothing", vlm("X", "unheard_of", {}), None, (None, None)),
]


@pytest.mark.parametrize(("name", "config", "processor", "tokens"), PICTURES, ids=[row[0] for row in PICTURES])
def test_tokens_of_a_picture(
    name: str, config: dict[str, Any], processor: dict[str, Any] | None, tokens: tuple[int | None, int | None]
) -> None:
    found = parse_config(raw(config), raw(processor) if processor else None)
    assert found.vision is not None
    assert image_tokens(found.vision) == tokens


def test_facts_of_the_towers() -> None:
    phi = parse_config(raw(PICTURES[12][1])).vision
    assert phi is not None
    assert (phi.width, phi.layers, phi.heads, phi.feed_forward_size, phi.image_size) == (1024, 24, 16, 4096, 336)
    qwen3 = parse_config(raw(PICTURES[2][1])).vision
    assert qwen3 is not None
    assert qwen3.deepstack_levels == 3
    mllama = parse_config(raw(vlm("M", "mllama", {"num_hidden_layers": 32, "num_global_layers": 8}))).vision
    assert mllama is not None
    assert mllama.layers == 40
