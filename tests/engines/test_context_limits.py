"""Contexts above what a model was trained on are refused before anything starts, unless positions are stretched."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain import memory_models as models
from tests.engines.vllm_cases import ENGINE, install, machine, plan, refusals

from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.engines._base import Machine
from aimindserve.engines._flags import Given
from aimindserve.engines.llama_cpp import LlamaCpp
from aimindserve.engines.vllm_flags import flag_table
from aimindserve.engines.vllm_positions import overrides_positions

SCALING = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}


def test_vllm_refuses_what_it_would_not_start_with() -> None:
    (refused,) = refusals(models.QWEN2_VL_7B, "--max-model-len=100000")
    assert refused.code is ReasonCode.CONTEXT_TOO_LONG
    assert "32768" in explain(refused, "en").remedy
    assert refusals(models.QWEN2_VL_7B, "--max-model-len=32768") == []
    unknown = models.QWEN2_VL_7B.model_copy(update={"context_length": None})
    assert refusals(unknown, "--max-model-len=100000") == []


@pytest.mark.parametrize("version", ["0.10.2", "0.33.0"])
def test_the_remedy_of_each_version_is_accepted_by_it(version: str) -> None:
    program = install(version)
    (refused,) = refusals(models.QWEN2_VL_7B, "--max-model-len=100000", program=program)
    stretch = str(refused.params["stretch"])
    made = plan(models.QWEN2_VL_7B, "--max-model-len=100000", stretch, program=program)
    assert made.refusals == ()
    assert json.loads(made.value(stretch.partition("=")[0]) or "")
    assert made.value("--max-model-len") == "100000"


def test_who_knows_what_he_does_says_so_in_the_environment() -> None:
    allowed = {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"}
    assert ENGINE.plan(models.QWEN2_VL_7B, ("--max-model-len=100000",), allowed, machine()).refusals == ()


@pytest.mark.parametrize(
    ("value", "fine"),
    [
        ({"rope_scaling": SCALING}, True),
        ({"text_config": {"rope_parameters": SCALING, "max_position_embeddings": 131072}}, True),
        ({"rope_theta": 1e6}, True),
        ({"architectures": ["Other"]}, False),
        ({"rope_scaling": SCALING, "auto_map": {"AutoConfig": "x.Y"}}, False),
        ({"text_config": {"auto_map": {}}}, False),
        ({"rope_scaling": {"rope_type": "../../x"}}, False),
        ({"rope_scaling": "yarn"}, False),
        ({}, False),
        ({"text_config": {}}, True),
    ],
)
def test_nothing_but_positions_may_be_overridden(value: dict[str, object], fine: bool) -> None:
    found = refusals(models.QWEN2_VL_7B, f"--hf-overrides={json.dumps(value)}")
    assert [why.code for why in found] == ([] if fine else [ReasonCode.PARAMETER_DENIED])


@given(
    text=st.text(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ).map(json.dumps)
)
def test_odd_values_are_never_taken_for_positions(text: str) -> None:
    flag = flag_table("0.33.0").find("--hf-overrides")
    assert flag is not None
    assert (
        not overrides_positions(Given(flag, text, flag.name)) or "rope" in text or "position" in text or "text" in text
    )


def llama(*parameters: str) -> tuple[Reason, ...]:
    return LlamaCpp().plan(models.QWEN2_VL_7B_GGUF, parameters, {}, Machine(physical_cores=4, gpus=("g",))).refusals


def test_llama_cpp_divides_the_context_among_requests() -> None:
    assert llama("--ctx-size=131072") == (), "four requests of 32,768 each"
    (refused,) = llama("--ctx-size=131072", "--parallel=2")
    assert (refused.code, refused.params["tokens"], refused.params["most"]) == (
        ReasonCode.CONTEXT_TOO_LONG,
        65536,
        65536,
    )
    assert llama("--ctx-size=131072", "--parallel=2", "--rope-scaling=yarn", "--rope-scale=2") == ()
    assert llama("--ctx-size=131072", "--parallel=2", "--kv-unified") == (), "the server itself bounds each request"
    assert len(llama("--ctx-size=2000000000")) == 1
