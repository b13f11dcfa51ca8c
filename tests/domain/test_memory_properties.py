"""What holds for every estimate: more never needs less, likely is at most high, what is said to fit does."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain import memory_models as models
from tests.domain.test_image_tokens import ALL

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.memory_constants import LOADED_CONSTANT, NCCL
from aimindserve.domain.memory_llama import estimate_llama_cpp
from aimindserve.domain.memory_search import (
    CONTEXT_STEP,
    estimate_memory,
    longest_context,
    most_images,
    needed_bytes,
)
from aimindserve.domain.memory_vllm import estimate_vllm
from aimindserve.domain.parallel import feasible_tensor_parallel
from aimindserve.domain.runs import LlamaRun, VllmRun
from aimindserve.domain.units import GIB

GGUF = (models.QWEN2_VL_7B_GGUF, models.QWEN2_VL_2B_GGUF, models.MISTRAL_7B, models.LLAMA_3_2, models.COMMAND_R)
VLLM = (*models.GUIDE, models.QWEN3_32B, models.OPT_125M, models.QWEN2_VL_7B_AWQ, *ALL[4:])

llama_runs = st.builds(
    LlamaRun,
    context_tokens=st.integers(1, 1 << 20),
    slots=st.integers(1, 16),
    unified_cache=st.booleans(),
    batch_tokens=st.sampled_from([64, 512, 2048]),
    gpu=st.booleans(),
    gpu_layers=st.none() | st.integers(0, 50),
    flash_attention=st.booleans(),
    image_tokens=st.none() | st.integers(1, 8192),
    projector_on_gpu=st.booleans(),
    build=st.sampled_from([None, 9000]),
)
vllm_runs = st.builds(
    VllmRun,
    version=st.sampled_from(["0.6.3", "0.8.5", "0.10.2", "0.33.0"]),
    context_tokens=st.integers(1, 1 << 18),
    sequences=st.integers(1, 1024),
    batch_tokens=st.none() | st.sampled_from([512, 2048, 16384]),
    eager=st.booleans(),
    images=st.integers(0, 8),
    image_pixels=st.none() | st.integers(1, 1 << 24),
    cache_dtype=st.sampled_from(["auto", "fp8"]),
    quantization=st.sampled_from([None, "fp8", "bitsandbytes"]),
    device_bytes=st.sampled_from([None, 24 * GIB, 80 * GIB]),
)


@given(facts=st.sampled_from(GGUF), run=llama_runs, tokens=st.integers(1, 1 << 18), pixels=st.integers(1, 4096))
def test_llama_never_needs_less_for_more(facts: ModelFacts, run: LlamaRun, tokens: int, pixels: int) -> None:
    base = estimate_llama_cpp(facts, run)
    for more in (
        replace(run, context_tokens=run.context_tokens + tokens * run.slots * 256),
        replace(run, image_tokens=(run.image_tokens or 8192) + pixels) if run.image_tokens else run,
        replace(run, slots=run.slots + 1, context_tokens=_for_one_more(run)),
    ):
        larger = estimate_llama_cpp(facts, more)
        assert larger.total >= base.total
        assert larger.high >= base.high
        assert larger.host_total >= base.host_total


def _for_one_more(run: LlamaRun) -> int:
    """The same context for each slot, with one slot more."""
    return -(-run.context_tokens // run.slots) * (run.slots + 1)


@given(facts=st.sampled_from(VLLM), run=vllm_runs, tokens=st.integers(1, 1 << 18), count=st.integers(1, 64))
def test_vllm_never_needs_less_for_more(facts: ModelFacts, run: VllmRun, tokens: int, count: int) -> None:
    base = estimate_vllm(facts, run)
    for more in (
        replace(run, context_tokens=run.context_tokens + tokens),
        replace(run, sequences=run.sequences + count),
        replace(run, images=run.images + count),
        replace(run, cached_tokens=run.context_tokens + tokens),
        replace(run, image_pixels=run.image_pixels + tokens) if run.image_pixels else run,
    ):
        larger = estimate_vllm(facts, more)
        assert larger.total >= base.total
        assert larger.high >= base.high


@given(facts=st.sampled_from((*GGUF, *VLLM)), run=llama_runs | vllm_runs)
def test_likely_is_at_most_high(facts: ModelFacts, run: LlamaRun | VllmRun) -> None:
    estimate = estimate_memory(facts, run)
    assert all(0 <= item.bytes <= item.high for item in estimate.items)
    assert estimate.total <= estimate.high <= sum(item.high for item in estimate.device_items) + 1
    assert len({item.item for item in estimate.items}) == len(estimate.items)


@given(facts=st.sampled_from(VLLM), run=vllm_runs)
def test_a_gpu_of_several_needs_no_more_than_one_alone(facts: ModelFacts, run: VllmRun) -> None:
    alone = estimate_vllm(facts, run).total
    for gpus in feasible_tensor_parallel(facts, 8):
        share = estimate_vllm(facts, replace(run, tensor_parallel=gpus)).total
        assert share <= alone + NCCL + LOADED_CONSTANT


@pytest.mark.parametrize("likely", [True, False])
@settings(max_examples=30)
@given(facts=st.sampled_from((*GGUF, *models.GUIDE)), run=llama_runs | vllm_runs, available=st.integers(1, 200 * GIB))
def test_the_longest_context_fits_and_one_step_more_does_not(
    likely: bool, facts: ModelFacts, run: LlamaRun | VllmRun, available: int
) -> None:
    if isinstance(run, LlamaRun):
        run = replace(run, slots=1)

    def needed(tokens: int) -> int:
        return needed_bytes(estimate_memory(facts, replace(run, context_tokens=tokens)), likely=likely)

    found = longest_context(facts, run, available, likely=likely)
    if found is None:
        assert needed(CONTEXT_STEP) > available
        return
    assert needed(found) <= available
    limit = facts.context_length or 1 << 20
    assert found <= limit
    assert found + CONTEXT_STEP > limit or needed(found + CONTEXT_STEP) > available


@settings(max_examples=30)
@given(facts=st.sampled_from(models.GUIDE), run=vllm_runs, available=st.integers(1, 200 * GIB))
def test_the_most_images_fit_and_one_more_does_not(facts: ModelFacts, run: VllmRun, available: int) -> None:
    found = most_images(facts, run, available)

    def fits(images: int) -> bool:
        return estimate_vllm(facts, replace(run, images=images)).high <= available

    assert found == 0 or fits(found)
    if found == 0 and run.context_tokens > 20_000:
        assert not fits(1)
