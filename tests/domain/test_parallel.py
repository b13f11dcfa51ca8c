"""Numbers of GPUs that a model can be divided among."""

import pytest
from tests.domain import memory_models as models

from aimindserve.domain.explanations import Why
from aimindserve.domain.facts import ModelFacts, QuantizationFacts
from aimindserve.domain.parallel import feasible_tensor_parallel, tensor_parallel_choice, tensor_parallel_choices
from aimindserve.domain.runs import VllmRun


@pytest.mark.parametrize(
    ("facts", "most", "gpus"),
    [
        (models.QWEN2_VL_7B, 16, (1, 2, 4)),
        (models.PIXTRAL, 8, (1, 2, 4, 8)),
        (models.LLAMA_3_2, 8, (1, 2, 4, 8)),
        (models.PHI_3_5, 16, (1, 2, 4, 8, 16)),
        (models.OPT_125M, 16, (1, 2, 4)),
        (models.QWEN2_VL_7B, 1, (1,)),
    ],
)
def test_the_guides_models(facts: ModelFacts, most: int, gpus: tuple[int, ...]) -> None:
    assert feasible_tensor_parallel(facts, most) == gpus


def why(facts: ModelFacts, gpus: int, run: VllmRun | None = None) -> Why | None:
    refused = tensor_parallel_choice(facts, gpus, run).refused
    return refused.code if refused else None


def test_reasons_against_a_number_of_gpus() -> None:
    awq = models.QWEN2_VL_7B.model_copy(
        update={"quantized": QuantizationFacts(method="awq", bits=4, group_size=128), "heads": 32, "kv_heads": 8}
    )
    assert why(awq, 4) is None
    assert why(awq, 8) is Why.PARALLEL_GROUPS
    assert why(models.QWEN2_VL_7B, 3) is Why.PARALLEL_HEADS
    assert why(models.QWEN2_VL_7B.model_copy(update={"heads": 30, "kv_heads": 4}), 6) is Why.PARALLEL_HEADS
    assert why(models.LLAMA_3_2.model_copy(update={"feed_forward_size": 14337}), 2) is Why.PARALLEL_WIDTH
    odd = models.LLAMA_3_2.model_copy(update={"vision": models.MLLAMA_TOWER.model_copy(update={"heads": 15})})
    assert why(odd, 2) is Why.PARALLEL_TOWER
    assert why(odd, 2, VllmRun("0.33.0", 1, 1, encoder_mode="data")) is None
    assert why(odd, 1) is None


def test_copies_of_the_cache_are_told() -> None:
    choices = tensor_parallel_choices(models.QWEN3_32B, 16)
    assert [(choice.gpus, choice.copied_cache) for choice in choices] == [
        (1, False), (2, False), (4, False), (8, False), (16, True),
    ]  # fmt: skip
