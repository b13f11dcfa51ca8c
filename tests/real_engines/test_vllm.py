"""A real vLLM, on the CPU too: tiny models answer about pictures through everything of the node, and its parser takes
what the product knows of it. Run by ``make test-engines``, which installs vLLM for the CPU; another one is taken with
``AIMINDSERVE_VLLM=/path/of/bin/vllm``."""

import asyncio
import subprocess
from pathlib import Path

import psutil
import pytest
from tests.gpu.asking import ask_about_picture
from tests.node.world import World, gone, seen, world

from aimindserve.devices.cpu import Cpu
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.measured import TOTAL
from aimindserve.domain.nodes import CPU_DEVICE_ID, EngineInstall
from aimindserve.domain.replicas import Claim, ReplicaState
from aimindserve.domain.units import GIB
from aimindserve.engines._base import Machine
from aimindserve.engines.vllm import Vllm
from aimindserve.engines.vllm_data import READ
from aimindserve.node.processes import processes_of
from aimindserve.node.vllm_programs import vllm_programs
from aimindserve.sources._hf_folder import resolve_hf_folder

__all__ = ["world"]

pytestmark = pytest.mark.engines
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300.0
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture
def install(program: Path, world: World) -> EngineInstall:
    """The program as the node finds it: in the data folder."""
    folder = world.config.engines / "vllm" / "real" / "bin"
    folder.mkdir(parents=True)
    (folder / "vllm").symlink_to(program)
    return vllm_programs(world.config.engines)[0]


def python_of(program: Path) -> str:
    """The interpreter of its environment."""
    return program.read_bytes().split(b"\n", 1)[0].removeprefix(b"#!").decode().strip()


@pytest.fixture(scope="module")
def models(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    command = [python_of(program), str(ROOT / "tests" / "support" / "tiny_checkpoints.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    return folder


def test_the_parser_is_as_it_was_read(program: Path, install: EngineInstall) -> None:
    if install.version not in READ:
        pytest.skip(f"vLLM {install.version} was not read; these were: {', '.join(READ)}")
    script = str(ROOT / "scripts" / "extract_vllm_flags.py")
    command = [python_of(program), script, "--version", install.version]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
    data = ROOT / "src" / "aimindserve" / "engines" / "data" / f"vllm-{install.version}.json"
    assert done.stdout == data.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("qwen2_vl", ()),
        ("pixtral", ("--tokenizer-mode=mistral", "--limit-mm-per-prompt=image=4")),
        ("qwen2_vl", ("--enforce-eager", "--max-num-seqs=16", "--max-model-len=8192")),
    ],
)
async def test_a_picture_is_seen(
    world: World, install: EngineInstall, models: Path, name: str, parameters: tuple[str, ...]
) -> None:
    world.process_memory = Cpu().used_by
    facts = resolve_hf_folder(models / name)
    claim = Claim(device_id=CPU_DEVICE_ID, bytes=16 * GIB)
    replica = world.replica(engine="vllm", facts=facts, parameters=parameters, env=ONE_THREAD, claims=(claim,))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        there = await seen(agent, replica.id, lambda o: o.state is ReplicaState.READY, PATIENCE)
        assert there.port is not None
        for pictures in (1, 2):
            usage = await asyncio.to_thread(ask_about_picture, there.port, there.engine_key, pictures)
            assert usage["completion_tokens"] == 8
            assert usage["prompt_tokens"] > 60 * pictures
        measured = (await seen(agent, replica.id, lambda o: o.measured is not None, PATIENCE)).measured
        assert measured is not None
        assert measured.cache_tokens, "the log tells how many tokens the cache holds"
        assert any(one.item == TOTAL and one.bytes > GIB for one in measured.items), "with all its workers"
        held = sum(psutil.Process(process.pid).memory_info().rss for process in processes_of(replica.id))
        assert held <= estimated(facts, parameters, install)
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert processes_of(replica.id) == []


def estimated(facts: ModelFacts, parameters: tuple[str, ...], install: EngineInstall) -> int:
    """Bytes that the recipe thinks are enough."""
    plan = Vllm().plan(facts, parameters, {}, Machine(physical_cores=1), install)
    return Vllm().estimate(facts, plan, install).high
