"""The recipe of vLLM: what is derived, what the user sets, and the command line."""

import json
from itertools import pairwise

import pytest
from tests.domain import memory_models as models
from tests.engines.vllm_cases import ENGINE, GUIDE, device, install, machine, plan, refusals, values

from aimindserve.domain.explanations import Why, sentence
from aimindserve.domain.facts import FileRole, HubOrigin, ModelFacts, ModelFile
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.params import Origin
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.units import GIB
from aimindserve.engines._base import Launch, LaunchOrder, Machine

FILES = (
    ModelFile(path="/store/m/model-00001-of-00002.safetensors", role=FileRole.WEIGHTS, size=10),
    ModelFile(path="/store/m/sub/config.json", role=FileRole.CONFIG, size=1),
    ModelFile(path="/store/m/config.json", role=FileRole.CONFIG, size=1),
)
QWEN = models.QWEN2_VL_7B.model_copy(update={"files": FILES})


def launch(facts: ModelFacts = QWEN, *parameters: str, on: Machine | None = None, version: str = "0.33.0") -> Launch:
    program = install(version, None if on and on.device and on.device.kind is DeviceKind.CPU else DeviceKind.NVIDIA)
    order = LaunchOrder(facts, parameters, {}, on or machine(), program, "public", 4242, "/run/key")
    return ENGINE.launch(order)


def test_pictures_of_one_request() -> None:
    assert ENGINE.pictures_per_request(QWEN, ()) == 4
    assert ENGINE.pictures_per_request(models.LLAMA_3_2, ()) == 1
    for given in (
        "--limit-mm-per-prompt=image=7",
        '--limit-mm-per-prompt={"image": 7}',
        "--limit-mm-per-prompt.image=7",
    ):
        assert ENGINE.pictures_per_request(QWEN, (given,)) == 7
    assert ENGINE.pictures_per_request(QWEN, ('--limit-mm-per-prompt={"video": 1}',)) is None


@pytest.mark.parametrize("version", ["0.33.0", "0.18.1", "0.10.2"])
def test_the_engine_may_fetch_pictures_from_nowhere(version: str) -> None:
    argv = launch(QWEN, version=version).argv
    closed = [argv[place : place + 2] for place, word in enumerate(argv) if word == "--allowed-media-domains"]
    assert closed == ([] if version == "0.10.2" else [("--allowed-media-domains", "none.invalid")])
    assert refusals(QWEN, "--allowed-media-domains=example.com", program=install(version))


@pytest.mark.parametrize(
    ("facts", "parameters"),
    [
        (models.LLAMA_3_2, ("--enforce-eager", "--max-num-seqs=16", "--max-model-len=8192")),
        (models.PIXTRAL, ("--tokenizer-mode=mistral", "--limit-mm-per-prompt=image=4")),
        (models.PHI_3_5, ("--trust-remote-code",)),
        (models.QWEN2_VL_7B, ()),
    ],
)
@pytest.mark.parametrize("version", ["0.10.2", "0.32.0", "0.33.0", None])
def test_the_guides_command_lines_pass(facts: ModelFacts, parameters: tuple[str, ...], version: str | None) -> None:
    if facts is models.LLAMA_3_2 and version not in {"0.10.2", None}:
        return
    made = plan(facts, *parameters, program=install(version) if version else None)
    assert made.refusals == ()
    given = values(made)
    for parameter in parameters:
        flag, _, value = parameter.partition("=")
        assert next(item for item in made.parameters if item.flag == flag).origin is Origin.YOURS
        if flag != "--limit-mm-per-prompt":
            assert given[flag] == (value or None)
    assert len(given) == len(made.parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        ("--limit-mm-per-prompt=image=4",),
        ("--limit-mm-per-prompt image=4",),
        ("--limit-mm-per-prompt", "image=4"),
        ('--limit-mm-per-prompt={"image":4}',),
        ('--limit-mm-per-prompt {"image": 4}',),
        ("--limit_mm_per_prompt=image=4",),
        ("--limit-mm-per-prompt.image=4",),
        ("--limit-mm-per-prompt.image", "4"),
    ],
)
@pytest.mark.parametrize("version", ["0.10.2", "0.20.0", "0.33.0"])
def test_all_spellings_of_a_limit_become_json(parameters: tuple[str, ...], version: str) -> None:
    made = plan(models.PIXTRAL, *parameters, program=install(version))
    assert made.refusals == ()
    assert json.loads(made.value("--limit-mm-per-prompt") or "") == {"image": 4, "video": 0}


def test_parts_of_a_limit_are_one_flag() -> None:
    made = plan(models.PIXTRAL, "--limit-mm-per-prompt.image=2", "--limit-mm-per-prompt.video=1")
    item = next(item for item in made.parameters if item.flag == "--limit-mm-per-prompt")
    assert json.loads(item.value or "") == {"image": 2, "video": 1}
    assert (item.origin, item.why.code) == (Origin.YOURS, Why.YOURS)


def test_what_is_derived_says_why() -> None:
    for facts in GUIDE:
        made = plan(facts)
        assert made.refusals == ()
        for item in made.parameters:
            assert item.origin is not Origin.YOURS
            assert "?" not in sentence(item.why, "en") + sentence(item.why, "zh"), item
    qwen = {item.flag: item for item in plan(models.QWEN2_VL_7B).parameters}
    assert qwen["--max-model-len"].value == "20480", "the largest picture takes 16,384 tokens"
    assert qwen["--max-model-len"].why.code is Why.CONTEXT_SENSIBLE
    assert qwen["--dtype"].value == "auto"
    assert "--trust-remote-code" not in qwen
    assert "--enforce-eager" not in qwen


def test_a_model_that_was_trained_on_less_gets_that() -> None:
    made = plan(models.QWEN3_32B.model_copy(update={"context_length": 2048}))
    assert made.value("--max-model-len") == "2048"
    assert next(i for i in made.parameters if i.flag == "--max-model-len").why.code is Why.CONTEXT_WHOLE


def test_the_llama_of_the_guide_has_its_values_without_being_told() -> None:
    made = values(plan(models.LLAMA_3_2))
    assert made["--max-model-len"] == "8192"
    assert made["--max-num-seqs"] == "16"
    assert "--enforce-eager" in made
    assert json.loads(made["--limit-mm-per-prompt"] or "") == {"image": 1}
    assert "--enforce-eager" not in values(plan(models.LLAMA_3_2, "--no-enforce-eager"))


def test_mistrals_own_format_is_told() -> None:
    given = values(plan(models.PIXTRAL))
    assert {given[f"--{name}"] for name in ("tokenizer-mode", "config-format", "load-format")} == {"mistral"}
    assert values(plan(models.PIXTRAL, "--load-format=dummy"))["--load-format"] == "dummy"


def test_code_runs_only_where_somebody_said_so() -> None:
    local = models.PHI_3_5.model_copy(update={"code_files": ("modeling_phi3_v.py",)})
    assert [why.code for why in refusals(local)] == [ReasonCode.CODE_NOT_TRUSTED]
    assert refusals(local, "--trust-remote-code") == []
    origin = HubOrigin(hub="hf", repository="microsoft/Phi-3.5-vision-instruct", revision="0" * 40)
    hub = local.model_copy(update={"origin": origin})
    item = next(item for item in plan(hub).parameters if item.flag == "--trust-remote-code")
    assert (item.origin, item.why.code) == (Origin.DERIVED, Why.CODE_CONFIRMED)
    assert "--trust-remote-code" not in values(plan(models.PHI_3_5))


def test_types_of_numbers() -> None:
    old = plan(models.QWEN2_VL_7B, on=machine(name="Tesla T4"))
    assert old.value("--dtype") == "float16"
    assert values(plan(models.QWEN2_VL_7B, on=machine(name="NVIDIA GeForce RTX 4070")))["--dtype"] == "auto"
    wide = models.QWEN2_VL_7B.model_copy(update={"dtype": "float32"})
    made = plan(wide)
    assert made.value("--dtype") == "bfloat16"
    assert ENGINE.estimate(wide, made).total < 30 * GIB


def test_gpus_are_counted() -> None:
    assert values(plan(models.QWEN2_VL_7B, on=machine(gpus=2)))["--tensor-parallel-size"] == "2"
    stages = values(plan(models.QWEN2_VL_7B, "--pipeline-parallel-size=2", on=machine(gpus=4)))
    assert stages["--tensor-parallel-size"] == "2"
    assert ENGINE.gpu_counts(models.QWEN2_VL_7B, (), 8) == (1, 2, 4)
    assert ENGINE.gpu_counts(models.QWEN2_VL_7B, ("-tp", "2"), 8) == (2,)
    assert ENGINE.gpu_counts(models.QWEN2_VL_7B, ("-tp=1",), 8) == (1,)
    assert ENGINE.gpu_counts(models.QWEN2_VL_7B, ("--tensor-parallel-size=4",), 2) == ()
    assert ENGINE.gpu_counts(models.QWEN2_VL_7B, ("-tp=2", "-pp=2"), 8) == (4,)
    assert ENGINE.gpu_counts(models.QWEN2_VL_7B, (), 0) == ()
    (refused,) = refusals(models.QWEN2_VL_7B, "--tensor-parallel-size=3")
    assert refused.code is ReasonCode.GPUS_INDIVISIBLE
    assert "1, 2, 4" in explain(refused, "en").remedy


def test_cache_and_share_are_those_of_the_estimate() -> None:
    made = plan(models.QWEN2_VL_7B)
    estimate = ENGINE.estimate(models.QWEN2_VL_7B, made)
    cache = next(item for item in estimate.items if item.item == "kv_cache")
    assert int(made.value("--kv-cache-memory-bytes") or 0) == cache.bytes == cache.high
    share = float(made.value("--gpu-memory-utilization") or 0)
    assert 0 <= estimate.high - share * device().memory_total < device().memory_total / 10_000


def test_no_share_is_told_of_a_plan_that_needs_more_than_the_device_has() -> None:
    made = plan(models.QWEN2_VL_7B, on=machine(15.6, int(15.6 * GIB)))
    assert ENGINE.estimate(models.QWEN2_VL_7B, made).high > 15.6 * GIB
    assert not made.has("--gpu-memory-utilization")


def test_versions_without_a_size_of_the_cache_get_a_share() -> None:
    made = plan(models.QWEN2_VL_7B, program=install("0.8.5"))
    assert not made.has("--kv-cache-memory-bytes")
    assert 0.2 < float(made.value("--gpu-memory-utilization") or 0) < 0.4


def test_a_share_of_the_user_is_taken_whole() -> None:
    made = plan(models.QWEN2_VL_7B, "--gpu-memory-utilization=0.9")
    assert not made.has("--kv-cache-memory-bytes")
    high = ENGINE.estimate(models.QWEN2_VL_7B, made, install()).high
    assert abs(high - 0.9 * device().memory_total) < 4
    small = plan(models.QWEN2_VL_7B, "--gpu-memory-utilization=0.25")
    assert int(small.value("--max-model-len") or 0) < 20480


def test_a_cache_of_the_user_must_hold_one_request() -> None:
    shorter = plan(models.QWEN2_VL_7B, "--kv-cache-memory-bytes=512M", "--mm-processor-kwargs.max_pixels=602112")
    assert shorter.refusals == ()
    assert shorter.value("--kv-cache-memory-bytes") == str(512 << 20)
    assert int(shorter.value("--max-model-len") or 0) * 56 * 1024 <= 512 << 20
    (refused,) = refusals(models.QWEN2_VL_7B, "--kv-cache-memory-bytes=512M", "--max-model-len=32k")
    assert refused.code is ReasonCode.CACHE_TOO_SMALL
    assert (
        refusals(models.QWEN2_VL_7B, f"--kv-cache-memory-bytes={refused.params['bytes']}", "--max-model-len=32k") == []
    )


def test_pictures_of_the_user_are_estimated() -> None:
    def high(*parameters: str) -> int:
        return ENGINE.estimate(models.PHI_3_5, plan(models.PHI_3_5, "--max-model-len=8192", *parameters)).total

    assert high("--mm-processor-kwargs.num_crops=16") > high("--mm-processor-kwargs.num_crops=4") == high()


def test_the_command_line() -> None:
    made = launch(QWEN, "--max-model-len=8k", "--cudagraph-capture-sizes 1 2 4")
    assert made.argv[:3] == ("/engines/0.33.0/bin/vllm", "serve", "/store/m")
    pairs = set(pairwise(made.argv))
    assert {("--served-model-name", "public"), ("--host", "127.0.0.1"), ("--port", "4242")} <= pairs
    assert "--max-model-len=8000" in made.argv
    assert made.argv[made.argv.index("--cudagraph-capture-sizes") :][1:4] == ("1", "2", "4")
    assert (made.wants_key, made.key_variable) == (True, "VLLM_API_KEY")
    assert made.env["HF_HUB_OFFLINE"] == made.env["VLLM_NO_USAGE_STATS"] == "1"
    assert "--enable-force-include-usage" in made.argv
    assert made.env["CUDA_VISIBLE_DEVICES"] == "GPU-0"
    assert not any("/run/key" in word for word in (*made.argv, *made.env.values()))


def test_gpus_are_named_by_number_where_it_is_known() -> None:
    numbered = Machine(physical_cores=1, gpus=("GPU-a", "GPU-b"), gpu_numbers=(2, 3), device=device())
    assert launch(on=numbered).env["CUDA_VISIBLE_DEVICES"] == "2,3"


def test_on_the_cpu() -> None:
    cpu = Machine(physical_cores=8, device=device(64, "CPU", DeviceKind.CPU))
    made = plan(models.QWEN2_VL_7B, on=cpu, program=install("0.32.0", None))
    assert {"--enforce-eager", "--kv-cache-memory-bytes"} <= set(values(made))
    assert not made.has("--gpu-memory-utilization")
    estimate = ENGINE.estimate(models.QWEN2_VL_7B, made, install("0.32.0", None))
    names = {item.item for item in estimate.device_items}
    assert "server_host" in names
    assert names.isdisjoint({"cuda_graphs", "non_torch"})
    old = launch(on=cpu, version="0.10.2")
    assert not any(word.startswith("--kv-cache-memory-bytes") for word in old.argv)
    assert int(old.env["VLLM_CPU_KVCACHE_SPACE"]) >= 1
    assert launch(on=cpu).env["CUDA_VISIBLE_DEVICES"] == ""


def test_devices_of_a_program() -> None:
    assert ENGINE.device_kinds(None) == (DeviceKind.NVIDIA,)
    assert ENGINE.device_kinds(install()) == (DeviceKind.NVIDIA,)
    assert ENGINE.device_kinds(install(kind=None)) == (DeviceKind.CPU,)


def test_the_version_follows_from_the_architecture() -> None:
    old, new, newest = install("0.10.2"), install("0.32.0"), install("0.33.0")
    assert ENGINE.choose_install(models.LLAMA_3_2, [newest, old, new], None) == old
    assert ENGINE.choose_install(models.QWEN2_VL_7B, [new, old, newest], None) == newest
    assert ENGINE.choose_install(models.QWEN2_VL_7B, [new, old, newest], "0.10.2") == old
    for installs, wanted in (([new], None), ([new, old], "0.32.0"), ([], "0.33.0")):
        refused = ENGINE.choose_install(models.LLAMA_3_2, installs, wanted)
        assert isinstance(refused, Reason)
        assert refused.code is ReasonCode.ARCHITECTURE_DROPPED
        assert "0.10.2" in explain(refused, "en").remedy
    missing = ENGINE.choose_install(models.LLAMA_3_2, [], None)
    assert isinstance(missing, Reason)
    assert missing.code is ReasonCode.ENGINE_NOT_INSTALLED
    assert "0.10.2" in explain(missing, "en").remedy
    (refused,) = refusals(models.LLAMA_3_2, program=new)
    assert refused.code is ReasonCode.ARCHITECTURE_DROPPED
