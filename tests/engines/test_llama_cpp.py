"""The recipe of llama.cpp: parameters, dialects and command lines."""

from collections.abc import Mapping
from typing import Any

import pytest

from aimindserve.domain.explanations import Why, sentence
from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.nodes import DeviceKind, EngineInstall
from aimindserve.domain.params import Origin
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.engines._base import Launch, LaunchOrder, Machine
from aimindserve.engines._registry import ENGINES, choose_engine
from aimindserve.engines.llama_cpp import LlamaCpp, choose_threads

FACTS = ModelFacts(
    format=ModelFormat.GGUF,
    architecture="qwen2vl",
    name="model",
    files=(
        ModelFile(path="/m/model.gguf", role=FileRole.WEIGHTS, size=10),
        ModelFile(path="/m/mmproj.gguf", role=FileRole.PROJECTOR, size=5),
    ),
    context_length=32768,
    layers=28,
    heads=12,
    kv_heads=2,
    head_size=128,
    weight_bytes=1 << 30,
)
ENGINE = LlamaCpp()
MACHINE = Machine(physical_cores=8)


def install(flavour: str, version: str = "11434", **more: Any) -> EngineInstall:
    """An engine program."""
    return EngineInstall(engine="llama.cpp", flavour=flavour, version=version, path=f"/bin/{flavour}", **more)


def launch(
    *parameters: str, program: EngineInstall | None = None, facts: ModelFacts = FACTS, machine: Machine = MACHINE
) -> Launch:
    """The command line with a user's parameters."""
    return ENGINE.launch(
        LaunchOrder(
            facts=facts,
            parameters=parameters,
            env={},
            machine=machine,
            install=program or install("llama-server"),
            alias="public",
            port=4242,
            key_file="/run/key",
        )
    )


def flags(command: Launch) -> dict[str, str | None]:
    """Flags of a command line with their values."""
    found: dict[str, str | None] = {}
    name = ""
    for word in command.argv[1:]:
        if word.startswith("-"):
            name = word
            found[name] = None
        else:
            found[name] = word
    return found


def refusals(*parameters: str, flavour: str = "llama-server", env: Mapping[str, str] | None = None) -> list[Reason]:
    """Why parameters are refused."""
    return list(ENGINE.plan(FACTS, parameters, env or {}, MACHINE, install(flavour)).refusals)


def test_the_command_line_of_llama_server() -> None:
    given = flags(launch())
    assert (
        given
        | {
            "--model": "/m/model.gguf",
            "--mmproj": "/m/mmproj.gguf",
            "--alias": "public",
            "--host": "127.0.0.1",
            "--port": "4242",
            "--api-key-file": "/run/key",
            "--ctx-size": "16384",
            "--parallel": "2",
            "--threads": "7",
            "--threads-batch": "7",
            "--n-gpu-layers": "0",
            "--metrics": None,
            "--jinja": None,
        }
        == given
    )


def test_llama_box_has_no_key_and_its_own_words() -> None:
    limited = FACTS.model_copy(update={"image_tokens_min": 16, "image_tokens_max": 16})
    command = launch("--flash-attn=on", "--load-mode=mlock", program=install("llama-box"), facts=limited)
    given = flags(command)
    assert not command.wants_key
    assert "--api-key-file" not in given
    assert "--image-max-tokens" not in given
    assert given["--visual-max-image-size"] == "112"
    assert given["--flash-attn"] is None
    assert "--mlock" in given


def test_the_embedded_server_runs_in_python() -> None:
    command = launch(program=install("xllamacpp"))
    assert command.argv[:4] == ("/bin/xllamacpp", "-P", "-m", "aimindserve.node.llama_server")


@pytest.mark.parametrize(
    ("given", "version", "spoken"),
    [
        ("--no-mmap", "11434", ("--load-mode", "none")),
        ("--mlock", "b12000", ("--load-mode", "mmap+mlock")),
        ("--no-mmap", "5000", ("--no-mmap", None)),
        ("--load-mode=none", "5000", ("--no-mmap", None)),
        ("--load-mode=none", "unknown", ("--load-mode", "none")),
        ("--no-flash-attn", "5000", ("--flash-attn", "off")),
    ],
)
def test_words_of_different_versions(given: str, version: str, spoken: tuple[str, str | None]) -> None:
    found = flags(launch(given, program=install("llama-server", version)))
    assert spoken[0] in found
    assert found[spoken[0]] == spoken[1]


def test_yours_win_and_say_so() -> None:
    plan = ENGINE.plan(FACTS, ("-c", "4096", "--threads=3"), {}, MACHINE)
    by_flag = {item.flag: item for item in plan.parameters}
    assert by_flag["--ctx-size"].value == "4096"
    assert by_flag["--ctx-size"].origin is Origin.YOURS
    assert by_flag["--threads"].origin is Origin.YOURS
    assert by_flag["--threads-batch"].value == "3"
    assert len(by_flag) == len(plan.parameters)


def test_what_is_derived_says_why() -> None:
    plan = ENGINE.plan(FACTS, (), {}, MACHINE)
    for item in plan.parameters:
        assert item.origin in {Origin.DERIVED, Origin.DEFAULT}
        assert sentence(item.why, "en")
        assert sentence(item.why, "zh")
    why = {item.flag: item.why.code for item in plan.parameters}
    assert why["--ctx-size"] == Why.CONTEXT_CAPPED
    assert why["--threads"] == Why.THREADS_FROM_CORES


@pytest.mark.parametrize(("parallel", "context"), [("1", "8192"), ("4", "32768"), ("-1", "16384")])
def test_each_request_gets_the_whole_context(parallel: str, context: str) -> None:
    assert flags(launch(f"--parallel={parallel}"))["--ctx-size"] == context


def test_a_small_model_gets_the_context_it_was_trained_on() -> None:
    small = FACTS.model_copy(update={"context_length": 2048})
    plan = ENGINE.plan(small, (), {}, MACHINE)
    assert plan.value("--ctx-size") == "4096"
    assert next(i for i in plan.parameters if i.flag == "--ctx-size").why.code == Why.CONTEXT_FROM_MODEL


def test_gpus_are_used_where_they_are_claimed() -> None:
    command = launch(machine=Machine(physical_cores=8, gpus=("GPU-1", "GPU-2")))
    assert flags(command)["--n-gpu-layers"] == "999"
    assert command.env["CUDA_VISIBLE_DEVICES"] == "GPU-1,GPU-2"
    assert launch().env["CUDA_VISIBLE_DEVICES"] == ""


@pytest.mark.parametrize(("cores", "setting", "threads"), [(1, None, 1), (2, None, 1), (64, None, 16), (8, 3, 3)])
def test_threads(cores: int, setting: int | None, threads: int) -> None:
    assert choose_threads(Machine(physical_cores=cores, threads=setting))[0] == threads


@pytest.mark.parametrize(
    ("parameter", "code"),
    [
        ("--port=1", ReasonCode.PARAMETER_MANAGED),
        ("-m=/etc/passwd", ReasonCode.PARAMETER_MANAGED),
        ("--api_key=x", ReasonCode.PARAMETER_MANAGED),
        ("--hos=0.0.0.0", ReasonCode.PARAMETER_MANAGED),
        ("--rpc=evil:1", ReasonCode.PARAMETER_DENIED),
        ("--slot_save_path=/", ReasonCode.PARAMETER_DENIED),
        ("--log-file /etc/cron.d/x", ReasonCode.PARAMETER_DENIED),
        ("-hf=org/repo", ReasonCode.PARAMETER_DENIED),
        ("--ctx-sise=5", ReasonCode.PARAMETER_UNKNOWN),
        ("words", ReasonCode.PARAMETER_UNKNOWN),
        ("--ctx-size=x", ReasonCode.PARAMETER_VALUE),
    ],
)
def test_refused_parameters_say_what_to_do(parameter: str, code: ReasonCode) -> None:
    (why,) = refusals(parameter)
    assert why.code == code
    for language in ("en", "zh"):
        told = explain(why, language)
        assert told.message
        assert told.remedy


@pytest.mark.parametrize(
    ("flavour", "parameter", "nearest"),
    [
        ("llama-server", "--visual-max-image-size=448", "--image-max-tokens"),
        ("llama-box", "--image-max-tokens=16", "--visual-max-image-size"),
        ("xllamacpp", "--device=CUDA0", ""),
    ],
)
def test_what_another_dialect_takes_is_unknown_here(flavour: str, parameter: str, nearest: str) -> None:
    (why,) = refusals(parameter, flavour=flavour)
    assert why.code == ReasonCode.PARAMETER_UNKNOWN
    assert nearest in str(why.params["nearest"])
    assert why.params["engine"] == flavour


@pytest.mark.parametrize(
    "name",
    [
        "LD_PRELOAD",
        "PYTHONPATH",
        "LLAMA_ARG_HOST",
        "GGML_BACKEND_PATH",
        "OMP_TOOL_LIBRARIES",
        "HF_TOKEN",
        "CUDA_INJECTION64_PATH",
        "CUDA_VISIBLE_DEVICES",
        "PATH",
        "GGML_CUDA_SOME_PATH",
        "AIMINDSERVE_REPLICA",
    ],
)
def test_dangerous_variables_are_refused(name: str) -> None:
    assert [why.params["name"] for why in refusals(env={name: "x"})] == [name]


def test_harmless_variables_pass() -> None:
    assert refusals(env={"OMP_NUM_THREADS": "1", "TZ": "UTC", "GGML_CUDA_FORCE_MMQ": "1"}) == []


def test_the_schema_offers_what_may_be_set_and_nothing_else() -> None:
    properties: Any = ENGINE.parameter_schema("llama-server")["properties"]
    assert properties["--ctx-size"]["type"] == "integer"
    assert properties["--cache-type-k"]["enum"]
    assert not {"--port", "--model", "--rpc", "--visual-max-image-size"} & set(properties)
    assert "--tensor-split" not in ENGINE.parameter_schema("xllamacpp")["properties"]  # type: ignore[operator]


def test_memory_follows_the_context() -> None:
    small = ENGINE.estimate(FACTS, ENGINE.plan(FACTS, ("--ctx-size=512",), {}, MACHINE)).total
    large = ENGINE.estimate(FACTS, ENGINE.plan(FACTS, ("--ctx-size=2000000000",), {}, MACHINE)).total
    assert small < large
    assert large > 1 << 40


def test_devices_of_a_program() -> None:
    assert ENGINE.device_kinds(install("xllamacpp")) == (DeviceKind.CPU,)
    gpu = install("llama-server", gpu_kinds=(DeviceKind.NVIDIA,))
    assert ENGINE.device_kinds(gpu) == (DeviceKind.NVIDIA, DeviceKind.CPU)


def test_the_engine_is_chosen_by_format() -> None:
    assert choose_engine("auto", FACTS) is ENGINES["llama.cpp"]
    tensors = FACTS.model_copy(update={"format": ModelFormat.SAFETENSORS})
    assert choose_engine("auto", tensors) is ENGINES["vllm"]
    for wanted, given, other in (("llama.cpp", tensors, "vllm"), ("vllm", FACTS, "llama.cpp")):
        refused = choose_engine(wanted, given)
        assert isinstance(refused, Reason)
        assert refused.code is ReasonCode.ENGINE_CANNOT_RUN
        assert other in explain(refused, "en").remedy
