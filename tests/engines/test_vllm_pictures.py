"""Smaller pictures, by what each processor takes."""

import json
from typing import Any

import pytest
from tests.domain.memory_models import PHI_3_5, PIXTRAL, QWEN2_VL_7B
from tests.domain.test_image_tokens import IDEFICS3, INTERNVL
from tests.engines.vllm_cases import ENGINE, machine, plan, values

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.image_tokens import largest_picture
from aimindserve.engines.vllm_pictures import most_pixels, processor_words, seen_by, tiles_of, with_pixels

PHI_16 = PHI_3_5.model_copy(
    update={"vision": PHI_3_5.vision.model_copy(update={"tiles_max": 17})} if PHI_3_5.vision else {}
)


@pytest.mark.parametrize(
    ("facts", "pixels", "words"),
    [
        (QWEN2_VL_7B, 1_000_000, {"max_pixels": 1_000_000}),
        (INTERNVL, 3 * 448**2, {"max_dynamic_patch": 3}),
        (INTERNVL, 1, {"max_dynamic_patch": 1}),
        (PHI_16, 4 * 336**2 + 5, {"num_crops": 4}),
        (IDEFICS3, 9 * 364**2, {"size": {"longest_edge": 3 * 364}}),
        (IDEFICS3, 8 * 364**2, {"size": {"longest_edge": 2 * 364}}),
    ],
)
def test_what_processors_are_told(facts: ModelFacts, pixels: int, words: dict[str, Any]) -> None:
    assert processor_words(facts, pixels) == words
    if tiles_of(facts, pixels) is not None:
        assert seen_by(facts, words) == with_pixels(facts, pixels), "who reads the words sees the same"


def test_which_have_a_setting() -> None:
    assert most_pixels(INTERNVL) == 12 * 448**2
    assert most_pixels(PHI_16) == 16 * 336**2
    assert most_pixels(PIXTRAL) is None
    assert with_pixels(PIXTRAL, 1) == PIXTRAL


@pytest.mark.parametrize("facts", [INTERNVL, PHI_16, IDEFICS3], ids=lambda facts: facts.architecture)
def test_fewer_tiles_need_less(facts: ModelFacts) -> None:
    most = most_pixels(facts)
    assert most
    whole = largest_picture(facts)
    half = largest_picture(with_pixels(facts, most // 2))
    assert whole
    assert half
    assert (half.tokens, half.patches) < (whole.tokens, whole.patches)


def test_pictures_are_cut_less_where_memory_lacks() -> None:
    """And a plan with what it needs is that plan."""
    made = plan(PHI_16)
    assert "--mm-processor-kwargs" not in values(made)
    needed = ENGINE.estimate(PHI_16, made).high
    least = plan(PHI_16, on=machine(budget=1))
    assert json.loads(values(least)["--mm-processor-kwargs"] or "") in ({"num_crops": 4}, {"num_crops": 8})
    small = ENGINE.estimate(PHI_16, least).high
    assert small < needed
    again = plan(PHI_16, on=machine(budget=small))
    assert values(again)["--mm-processor-kwargs"] == values(least)["--mm-processor-kwargs"]
