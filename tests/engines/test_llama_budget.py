"""llama.cpp within a number of bytes."""

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.memory_models import MISTRAL_7B, QWEN2_VL_2B_GGUF, QWEN2_VL_7B_GGUF

from aimindserve.domain.explanations import Why
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.nodes import EngineInstall
from aimindserve.domain.params import Origin
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.units import GIB, MIB
from aimindserve.engines._base import Machine, ParameterPlan
from aimindserve.engines.llama_budget import taken_bytes
from aimindserve.engines.llama_cpp import LlamaCpp

ENGINE = LlamaCpp()
MODELS = st.sampled_from([QWEN2_VL_2B_GGUF, QWEN2_VL_7B_GGUF, MISTRAL_7B])
BUDGETS = st.integers(1, 24 * 1024).map(lambda mebibytes: mebibytes * MIB)
GIVEN = st.sampled_from([(), ("--ctx-size=4096",), ("--parallel=3",), ("--n-gpu-layers=7",), ("--cache-ram=0",)])


def plan(
    facts: ModelFacts, budget: int | None, *parameters: str, gpu: bool = True, flavour: str = "llama-server"
) -> tuple[ParameterPlan, int]:
    """The plan and what it takes."""
    machine = Machine(physical_cores=8, gpus=("g",) if gpu else (), budget=budget)
    install = EngineInstall(engine="llama.cpp", flavour=flavour, version="11434", path="/x")
    made = ENGINE.plan(facts, parameters, {}, machine, install)
    return made, taken_bytes(ENGINE.estimate(facts, made, install), machine)


def why(made: ParameterPlan, flag: str) -> str:
    return next(item.why.code for item in made.parameters if item.flag == flag)


def test_fewer_requests_come_before_layers_beside_the_gpu() -> None:
    whole, taken = plan(QWEN2_VL_7B_GGUF, None)
    assert (whole.value("--parallel"), whole.value("--n-gpu-layers"), whole.partly) == ("4", "999", False)
    fewer, less = plan(QWEN2_VL_7B_GGUF, taken - 1)
    assert (fewer.value("--parallel"), fewer.value("--ctx-size"), fewer.partly) == ("2", "16384", False)
    assert why(fewer, "--parallel") == Why.PARALLEL_FEWER
    assert less < taken
    partly, least = plan(QWEN2_VL_7B_GGUF, 6 * GIB)
    assert partly.value("--parallel") == "1"
    assert 1 <= int(partly.value("--n-gpu-layers") or 0) <= 28
    assert why(partly, "--n-gpu-layers") == Why.GPU_LAYERS_SOME
    assert partly.partly
    assert least <= 6 * GIB
    _, more = plan(QWEN2_VL_7B_GGUF, 6 * GIB, f"--n-gpu-layers={int(partly.value('--n-gpu-layers') or 0) + 1}")
    assert more > 6 * GIB, "as many layers as fit"


def test_what_the_user_set_stays() -> None:
    for budget in (None, 1):
        made, _ = plan(QWEN2_VL_7B_GGUF, budget, "--ctx-size=4096", "--parallel=3", "--n-gpu-layers=7")
        assert (made.value("--ctx-size"), made.value("--parallel"), made.value("--n-gpu-layers")) == ("4096", "3", "7")
        assert made.partly
    made, _ = plan(QWEN2_VL_7B_GGUF, 1, "--ctx-size=4096")
    assert made.value("--parallel") == "4", "a context that is set is divided, not shortened"


def test_finished_prompts_take_as_much_again_as_those_that_are_answered() -> None:
    made, taken = plan(QWEN2_VL_2B_GGUF, None, gpu=False)
    assert (made.value("--ctx-size"), made.value("--cache-ram")) == ("16384", "448")
    none, less = plan(QWEN2_VL_2B_GGUF, None, "--cache-ram=0", gpu=False)
    assert none.value("--cache-ram") == "0"
    assert taken - less == 448 * MIB, "on the CPU it is a part of what is claimed"
    box, _ = plan(QWEN2_VL_2B_GGUF, None, flavour="llama-box")
    assert not box.has("--cache-ram")


def test_who_wants_no_layer_on_a_gpu_gets_none() -> None:
    assert ENGINE.gpu_counts(QWEN2_VL_7B_GGUF, ("--n-gpu-layers", "0"), 8) == ()
    assert ENGINE.gpu_counts(QWEN2_VL_7B_GGUF, ("-ngl=20",), 8) == (1,)
    assert ENGINE.gpu_counts(QWEN2_VL_7B_GGUF, (), 0) == ()
    assert ENGINE.gpu_counts(QWEN2_VL_7B_GGUF, (), 5) == (1, 2, 3, 4)
    assert ENGINE.gpu_counts(QWEN2_VL_7B_GGUF, ("--tensor-split=3,1",), 4) == (2,)
    assert ENGINE.gpu_counts(QWEN2_VL_7B_GGUF, ("--tensor-split=3,1,1",), 2) == ()
    assert ENGINE.gpu_counts(QWEN2_VL_7B_GGUF, ("--split-mode=none",), 4) == (1,)


def on_gpus(count: int, *parameters: str, budget: int | None = None) -> ParameterPlan:
    install = EngineInstall(engine="llama.cpp", flavour="llama-server", version="11434", path="/x")
    machine = Machine(physical_cores=8, gpus=("g",) * count, budget=budget)
    return ENGINE.plan(QWEN2_VL_7B_GGUF, parameters, {}, machine, install)


def test_several_gpus_share_the_layers() -> None:
    made = on_gpus(3)
    assert made.value("--split-mode") == "layer"
    counts = [int(part) for part in (made.value("--tensor-split") or "").split(",")]
    assert (len(counts), sum(counts)) == (3, 29)
    assert counts[0] < counts[1], "the first one works on pictures"
    estimate = ENGINE.estimate(QWEN2_VL_7B_GGUF, made)
    assert on_gpus(3, budget=estimate.high) == made, "a plan with what it needs is the same plan"
    assert not on_gpus(2, budget=GIB).partly, "all layers are on GPUs where there are several"
    assert not on_gpus(1).has("--tensor-split")


def test_the_users_split_wins_or_is_refused() -> None:
    made = on_gpus(2, "--tensor-split=3,1")
    assert (made.value("--tensor-split"), made.has("--split-mode")) == ("3,1", False)
    large, small = ENGINE.estimate(QWEN2_VL_7B_GGUF, made).shares
    assert large > 2 * small
    for split in ("3", "a,b", "0,0", "1,-1", ","):
        refusals = on_gpus(2, f"--tensor-split={split}").refusals
        assert [why.code for why in refusals] == ([ReasonCode.PARAMETER_VALUE] if split != "3" else []), split


@given(facts=MODELS, budget=BUDGETS, given=GIVEN, gpu=st.booleans())
def test_a_plan_made_with_what_a_plan_takes_is_that_plan(
    facts: ModelFacts, budget: int, given: tuple[str, ...], gpu: bool
) -> None:
    made, taken = plan(facts, budget, *given, gpu=gpu)
    again, _ = plan(facts, taken, *given, gpu=gpu)
    assert again == made
    assert all(item.origin is Origin.YOURS for item in made.parameters if f"{item.flag}={item.value}" in given)


@given(facts=MODELS, budget=BUDGETS, more=BUDGETS, given=GIVEN, gpu=st.booleans())
def test_what_fits_fits_a_larger_budget_too(
    facts: ModelFacts, budget: int, more: int, given: tuple[str, ...], gpu: bool
) -> None:
    _, taken = plan(facts, budget, *given, gpu=gpu)
    _, larger = plan(facts, budget + more, *given, gpu=gpu)
    _, whole = plan(facts, None, *given, gpu=gpu)
    if taken <= budget:
        assert larger <= budget + more
        assert taken <= whole or larger <= whole
