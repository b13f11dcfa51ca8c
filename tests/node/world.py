"""A node in a temporary folder with an emulated engine, for tests of everything about processes."""

import asyncio
import contextlib
import os
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_engine import fake_llama_server

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.nodes import CPU_DEVICE_ID, Device, DeviceKind
from aimindserve.domain.replicas import Claim, DesiredReplica, DesiredState, ReplicaObservation, ReplicaState
from aimindserve.node.agent import NodeAgent
from aimindserve.node.config import NodeConfig
from aimindserve.node.folder import ReplicaFolder
from aimindserve.node.measuring import ProcessMemory, no_process_memory
from aimindserve.node.processes import kill, processes_of

PATIENCE = 30.0
GIB = 1 << 30
NODE = "node-1"
CPU = Device(
    id=CPU_DEVICE_ID, kind=DeviceKind.CPU, name="cpu", memory_total=GIB, memory_free=GIB, allocatable=GIB, cores=2
)


def probe_devices() -> tuple[list[Device], list[Any]]:
    """One CPU and nothing to remark."""
    return [CPU], []


def model_in(folder: Path) -> ModelFacts:
    """Facts of a model whose files exist; what is in them does not matter to the emulated engine."""
    files: list[ModelFile] = []
    for name, role in (("model.gguf", FileRole.WEIGHTS), ("mmproj.gguf", FileRole.PROJECTOR)):
        path = folder / name
        path.write_bytes(b"GGUF" + bytes(60))
        files.append(ModelFile(path=str(path), role=role, size=64))
    return ModelFacts(
        format=ModelFormat.GGUF,
        architecture="qwen2vl",
        name="model",
        files=tuple(files),
        capabilities=("chat", "vision"),
        context_length=4096,
    )


class World:
    """One data folder. ``engine`` chooses how the emulated engine behaves from then on."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.facts = model_in(root)
        self.ids: list[str] = []
        self.process_memory: ProcessMemory = no_process_memory
        self.revision = 0
        self.program = root / "llama-server"
        self.engine()
        self.config = NodeConfig(
            node_id=NODE,
            data_dir=root / "data",
            llama_server=str(self.program),
            backoff_first=0.05,
            backoff_cap=0.4,
            stop_grace=5.0,
            probe_interval=0.02,
            health_interval=0.1,
            probe_timeout=1.0,
        )

    def engine(self, *options: str) -> None:
        """The emulated engine with these options."""
        fake_llama_server(self.root, *options)

    def patient(self, **changes: Any) -> None:
        """Other settings of the node."""
        self.config = replace(self.config, **changes)

    def replica(self, **changes: Any) -> DesiredReplica:
        """A new replica of the model."""
        replica_id = f"r-{uuid.uuid4().hex[:12]}"
        self.ids.append(replica_id)
        fields: dict[str, Any] = {
            "id": replica_id,
            "deployment_id": "d-1",
            "model": "tiny",
            "generation": 1,
            "engine": "llama.cpp",
            "engine_version": None,
            "facts": self.facts,
            "parameters": (),
            "env": {},
            "claims": (Claim(device_id=CPU_DEVICE_ID, bytes=1),),
        }
        return DesiredReplica(**fields | changes)

    def desired(self, *replicas: DesiredReplica) -> DesiredState:
        """The next desired state."""
        self.revision += 1
        return DesiredState(node_id=NODE, revision=self.revision, replicas=replicas)

    def folder(self, replica: DesiredReplica) -> ReplicaFolder:
        """Where a replica keeps its files."""
        return ReplicaFolder(self.config.replicas, replica.id)

    @contextlib.asynccontextmanager
    async def agent(self) -> AsyncIterator[NodeAgent]:
        """A running agent. At the end it is cancelled, as when the server stops; engines stay."""
        agent = NodeAgent(self.config, probe_devices, self.process_memory)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(agent.run())
            try:
                yield agent
            finally:
                running.cancel()

    def clear(self) -> None:
        """No process of this world survives its test."""
        for replica_id in self.ids:
            for process in processes_of(replica_id):
                kill(process)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.clear()


async def seen(
    agent: NodeAgent, replica_id: str, wanted: Callable[[ReplicaObservation], bool], patience: float = PATIENCE
) -> ReplicaObservation:
    """The first observation of a replica that is as wanted."""
    change, last = 0, None
    try:
        async with asyncio.timeout(patience):
            while True:
                change = await agent.wait_change(change)
                last = next((r for r in (await agent.report()).replicas if r.id == replica_id), None)
                if last is not None and wanted(last):
                    return last
    except TimeoutError:
        pytest.fail(f"not seen within {patience} s; last: {last}")


async def ready(agent: NodeAgent, replica: DesiredReplica) -> ReplicaObservation:
    """The replica once it serves."""
    return await seen(agent, replica.id, lambda o: o.state is ReplicaState.READY)


async def failing(agent: NodeAgent, replica: DesiredReplica, code: str) -> ReplicaObservation:
    """The replica once it failed with this reason."""
    states = (ReplicaState.BACKOFF, ReplicaState.FAILED)
    return await seen(agent, replica.id, lambda o: o.state in states and o.reason is not None and o.reason.code == code)


async def gone(agent: NodeAgent, replica: DesiredReplica) -> None:
    """Wait until the node does not list the replica."""
    change = 0
    async with asyncio.timeout(PATIENCE):
        while True:
            change = await agent.wait_change(change)
            if all(r.id != replica.id for r in (await agent.report()).replicas):
                return


async def until(what: str, ask: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until ``ask`` says yes."""
    try:
        async with asyncio.timeout(patience):
            while not ask():  # noqa: ASYNC110 - processes tell nobody
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"not within {patience} s: {what}")


def alive(pid: int | None) -> bool:
    """Whether a process with this pid exists and is no zombie."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def engines_of(replica_id: str) -> list[int]:
    """Pids of a replica's engine and its children, without the shim."""
    return [process.pid for process in processes_of(replica_id) if b"shim.py" not in command_line(process.pid)]


def kill_pid(pid: int | None, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a process of the test's own making."""
    assert pid is not None
    os.kill(pid, number)


def command_line(pid: int) -> bytes:
    """The arguments of a process, each ended by a zero byte."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()
