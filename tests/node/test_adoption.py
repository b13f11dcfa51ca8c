"""A killed agent leaves engines running; the next one finds them, and there is never a second engine."""

import asyncio
import json
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.agent_process import STEPS
from tests.node.world import World, alive, engines_of, gone, kill_pid, ready, seen, until, world

from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import DesiredReplica, ReplicaState
from aimindserve.node.processes import identify

__all__ = ["world"]

ROOT = Path(__file__).resolve().parents[2]


def _agent_process(world: World, step: str, *replicas: DesiredReplica) -> subprocess.Popen[str]:
    order = world.desired(*replicas)
    arguments = [str(world.root), str(order.revision), step, *(one.model_dump_json() for one in replicas)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.node.agent_process", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("step", STEPS)
async def test_killed_in_the_middle_of_a_start(world: World, step: str) -> None:
    replica = world.replica()
    process = _agent_process(world, step, replica)
    assert await asyncio.to_thread(process.wait, 60) == -9
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        serving = await ready(agent, replica)
        assert engines_of(replica.id) == [serving.pid]
        assert serving.restarts == 0
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert engines_of(replica.id) == []


async def test_killed_again_and_again_at_random(world: World) -> None:
    """Agents that live for a random short time, one after the other; in the end there is one engine."""
    chance, replica = random.Random(11), world.replica()
    for _ in range(8):
        process = _agent_process(world, "ready", replica)
        await asyncio.sleep(chance.uniform(0.2, 1.2))
        process.kill()
        await asyncio.to_thread(process.wait)
        assert len(engines_of(replica.id)) <= 1
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        serving = await ready(agent, replica)
        assert engines_of(replica.id) == [serving.pid]
        assert serving.restarts == 0
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert engines_of(replica.id) == []


async def test_killed_while_the_engine_runs(world: World) -> None:
    replica = world.replica()
    process = _agent_process(world, "ready", replica)
    assert process.stdout is not None
    pid = int(await asyncio.to_thread(process.stdout.readline))
    process.kill()
    await asyncio.to_thread(process.wait)
    assert alive(pid)
    async with world.agent() as agent:
        before = await agent.report()
        assert before.acked_revision == 0
        assert [(one.pid, one.state) for one in before.replicas] == [(pid, ReplicaState.READY)]
        await agent.sync(world.desired(replica))
        serving = await ready(agent, replica)
        assert (serving.pid, serving.attempt, serving.restarts) == (pid, 1, 0)
        assert [mark.stage for mark in serving.timeline].count("healthy") == 1
        assert engines_of(replica.id) == [pid]
        kill_pid(pid)
        again = await seen(agent, replica.id, lambda o: o.state is ReplicaState.READY and o.pid != pid)
        assert again.restarts == 1


async def test_an_engine_that_nobody_wants_any_more_is_stopped(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        first = await ready(agent, replica)
    assert alive(first.pid)
    async with world.agent() as agent:
        assert alive(first.pid)
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert not alive(first.pid)


async def test_an_engine_that_ended_meanwhile_counts_as_a_crash(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        first = await ready(agent, replica)
    kill_pid(first.pid)
    await until("the engine has ended", lambda: not alive(first.pid))
    async with world.agent() as agent:
        quiet = await agent.report()
        assert [one.pid for one in quiet.replicas] == [None], "nothing starts before the first order"
        assert engines_of(replica.id) == []
        await agent.sync(world.desired(replica))
        again = await ready(agent, replica)
        assert (again.attempt, again.restarts) == (2, 1)


@pytest.mark.parametrize("cause", ["told to stop", "machine started again"])
async def test_an_engine_that_was_ended_on_purpose_meanwhile_is_no_crash(world: World, cause: str) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        first = await ready(agent, replica)
    folder = world.folder(replica)
    kill_pid(first.pid, signal.SIGTERM if cause == "told to stop" else signal.SIGKILL)
    await until("the end is written", lambda: (ledger := folder.ledger()) is not None and ledger.state == "ended")
    if cause == "machine started again":
        document = json.loads(folder.ledger_path.read_text())
        document["plan"]["boot_id"] = "00000000-0000-0000-0000-000000000000"
        folder.ledger_path.write_text(json.dumps(document | {"state": "running", "pid": 1, "start_time": 1}))
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        again = await ready(agent, replica)
        assert (again.attempt, again.restarts, again.reason) == (2, 0, None)


async def test_a_killed_shim_changes_nothing_for_the_engine(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        first = await ready(agent, replica)
        ledger = world.folder(replica).ledger()
        assert ledger is not None
        kill_pid(ledger.shim_pid)
        await until("the shim is gone", lambda: not alive(ledger.shim_pid))
        assert alive(first.pid)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        assert (await ready(agent, replica)).pid == first.pid
        kill_pid(first.pid)
        down = await seen(agent, replica.id, lambda o: o.reason is not None)
        assert down.reason is not None
        assert down.reason.code == ReasonCode.ENGINE_KILLED
        await ready(agent, replica)
        await agent.sync(world.desired())
        await gone(agent, replica)


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us."""
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("forged", ["start_time", "boot_id"])
async def test_somebody_elses_process_is_never_signalled(
    world: World, bystander: subprocess.Popen[bytes], forged: str
) -> None:
    """The ledger names a pid that now belongs to another program, as after pid reuse or a reboot."""
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        serving = await ready(agent, replica)
    kill_pid(serving.pid)
    folder = world.folder(replica)
    await until("the end is written", lambda: (ledger := folder.ledger()) is not None and ledger.state == "ended")
    _forge(folder.ledger_path, bystander.pid, forged)
    async with world.agent() as agent:
        assert [one.pid for one in (await agent.report()).replicas] == [None]
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert alive(bystander.pid)


def _forge(path: Path, pid: int, wrong: str) -> None:
    document = json.loads(path.read_text())
    real = identify(pid)
    assert real is not None
    document |= {"state": "running", "pid": pid, "start_time": real.start_time}
    if wrong == "start_time":
        document["start_time"] -= 1
    else:
        document["plan"]["boot_id"] = "00000000-0000-0000-0000-000000000000"
    path.write_text(json.dumps(document))


async def test_a_folder_that_cannot_be_read_is_cleared_away(world: World) -> None:
    replica = world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        serving = await ready(agent, replica)
    folder = world.folder(replica)
    (folder.path / "desired.json").write_text("{")
    (folder.path / "progress.json").write_text("")
    async with world.agent() as agent:
        await agent.sync(world.desired())
        await gone(agent, replica)
    assert not alive(serving.pid)
    assert not folder.path.exists()


async def test_a_lost_description_is_learnt_from_the_order(world: World) -> None:
    replica = world.replica()
    folder = world.folder(replica)
    folder.path.mkdir(parents=True)
    async with world.agent() as agent:
        await agent.sync(world.desired(replica))
        await ready(agent, replica)


async def test_an_engine_whose_folder_was_removed_is_no_orphan(world: World) -> None:
    """Somebody clears the data folder by hand while the server is off: the lock still tells of the engine."""
    replica, kept = world.replica(), world.replica()
    async with world.agent() as agent:
        await agent.sync(world.desired(replica, kept))
        lost = [await ready(agent, one) for one in (replica, kept)]
    for one in (replica, kept):
        shutil.rmtree(world.folder(one).path)
    async with world.agent() as agent:
        await agent.sync(world.desired(kept))
        await gone(agent, replica)
        serving = await ready(agent, kept)
    assert not any(alive(one.pid) for one in lost)
    assert engines_of(replica.id) == []
    assert engines_of(kept.id) == [serving.pid], "the one that is wanted runs once, from now on known"
