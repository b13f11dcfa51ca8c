"""What one picture costs, against the engines' own documented numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain import memory_models as models

from aimindserve.domain.facts import ModelFacts, VisionFacts
from aimindserve.domain.image_families import ImageFamily, image_family
from aimindserve.domain.image_tokens import ImageCost, image_cost, largest_picture, smart_resize


def seeing(architecture: str, **vision: object) -> ModelFacts:
    return models.model(architecture, vision=VisionFacts(**{"kind": "vit", "width": 1024, **vision}))  # type: ignore[arg-type]


QWEN3 = seeing("Qwen3VLForConditionalGeneration", patch_size=16, merge_size=2, pixels_min=65_536, pixels_max=16_777_216)
GLM = seeing("Glm4vForConditionalGeneration", patch_size=14, merge_size=2, pixels_min=12_544, pixels_max=4_816_896)
MISTRAL3 = seeing("Mistral3ForConditionalGeneration", patch_size=14, merge_size=2, image_size=1540)
PHI_3 = seeing("Phi3VForCausalLM", patch_size=14, image_size=336, tiles_max=17)
LLAVA = seeing("LlavaForConditionalGeneration", patch_size=14, image_size=336, tiles_max=1, tile_tokens=576)
LLAVA_NEXT = seeing("LlavaNextForConditionalGeneration", patch_size=14, image_size=336, tiles_max=5, tile_tokens=576)
ONEVISION = seeing(
    "LlavaOnevisionForConditionalGeneration", patch_size=14, image_size=384, tiles_max=37, tile_tokens=729
)
INTERNVL = seeing("InternVLChatModel", patch_size=14, image_size=448, tiles_max=13, tile_tokens=256, merge_size=2)
GEMMA3 = seeing("Gemma3ForConditionalGeneration", patch_size=14, image_size=896, tiles_max=1, tile_tokens=256)
SMOLVLM = seeing("SmolVLMForConditionalGeneration", patch_size=16, image_size=512, merge_size=4, tiles_max=17,
                 tile_tokens=64)  # fmt: skip
IDEFICS3 = seeing("Idefics3ForConditionalGeneration", patch_size=14, image_size=364, merge_size=2, tiles_max=17,
                  tile_tokens=169)  # fmt: skip
MINICPM = seeing("MiniCPMV", patch_size=14, image_size=980, tiles_max=10, tile_tokens=64)
ALL = (
    models.QWEN2_VL_7B, models.LLAMA_3_2, models.PIXTRAL, models.PHI_3_5, QWEN3, GLM, MISTRAL3, PHI_3, LLAVA,
    LLAVA_NEXT, ONEVISION, INTERNVL, GEMMA3, SMOLVLM, IDEFICS3, MINICPM,
)  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "width", "height", "tokens", "patches"),
    [
        (models.QWEN2_VL_7B, 1288, 1288, 2116, 8464),
        (models.QWEN2_VL_7B, 3864, 2184, 10_764, 43_056),
        (models.QWEN2_VL_7B, 28, 28, 4, 16),
        (models.QWEN2_VL_7B, 9000, 9000, 16_384, 65_536),
        (QWEN3, 1472, 1472, 2116, 8464),
        (models.PIXTRAL, 1024, 1024, 4160, 4096),
        (models.PIXTRAL, 4096, 2048, 65 * 32, 64 * 32),
        (models.PIXTRAL, 512, 16, 33, 32),
        (MISTRAL3, 1540, 1540, 56 * 55, 110 * 110),
        (models.PHI_3_5, 336, 1344, 781, 5 * 576),
        (models.PHI_3_5, 1344, 1344, 757, 5 * 576),
        (LLAVA, 10, 2000, 576, 576),
        (LLAVA_NEXT, 672, 672, 576 + 48 * 48 + 48, 5 * 576),
        (GEMMA3, 1, 1, 256, 4096),
        (INTERNVL, 448, 448, 256, 1024),
        (INTERNVL, 896, 448, 768, 3 * 1024),
        (SMOLVLM, 2048, 2048, 17 * 64, 17 * 1024),
        (SMOLVLM, 2048, 1024, 9 * 64, 9 * 1024),
        (IDEFICS3, 100, 100, 17 * 169, 17 * 676),
        (MINICPM, 448, 448, 66, 1024),
        (MINICPM, 1344, 1344, 660, 10 * 1024),
    ],
)
def test_tokens_and_patches(facts: ModelFacts, width: int, height: int, tokens: int, patches: int) -> None:
    cost = image_cost(facts, width, height)
    assert cost is not None
    assert (cost.tokens, cost.patches) == (tokens, patches)


@pytest.mark.parametrize(
    ("width", "height", "tiles"), [(560, 560, 1), (300, 100, 1), (1120, 560, 2), (1120, 1120, 4), (560, 2240, 4)]
)
def test_mllama_keeps_the_tiles_of_the_best_canvas(width: int, height: int, tiles: int) -> None:
    assert image_cost(models.LLAMA_3_2, width, height) == ImageCost(1, 6400, 1601 * tiles, 4)


@pytest.mark.parametrize(
    ("facts", "tokens"),
    [
        (models.QWEN2_VL_7B, 16_384), (QWEN3, 16_384), (GLM, 6144), (models.PIXTRAL, 4160), (MISTRAL3, 3080),
        (models.PHI_3_5, 781), (PHI_3, 2653), (LLAVA, 576), (INTERNVL, 3328), (GEMMA3, 256), (SMOLVLM, 1088),
        (IDEFICS3, 2873), (MINICPM, 660), (LLAVA_NEXT, 2928),
    ],
)  # fmt: skip
def test_the_largest_picture(facts: ModelFacts, tokens: int) -> None:
    cost = largest_picture(facts)
    assert cost is not None
    assert cost.tokens == tokens


def test_the_largest_picture_of_mllama_fills_its_tiles() -> None:
    assert largest_picture(models.LLAMA_3_2) == ImageCost(1, 6400, 6404, 4)


@pytest.mark.parametrize("facts", ALL, ids=lambda facts: facts.architecture)
@given(pixels=st.integers(1, 1 << 25), more=st.integers(0, 1 << 25))
def test_more_pixels_never_cost_less(facts: ModelFacts, pixels: int, more: int) -> None:
    small, large, any_size = (largest_picture(facts, bound) for bound in (pixels, pixels + more, None))
    assert small is not None
    assert large is not None
    assert any_size is not None
    assert small.patches <= large.patches <= any_size.patches
    assert small.tokens <= large.tokens <= any_size.tokens


@pytest.mark.parametrize("facts", ALL, ids=lambda facts: facts.architecture)
@given(width=st.integers(1, 10_000), height=st.integers(1, 10_000))
def test_no_picture_costs_more_than_the_largest(facts: ModelFacts, width: int, height: int) -> None:
    if max(width, height) > 100 * min(width, height):
        return
    cost, largest = image_cost(facts, width, height), largest_picture(facts)
    assert cost is not None
    assert largest is not None
    assert cost.patches <= largest.patches
    assert cost.encoder_tokens <= largest.encoder_tokens
    # Padding is cut off differently in each shape: a row or two.
    assert cost.tokens <= largest.tokens + (200 if facts in (LLAVA_NEXT, ONEVISION) else 0)


@pytest.mark.parametrize(
    ("kind", "architecture", "family"),
    [
        ("qwen2.5vl_merger", "qwen2vl", ImageFamily.RESIZED),
        ("qwen3vl_merger", "qwen35", ImageFamily.RESIZED),
        ("pixtral", "LlavaForConditionalGeneration", ImageFamily.PIXTRAL),
        ("gemma3", "gemma3", ImageFamily.FIXED),
        ("mlp", "llama", ImageFamily.LLAVA),
        ("resampler", "qwen2", ImageFamily.MINICPM),
        ("intern_vit_6b", "InternVLChatModel", ImageFamily.INTERNVL),
        ("siglip_vision_model", "LlavaOnevisionForConditionalGeneration", ImageFamily.ONEVISION),
        ("glm4v", "Glm4vForConditionalGeneration", ImageFamily.RESIZED),
        ("something", "New", None),
    ],
)
def test_families(kind: str, architecture: str, family: ImageFamily | None) -> None:
    assert image_family(models.model(architecture, vision=VisionFacts(kind=kind))) is family


def test_a_model_without_eyes_or_sizes() -> None:
    assert image_cost(models.OPT_125M, 10, 10) is None
    assert largest_picture(models.OPT_125M) is None
    assert largest_picture(models.model("mllama", vision=VisionFacts(kind="mllama"))) is None


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_resized_pictures_stay_in_bounds(width: int, height: int) -> None:
    if max(width, height) > 100 * min(width, height):
        return
    across, down = smart_resize(width, height, 28, 3136, 12_845_056)
    assert across % 28 == down % 28 == 0
    assert 3136 <= across * down <= 12_845_056
