"""llama.cpp's planned arguments as the memory estimate sees them."""

import pytest

from aimindserve.domain.facts import ModelFacts, ModelFormat, ModelPart, VisionFacts, WeightGroup
from aimindserve.domain.nodes import EngineInstall
from aimindserve.domain.runs import LlamaRun
from aimindserve.domain.units import GIB, MIB
from aimindserve.engines._base import Machine
from aimindserve.engines.llama_cpp import LlamaCpp
from aimindserve.engines.llama_memory import llama_run, seen_by

FACTS = ModelFacts(
    format=ModelFormat.GGUF,
    architecture="qwen2vl",
    name="m",
    files=(),
    context_length=32768,
    layers=28,
    capabilities=("chat", "vision"),
    vision=VisionFacts(kind="qwen2vl_merger"),
    projector_bytes=GIB,
    weights=(
        WeightGroup(part=ModelPart.LAYERS, dtype="Q4_K", elements=256, bytes=144),
        WeightGroup(part=ModelPart.VISION, dtype="F16", elements=1, bytes=2),
    ),
)
CPU, GPU = Machine(physical_cores=8), Machine(physical_cores=8, gpus=("GPU-1",))


def run(*given: str, machine: Machine = GPU, version: str = "b11434", flavour: str = "llama-server") -> LlamaRun:
    install = EngineInstall(engine="llama.cpp", flavour=flavour, version=version, path="/bin/x")
    return llama_run(FACTS, LlamaCpp().plan(FACTS, given, {}, machine, install), install)


def test_what_is_planned_without_wishes() -> None:
    assert run(machine=CPU) == LlamaRun(16384, slots=2, gpu_layers=0, build=11434, prompt_cache_bytes=GIB // 2)
    assert run() == LlamaRun(32768, slots=4, gpu=True, build=11434, prompt_cache_bytes=GIB // 2)


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        (("--ctx-size=0",), "context_tokens", 32768),
        (("--parallel=-1",), "slots", 4),
        (("--parallel=-1",), "unified_cache", True),
        (("--kv-unified",), "unified_cache", True),
        (("--ubatch-size=64",), "batch_tokens", 64),
        (("--n-gpu-layers=10",), "gpu_layers", 10),
        (("--n-gpu-layers=29",), "gpu_layers", None),
        (("--n-gpu-layers=0",), "gpu", False),
        (("--flash-attn=off",), "flash_attention", False),
        (("--flash-attn=auto",), "flash_attention", True),
        (("--cache-type-k=q8_0",), "cache_types", ("q8_0", "f16")),
        (("--image-max-tokens=1024",), "image_tokens", 1024),
        (("--no-mmproj-offload",), "projector_on_gpu", False),
        (("--no-mmap",), "mmap", False),
        (("--cache-ram=100",), "prompt_cache_bytes", 100 * MIB),
        (("--cache-ram=0",), "prompt_cache_bytes", 0),
    ],
)
def test_what_is_given(given: tuple[str, ...], field: str, value: object) -> None:
    assert getattr(run(*given), field) == value


@pytest.mark.parametrize(
    ("flavour", "version", "build"),
    [
        ("llama-server", "b9449", 9449),
        ("llama-server", "9272 (1d7ab2b94)", 9272),
        ("xllamacpp", "2026.10.11549", 11549),
        ("llama-box", "0.0.169", 0),
        ("llama-server", "1", None),
    ],
)
def test_builds(flavour: str, version: str, build: int | None) -> None:
    assert run(flavour=flavour, version=version).build == build


def test_a_model_without_its_projector() -> None:
    plan = LlamaCpp().plan(FACTS, ("--no-mmproj",), {}, GPU)
    blind = seen_by(FACTS, plan)
    assert (blind.vision, blind.projector_bytes, [group.part for group in blind.weights]) == (None, 0, ["layers"])
    assert seen_by(FACTS, LlamaCpp().plan(FACTS, (), {}, GPU)) is FACTS
