"""The real llama.cpp server, embedded, with the demo model: it describes a picture through everything of the node."""

import asyncio
import base64
import io
import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from tests.node.world import World, alive, failing, gone, ready, seen, world

from aimindserve.devices.cpu import Cpu
from aimindserve.devices.machine import MachineProbe
from aimindserve.domain.facts import FileRole, ModelFacts
from aimindserve.domain.measured import TOTAL, compare
from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import Claim, ReplicaObservation, ReplicaState
from aimindserve.domain.sight_pictures import SightKind
from aimindserve.domain.source import parse_source
from aimindserve.domain.units import GIB
from aimindserve.engines._base import Machine
from aimindserve.engines.llama_cpp import LlamaCpp
from aimindserve.node.llama_server import package_version
from aimindserve.sources._base import Asking
from aimindserve.sources.demo import DemoSource

__all__ = ["world"]

pytestmark = pytest.mark.skipif(package_version() is None, reason="the package xllamacpp is not installed")


@pytest.fixture(scope="module")
def facts() -> ModelFacts:
    return DemoSource().resolve(parse_source("demo://tiny-vlm"), Asking())


def circle(colour: str, side: int) -> str:
    """A filled circle on white as a data URI."""
    picture = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(picture).ellipse([side // 4, side // 4, side * 3 // 4, side * 3 // 4], fill=colour)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def ask(serving: ReplicaObservation, question: str, picture: str) -> str:
    """The engine's answer to a question about a picture."""
    content = [{"type": "image_url", "image_url": {"url": picture}}, {"type": "text", "text": question}]
    body = {"model": "tiny", "temperature": 0, "max_tokens": 32, "messages": [{"role": "user", "content": content}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{serving.port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {serving.engine_key}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(json.load(answer)["choices"][0]["message"]["content"])


async def test_a_picture_is_seen(world: World, facts: ModelFacts) -> None:
    world.patient(llama_server=None)
    replica = world.replica(facts=facts)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        serving = await ready(agent, replica)
        assert (await agent.report()).facts.engines[0].flavour == "xllamacpp"
        assert serving.sight is not None
        assert [(check.kind, check.right) for check in serving.sight.checks] == [(kind, True) for kind in SightKind]
        for colour in ("red", "blue"):
            for side in (112, 640):
                picture = circle(colour, side)
                told = await asyncio.to_thread(ask, serving, "What colour is the circle?", picture)
                assert colour in told.lower(), (side, told)
        log = await agent.read_log(replica.id, 1, 0)
        assert log is not None
        assert "listening on" in log.text
        assert "What colour" not in log.text, "what people write stays out of the log"
        assert serving.engine_key not in log.text
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert not alive(serving.pid)


async def test_its_memory_is_read_and_near_the_estimate(world: World, facts: ModelFacts) -> None:
    world.patient(llama_server=None)
    world.process_memory = MachineProbe([Cpu()]).used_by
    replica = world.replica(facts=facts, claims=(Claim(device_id=CPU_DEVICE_ID, bytes=2 * GIB),))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        there = await seen(agent, replica.id, lambda one: one.measured is not None)
        install = (await agent.report()).facts.engines[0]
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert there.measured is not None
    assert (there.measured.engine, there.measured.version) == ("llama.cpp", install.version)
    machine = Machine(physical_cores=2, budget=2 * GIB)
    plan = LlamaCpp().plan(facts, (), {}, machine, install)
    found = {one.item: one for one in compare(LlamaCpp().estimate(facts, plan, install), there.measured)}
    assert set(found) == {"weights", "projector", "kv_cache", "compute", "vision_compute", TOTAL}
    for item, share in (("weights", 0.01), ("projector", 0.06), ("kv_cache", 0.001)):
        assert found[item].measured == pytest.approx(found[item].estimated, rel=share), item
    for one in found.values():
        assert one.high is not None
        assert one.measured <= 1.01 * one.high, one


def limited(folder: Path, kibibytes: int) -> Path:
    """The server with a limit on its memory, so that a cache beyond it is refused at once and nothing else suffers."""
    program = folder / "limited-llama-server"
    run = f'exec "{sys.executable}" -P -m aimindserve.node.llama_server "$@"'
    program.write_text(f"#!/bin/sh\nulimit -v {kibibytes}\n{run}\n")
    program.chmod(0o755)
    return program


async def test_a_start_without_room_names_the_part(world: World, facts: ModelFacts) -> None:
    world.patient(llama_server=str(limited(world.root, 8 << 20)))
    # 40 GB of cache in 8 GiB.
    replica = world.replica(facts=facts, parameters=("--ctx-size=20000000", "--rope-freq-scale=0.0002", "--parallel=1"))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        down = await failing(agent, replica, ReasonCode.START_MEMORY_SHORT)
        assert down.state is ReplicaState.FAILED
        assert down.reason is not None
        assert down.reason.params == {"part": "kv_cache"}


async def _refused(world: World, facts: ModelFacts, code: ReasonCode) -> None:
    world.patient(llama_server=None)
    replica = world.replica(facts=facts)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        assert (await failing(agent, replica, code)).state is ReplicaState.FAILED


def _bytes(facts: ModelFacts, role: FileRole) -> bytes:
    return Path(facts.files_of(role)[0].path).read_bytes()


def _copy(facts: ModelFacts, folder: Path, role: FileRole, data: bytes) -> ModelFacts:
    """The facts with the file of one role replaced by ``data``."""
    changed = folder / f"{role}.gguf"
    changed.write_bytes(data)
    files = tuple(
        file.model_copy(update={"path": str(changed), "size": len(data)}) if file.role is role else file
        for file in facts.files
    )
    return facts.model_copy(update={"files": files})


async def test_a_model_that_was_cut_short(world: World, facts: ModelFacts) -> None:
    whole = _bytes(facts, FileRole.WEIGHTS)
    cut = _copy(facts, world.root, FileRole.WEIGHTS, whole[: len(whole) // 2])
    await _refused(world, cut, ReasonCode.GGUF_CORRUPT)


async def test_an_architecture_that_it_does_not_know(world: World, facts: ModelFacts) -> None:
    whole = _bytes(facts, FileRole.WEIGHTS)
    strange = _copy(facts, world.root, FileRole.WEIGHTS, whole.replace(b"qwen2vl", b"qwen9zz"))
    await _refused(world, strange, ReasonCode.ARCHITECTURE_NOT_SUPPORTED)


async def test_a_projector_in_the_model_s_place(world: World, facts: ModelFacts) -> None:
    projector = _bytes(facts, FileRole.PROJECTOR)
    swapped = _copy(facts, world.root, FileRole.WEIGHTS, projector)
    await _refused(world, swapped, ReasonCode.GGUF_IS_PROJECTOR)


async def test_a_damaged_projector(world: World, facts: ModelFacts) -> None:
    damaged = _copy(facts, world.root, FileRole.PROJECTOR, b"nothing like a projector")
    await _refused(world, damaged, ReasonCode.GGUF_CORRUPT)


def _launcher(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "aimindserve.node.llama_server", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "m", "--prot", "5"), "unknown argument: --prot"),
        (("--model", "m", "--port", "many"), "--port does not take 'many'"),
        (("--model", "m", "--host", "0.0.0.0"), "--host does not take '0.0.0.0'"),
        (("--model", "m", "--rpc", "host:1"), "--rpc is not supported"),
        (("--model", "m", "--api-key-file", "/nonexistent"), "--api-key-file /nonexistent"),
        (("--port", "1"), "--model is required"),
    ],
)
def test_the_launcher_refuses_a_wrong_command_line(arguments: tuple[str, ...], message: str) -> None:
    done = _launcher(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_launcher_loads_nothing_that_it_does_not_need() -> None:
    script = "import sys, aimindserve.node.llama_server; print(sorted({'pydantic', 'asyncio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_launcher_names_its_version() -> None:
    done = _launcher("--version")
    assert (done.returncode, done.stdout) == (0, f"version: {package_version()} (xllamacpp)\n")


def test_the_launcher_fails_clearly_without_a_model() -> None:
    done = _launcher("--model", "/nonexistent.gguf", "--threads", "1")
    assert done.returncode == 1
    assert "error: the model cannot be served" in done.stderr


def test_the_launcher_ends_with_zero_on_term_also_while_it_answers(facts: ModelFacts) -> None:
    model = facts.files_of(FileRole.WEIGHTS)[0].path
    command = [sys.executable, "-P", "-m", "aimindserve.node.llama_server", "--model", model, "--port", "0", "-t", "1"]
    process = subprocess.Popen([*command, "-c", "60000"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().split()[-1]
    assert address.startswith("http://127.0.0.1:")
    body = json.dumps({"prompt": "a", "n_predict": 50000, "ignore_eos": True, "stream": True}).encode()
    with urllib.request.urlopen(f"{address}/completion", body, timeout=60) as stream:
        assert stream.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert time.monotonic() - began < 10, "the engine would be killed by then"
    process.stdout.close()
