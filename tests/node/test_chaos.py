"""Random orders, kills and agent restarts with real processes: never two engines, and the end is as ordered."""

import asyncio
import contextlib
import os
import random
import signal

from tests.node.world import World, command_line, engines_of, gone, ready, world

from aimindserve.domain.replicas import DesiredReplica
from aimindserve.node.agent import NodeAgent
from aimindserve.node.processes import processes_of

__all__ = ["world"]

LIVES, STEPS = 5, 8


def _kill_something(replica_id: str, chance: random.Random) -> None:
    """End the engine or the shim of a replica, if it has any now."""
    processes = processes_of(replica_id)
    if processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(processes).pid, chance.choice([signal.SIGKILL, signal.SIGTERM]))


async def _step(
    world: World, agent: NodeAgent, replicas: list[DesiredReplica], chance: random.Random
) -> list[DesiredReplica] | None:
    """One random event; the newly ordered replicas when it was an order."""
    match chance.choice(["order", "order", "kill", "kill", "wait", "new"]):
        case "order":
            wanted = [one for one in replicas if chance.random() < 0.7]
            await agent.sync(world.desired(*wanted))
            return wanted
        case "kill":
            await asyncio.to_thread(_kill_something, chance.choice(replicas).id, chance)
        case "new":
            replicas[chance.randrange(len(replicas))] = world.replica()
        case _:
            await asyncio.sleep(chance.uniform(0, 0.3))
    return None


async def test_whatever_happens_the_orders_are_carried_out(world: World) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    world.patient(stop_grace=1.0, stable_after=0.0)
    world.engine("--fake-child", "ignores-term")
    replicas = [world.replica() for _ in range(3)]
    for _ in range(LIVES):
        async with world.agent() as agent:
            for _ in range(STEPS):
                await _step(world, agent, replicas, chance)
                for one in world.ids:
                    ports = {_port(pid) for pid in engines_of(one)} - {None}
                    assert len(ports) <= 1, f"two engines of one replica, seed {seed}"
    last = [world.replica(), replicas[0]]
    async with world.agent() as agent:
        await agent.sync(world.desired(*last))
        serving = {(await ready(agent, one)).pid for one in last}
        assert len(serving) == 2
        for other in {*world.ids} - {one.id for one in last}:
            await gone(agent, DesiredReplica.model_construct(id=other))
            assert engines_of(other) == [], f"seed {seed}"
        await agent.sync(world.desired())
        for one in last:
            await gone(agent, one)
    assert [one for one in world.ids if processes_of(one)] == [], f"seed {seed}"
    assert list(world.config.replicas.iterdir()) == []


def _port(pid: int) -> bytes | None:
    """The port in an engine's command line; its helpers have none."""
    with contextlib.suppress(OSError, ValueError):
        words = command_line(pid).split(b"\0")
        return words[words.index(b"--port") + 1]
    return None
