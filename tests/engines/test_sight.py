"""How each engine's arguments change what it sees of a picture, and so what a picture takes of the context."""

import pytest
from tests.domain import memory_models as models
from tests.engines import vllm_cases as vllm

from aimindserve.domain.facts import ModelFacts, VisionFacts
from aimindserve.domain.image_tokens import image_cost, resized_to
from aimindserve.domain.source import parse_source
from aimindserve.engines._base import Machine, Sight
from aimindserve.engines.llama_cpp import LlamaCpp
from aimindserve.sources._base import Asking
from aimindserve.sources.demo import DemoSource

QWEN = models.QWEN2_VL_7B


def seen(facts: ModelFacts, width: int, height: int) -> tuple[int | None, tuple[int, int] | None]:
    cost = image_cost(facts, width, height)
    return (cost.tokens if cost else None), resized_to(facts, width, height)


def on_vllm(*parameters: str, facts: ModelFacts = QWEN) -> Sight:
    return vllm.ENGINE.sight(facts, vllm.plan(facts, *parameters))


def on_llama_cpp(facts: ModelFacts, *parameters: str) -> Sight:
    engine = LlamaCpp()
    return engine.sight(facts, engine.plan(facts, parameters, {}, Machine(physical_cores=4)))


@pytest.mark.parametrize(
    ("kwargs", "tokens", "size"),
    [
        ('{"max_pixels":12845056}', 2116, (1288, 1288)),
        ('{"max_pixels":200704}', 256, (448, 448)),
        ('{"min_pixels":3211264,"max_pixels":12845056}', 4096, (1792, 1792)),
    ],
)
def test_a_processor_is_told_between_which_areas(kwargs: str, tokens: int, size: tuple[int, int]) -> None:
    sight = on_vllm(f"--mm-processor-kwargs={kwargs}")
    assert sight.exact
    assert seen(sight.facts, 1288, 1288) == (tokens, size)


def test_slices_by_area_are_said_to_be_near() -> None:
    minicpm = models.model(
        "MiniCPMV", vision=VisionFacts(kind="vit", width=1024, patch_size=14, tiles_max=10, tile_tokens=64)
    )
    assert not on_vllm(facts=minicpm).exact


def test_the_demo_model_sees_sixteen_tokens_of_any_square() -> None:
    facts = DemoSource().resolve(parse_source("demo://tiny-vlm"), Asking())
    assert isinstance(facts, ModelFacts)
    sight = on_llama_cpp(facts)
    assert sight.exact
    for side in (40, 224, 2048):
        assert seen(sight.facts, side, side)[0] == 16


def test_more_tokens_are_allowed_by_hand() -> None:
    facts = DemoSource().resolve(parse_source("demo://tiny-vlm"), Asking())
    assert isinstance(facts, ModelFacts)
    few, many = (
        seen(on_llama_cpp(facts, f"--image-max-tokens={most}").facts, 2000, 1000)[0] or 0 for most in (16, 200)
    )
    assert few <= 16 < many <= 200


def test_without_its_projector_it_sees_nothing() -> None:
    facts = DemoSource().resolve(parse_source("demo://tiny-vlm"), Asking())
    assert isinstance(facts, ModelFacts)
    assert seen(on_llama_cpp(facts, "--no-mmproj").facts, 100, 100) == (None, None)
