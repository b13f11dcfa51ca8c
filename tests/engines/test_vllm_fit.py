"""Plans and bytes: a plan fits its budget, is found again from what it needs, and more bytes never give less."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain import memory_models as models
from tests.domain.test_image_tokens import ALL
from tests.engines.vllm_cases import ENGINE, GUIDE, install, machine, plan

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.nodes import DeviceKind, EngineInstall
from aimindserve.domain.units import GIB
from aimindserve.engines._base import Machine, ParameterPlan
from aimindserve.engines.vllm_choices import Limits, Problem, chain
from aimindserve.engines.vllm_memory import Sizing, vllm_run

MODELS = (*GUIDE, models.QWEN3_32B, models.OPT_125M, models.QWEN2_VL_7B_AWQ, *ALL[4:])
UNKNOWN = models.QWEN2_VL_7B.model_copy(update={"architecture": "NewThing", "layers": None, "vision": None})
# Each of a user's wishes, alone and with others.
WISHES = (
    "--max-model-len=8192",
    "--max-num-seqs=128",
    "--max-num-batched-tokens=4096",
    "--enforce-eager",
    "--no-enforce-eager",
    "--gpu-memory-utilization=0.8",
    "--kv-cache-memory-bytes=4G",
    "--mm-processor-kwargs.max_pixels=1003520",
    "--limit-mm-per-prompt=image=1",
    "--kv-cache-dtype=fp8",
)
cases = st.fixed_dictionaries(
    {
        "facts": st.sampled_from((*MODELS, UNKNOWN)),
        "parameters": st.lists(st.sampled_from(WISHES), unique=True, max_size=3).map(tuple),
        "program": st.sampled_from([None, install("0.33.0"), install("0.32.0"), install("0.8.5"), install(kind=None)]),
        "gib": st.sampled_from([15.6, 23.5, 47.5, 79.6, 141.0]),
        "gpus": st.sampled_from([1, 2]),
    }
)


def on(case: dict[str, object], budget: int | None) -> tuple[ParameterPlan, int]:
    """The plan within a budget, and what it needs."""
    facts, program, gib, gpus = case["facts"], case["program"], case["gib"], case["gpus"]
    assert isinstance(facts, ModelFacts)
    assert program is None or isinstance(program, EngineInstall)
    assert isinstance(gib, float)
    assert isinstance(gpus, int)
    there = machine(gib, budget, gpus)
    if program and not program.gpu_kinds:
        cpu = machine(gib, budget, 0, name="CPU", kind=DeviceKind.CPU)
        there = Machine(physical_cores=8, device=cpu.device, budget=budget)
    parameters = case["parameters"]
    assert isinstance(parameters, tuple)
    made = ENGINE.plan(facts, parameters, {}, there, program)
    return made, ENGINE.estimate(facts, made, program).high


@settings(max_examples=150, deadline=None)
@given(case=cases, budget=st.none() | st.integers(1, 150 * GIB))
def test_a_plan_is_found_again_from_what_it_needs(case: dict[str, object], budget: int | None) -> None:
    made, needed = on(case, budget)
    if budget is not None and needed > budget:
        return  # the least that there is, and too much: it is never placed
    again, needed_again = on(case, needed)
    assert again.parameters == made.parameters
    assert needed_again == needed


@settings(max_examples=150, deadline=None)
@given(case=cases, budget=st.integers(1, 150 * GIB), more=st.integers(0, 50 * GIB))
def test_more_bytes_never_give_less(case: dict[str, object], budget: int, more: int) -> None:
    (less, less_needed), (larger, larger_needed) = on(case, budget), on(case, budget + more)
    wished = on(case, None)[1]
    assert larger_needed <= max(budget + more, less_needed)
    assert less_needed <= larger_needed <= wished
    for flag in ("--max-model-len", "--max-num-seqs"):
        values = [int(made.value(flag) or 0) for made in (less, larger)]
        assert values[0] <= values[1]


@settings(max_examples=60, deadline=None)
@given(case=cases)
def test_what_fits_is_taken_and_what_does_not_is_said(case: dict[str, object]) -> None:
    wished = on(case, None)
    assert on(case, wished[1]) == wished
    smallest, least = on(case, 1)
    assert least > 1, "the smallest plan is still a plan"
    assert on(case, least - 1)[0].parameters == smallest.parameters


@pytest.mark.parametrize("facts", MODELS, ids=lambda facts: facts.architecture)
@pytest.mark.parametrize("version", ["0.8.5", "0.33.0"])
def test_the_chain_only_ever_gets_smaller(facts: ModelFacts, version: str) -> None:
    sizing = Sizing(vllm_run(facts, {}, version, 80 * GIB))
    limits = Limits(pixels=facts.vision.pixels_max if facts.vision else None)
    problem = Problem(facts, sizing, limits)
    choices = chain(problem)
    assert len(choices) > 3
    for larger, smaller in pairwise(choices):
        assert smaller.context <= larger.context
        assert smaller.sequences <= larger.sequences
        assert smaller.requests <= larger.requests
        assert problem.estimate(smaller).high <= problem.estimate(larger).high


def needed(facts: ModelFacts, gib: float, *parameters: str, gpus: int = 1) -> float:
    """GiB of the plan that is made for a whole device."""
    made = plan(facts, *parameters, on=machine(gib, int(gib * GIB), gpus))
    return ENGINE.estimate(facts, made).high / GIB


@pytest.mark.parametrize(("gib", "gpus"), [(47.5, 1), (23.5, 2)])
@pytest.mark.parametrize("facts", GUIDE, ids=lambda facts: facts.architecture)
def test_the_guides_models_fit_one_card_of_48_or_two_of_24(facts: ModelFacts, gib: float, gpus: int) -> None:
    assert needed(facts, gib, gpus=gpus) <= gib


def test_the_guides_models_on_small_cards() -> None:
    assert needed(models.QWEN2_VL_7B, 23.5) <= 23.5
    assert needed(models.PHI_3_5, 15.6) <= 15.6
    assert needed(models.PIXTRAL, 23.5) > 23.5
    assert needed(models.LLAMA_3_2, 23.5) > 23.5
