"""What an engine took, read once it serves: by the node, from the log and from the system."""

import os
import subprocess
import sys
from collections.abc import Collection, Mapping

import pytest
from tests.node.world import World, gone, probe_devices, ready, seen, until, world

from aimindserve.domain.lessons import Correction, Lessons
from aimindserve.domain.measured import TOTAL, Measurement
from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.replicas import Claim, DesiredReplica, ReplicaObservation
from aimindserve.domain.units import MIB
from aimindserve.node.agent import NodeAgent
from aimindserve.node.measuring import no_process_memory
from aimindserve.node.processes import session_of

__all__ = ["world"]

HELD: dict[str, int] = {CPU_DEVICE_ID: 300 * MIB, "GPU-1": 700 * MIB, "GPU-2": 5}
asked: list[Collection[int]] = []


def held_by(pids: Collection[int]) -> Mapping[str, int]:
    asked.append(pids)
    return HELD


@pytest.fixture(autouse=True)
def telling(world: World) -> None:
    """The node's system tells what processes hold."""
    world.process_memory = held_by
    asked.clear()


async def measured(agent: NodeAgent, replica: DesiredReplica) -> tuple[ReplicaObservation, Measurement]:
    there = await seen(agent, replica.id, lambda one: one.measured is not None)
    assert there.measured is not None
    return there, there.measured


def sizes(what: Measurement) -> dict[tuple[str, str], int]:
    return {(one.device_id, one.item): one.bytes for one in what.items}


async def test_figures_of_the_log_and_of_the_system(world: World) -> None:
    replica = world.replica(parameters=("--ctx-size=4096",))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        there, what = await measured(agent, replica)
        assert (what.attempt, what.engine, what.version, what.on_gpu) == (1, "llama.cpp", "11434", False)
        assert sizes(what) == {
            (CPU_DEVICE_ID, "weights"): round(3.47 * MIB),
            (CPU_DEVICE_ID, "kv_cache"): 8 * MIB,
            (CPU_DEVICE_ID, "compute"): round(11.03 * MIB),
            (CPU_DEVICE_ID, "projector"): round(1.8 * MIB),
            (CPU_DEVICE_ID, "vision_compute"): round(35.65 * MIB),
            (CPU_DEVICE_ID, TOTAL): 300 * MIB,
        }
        assert there.pid in asked[0]


async def test_on_gpus_the_driver_counts(world: World) -> None:
    claims = tuple(Claim(device_id=device, bytes=1) for device in ("GPU-1", CPU_DEVICE_ID))
    replica = world.replica(claims=claims)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        _, what = await measured(agent, replica)
        assert what.on_gpu
        found = sizes(what)
        assert found["GPU-1", TOTAL] == 700 * MIB
        assert found[CPU_DEVICE_ID, TOTAL] == 300 * MIB
        assert ("GPU-2", TOTAL) not in found
        assert (CPU_DEVICE_ID, "weights_host") in found


async def test_a_restarted_agent_still_knows_and_does_not_measure_again(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        _, before = await measured(agent, replica)
        await until("it is kept", lambda: world.folder(replica).progress().measured == before)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        again = await ready(agent, replica)
        assert again.measured == before
        assert len(asked) == 1
        await agent.sync(world.desired())
        await gone(agent, replica)


async def test_each_start_is_measured(world: World) -> None:
    world.engine("--fake-crash-after", "0.2", "--fake-fail-times", "1", "--fake-state", str(world.root / "state"))
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        last = await seen(agent, replica.id, lambda one: one.measured is not None and one.measured.attempt == 2)
        assert last.attempt == 2


async def test_what_placement_heeded_reaches_the_engine(world: World) -> None:
    """The same plan on the node as where it was placed: half the requests at a time."""
    raised = Correction(item="kv_cache", factor=1.25, origin="failed")
    lessons = Lessons(corrections=(raised,), sequences=1, context=1024)
    replica = world.replica(lessons=lessons)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await ready(agent, replica)
        plan = world.folder(replica).plan()
        assert plan is not None
        words = list(plan.argv)
        assert words[words.index("--parallel") + 1] == "1"
        assert words[words.index("--ctx-size") + 1] == "1024"
        assert words[words.index("--log-verbosity") + 1] == "4"


def test_an_engine_s_workers_are_of_its_session() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={})
    try:
        assert {os.getpid(), child.pid} <= set(session_of(os.getpid()))
        assert session_of(2**22 + 1) == []
    finally:
        child.communicate(b"\n")


def test_where_the_system_tells_nothing() -> None:
    assert no_process_memory([1]) == {}
    assert probe_devices()[0][0].id == CPU_DEVICE_ID
