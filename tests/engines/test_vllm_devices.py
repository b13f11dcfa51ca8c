"""Which GPUs a version and a form of the weights run on."""

import pytest
from tests.domain import memory_models as models
from tests.engines.vllm_cases import ENGINE, device, install, plan, values

from aimindserve.domain.explanations import sentence
from aimindserve.domain.facts import ModelFacts, QuantizationFacts
from aimindserve.domain.nodes import Device, DeviceKind
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.engines._base import Machine
from aimindserve.engines.vllm_devices import capability_of, too_old


def gpu(capability: str | None) -> Device:
    return device(31.5, "Some GPU").model_copy(update={"compute_capability": capability})


def packed(method: str) -> ModelFacts:
    return models.QWEN2_VL_7B.model_copy(update={"quantized": QuantizationFacts(method=method)})


@pytest.mark.parametrize(
    ("facts", "version", "capability", "needed"),
    [
        (models.QWEN2_VL_7B, "0.18.1", "7.0", None),
        (models.QWEN2_VL_7B, "0.18.1", "6.1", "7.0"),
        (models.QWEN2_VL_7B, "0.33.0", "7.0", "7.5"),
        (models.QWEN2_VL_7B, "0.33.0", "12.0", None),
        (packed("awq"), "0.18.1", "7.0", "7.5"),
        (packed("awq"), "0.18.1", "7.5", None),
        (packed("fp8"), "0.18.1", "7.5", "8.0"),
        (packed("fp8"), "0.33.0", "7.5", None),
        (packed("gptq"), "0.18.1", "7.0", None),
        (packed("fp8"), "0.18.1", None, None),
    ],
)
def test_the_generation_that_is_needed(
    facts: ModelFacts, version: str, capability: str | None, needed: str | None
) -> None:
    found = too_old(facts, version, gpu(capability))
    assert (found.params["needed"] if found else None) == needed
    assert found is None or found.code is ReasonCode.DEVICE_TOO_OLD


def test_what_cannot_be_read_is_unknown() -> None:
    assert [capability_of(gpu(text)) for text in ("8.9", "x", None)] == [(8, 9), None, None]
    assert capability_of(None) is None


def test_an_older_version_is_taken_where_the_newest_has_no_code_for_the_device() -> None:
    old, new = install("0.18.1"), install("0.33.0")
    assert ENGINE.choose_install(models.QWEN2_VL_7B, [new, old], None, gpu("7.0")) == old
    assert ENGINE.choose_install(models.QWEN2_VL_7B, [new, old], None, gpu("8.0")) == new
    refused = ENGINE.choose_install(models.QWEN2_VL_7B, [new], None, gpu("7.0"))
    assert isinstance(refused, Reason)
    assert refused.code is ReasonCode.DEVICE_TOO_OLD
    assert "Some GPU" in explain(refused, "zh").message


def test_weights_that_the_user_wants_packed_need_it_too() -> None:
    old = Machine(physical_cores=8, gpus=("GPU-1",), device=gpu("7.5"))
    (refused,) = plan(models.QWEN2_VL_7B, "--quantization=fp8", on=old, program=install("0.18.1")).refusals
    assert refused.code is ReasonCode.DEVICE_TOO_OLD
    assert plan(models.QWEN2_VL_7B, on=old, program=install("0.18.1")).refusals == ()


def test_the_type_of_computation_follows_the_generation_where_it_is_known() -> None:
    for capability, dtype in (("7.5", "float16"), ("8.0", "auto")):
        there = Machine(physical_cores=8, gpus=("GPU-1",), device=gpu(capability))
        assert values(plan(models.QWEN2_VL_7B, on=there))["--dtype"] == dtype


def test_a_version_that_does_not_know_the_architecture_yet() -> None:
    newer = models.QWEN2_VL_7B.model_copy(update={"architecture": "Qwen3_5ForConditionalGeneration"})
    old, new = install("0.12.0"), install("0.33.0")
    assert ENGINE.choose_install(newer, [old, new], None) == new
    refused = ENGINE.choose_install(newer, [old], None)
    assert isinstance(refused, Reason)
    assert (refused.code, refused.params["first"]) == (ReasonCode.ARCHITECTURE_NEWER, "0.18.1")
    assert ENGINE.choose_install(newer, [install("0.15.0")], None) == install("0.15.0"), "between the two nobody knows"
    unheard = newer.model_copy(update={"architecture": "NewThing"})
    assert ENGINE.choose_install(unheard, [old], None) == old


def test_the_newest_that_the_driver_can_run() -> None:
    """CUDA 13 needs driver 580; a version for CUDA 12 beside it is taken then."""
    new = install("0.33.0").model_copy(update={"cuda": "13.0"})
    old = install("0.18.1").model_copy(update={"cuda": "12.8"})
    for driver, wanted in (("580.95.05", new), ("570.124.06", old), (None, new)):
        device = gpu("8.9").model_copy(update={"driver": driver})
        assert ENGINE.choose_install(models.QWEN2_VL_7B, [new, old], None, device) == wanted
    refused = ENGINE.choose_install(models.QWEN2_VL_7B, [new], None, gpu("8.9").model_copy(update={"driver": "570.1"}))
    assert isinstance(refused, Reason)
    assert refused.code is ReasonCode.DRIVER_BELOW_ENGINE
    assert refused.params["offer"] == "vllm==0.18.1+cuda"


CPU = Device(id="cpu", kind=DeviceKind.CPU, name="cpu", memory_total=1, memory_free=1, allocatable=1)


@pytest.mark.parametrize(
    ("facts", "device", "wanted", "offer"),
    [
        (models.QWEN2_VL_7B, None, None, "vllm==0.33.0+cuda"),
        (models.QWEN2_VL_7B, gpu("7.0"), None, "vllm==0.18.1+cuda"),
        (models.QWEN2_VL_7B, gpu("8.9").model_copy(update={"driver": "570.1"}), None, "vllm==0.18.1+cuda"),
        (models.QWEN2_VL_7B, gpu("8.9"), "0.12.0", "vllm==0.12.0+cuda"),
        (models.QWEN2_VL_7B, gpu("8.9"), "0.11.0", None),
        (models.QWEN2_VL_7B, CPU, None, "vllm==0.32.0+cpu"),
        (models.LLAMA_3_2, gpu("8.9"), None, "vllm==0.10.2+cuda"),
        (models.LLAMA_3_2, CPU, None, None),
    ],
)
def test_what_is_offered_to_install(
    facts: ModelFacts, device: Device | None, wanted: str | None, offer: str | None
) -> None:
    missing = ENGINE.choose_install(facts, [], wanted, device)
    assert isinstance(missing, Reason)
    assert missing.code is ReasonCode.ENGINE_NOT_INSTALLED
    assert missing.params.get("offer") == offer
    command = f"aimindserve engine install {offer}" if offer else "aimindserve engine ls"
    assert missing.params["install"] == command
    assert command in explain(missing, "en").remedy


@pytest.mark.parametrize(
    ("facts", "version", "wanted", "told"),
    [
        (models.QWEN2_VL_7B, "0.33.0", None, "vLLM 0.33.0: the newest on this machine"),
        (models.QWEN2_VL_7B, "0.12.0", "0.12.0", "vLLM 0.12.0, as you named it."),
        (models.LLAMA_3_2, "0.10.2", None, "MllamaForConditionalGeneration was dropped after 0.10.2"),
    ],
)
def test_why_this_version(facts: ModelFacts, version: str, wanted: str | None, told: str) -> None:
    why = ENGINE.why_install(facts, install(version), wanted)
    assert why is not None
    assert told in sentence(why, "en")
    assert version in sentence(why, "zh")
