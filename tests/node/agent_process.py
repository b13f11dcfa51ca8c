"""An agent in a process of its own, to be killed: ``python agent_process.py ROOT REVISION STOP_AT REPLICA_JSON…``.

STOP_AT names the step at which the process kills itself as ``kill -9`` would: a function of the node is wrapped so
that the process ends just before or just after it runs. ``ready`` prints the pid of each engine and then waits.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.node.world import NODE, World, probe_devices

from aimindserve.domain.replicas import DesiredReplica, DesiredState, ReplicaState
from aimindserve.node import folder, locks, preparation
from aimindserve.node.agent import NodeAgent

STEPS: dict[str, tuple[object, str, str]] = {
    "before the locks": (preparation, "take_all", "before"),
    "after the locks": (preparation, "take_all", "after"),
    "before the plan": (folder.ReplicaFolder, "write_launch", "before"),
    "after the plan": (folder.ReplicaFolder, "write_launch", "after"),
    "before the shim": (preparation, "spawn", "before"),
    "after the shim": (preparation, "spawn", "after"),
    "before letting the locks go": (preparation, "release", "before"),
    "while waiting for the shim": (os, "pipe", "shim"),
}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(step: str) -> None:
    owner, name, when = STEPS[step]
    original: Callable[..., Any] = getattr(owner, name)
    if when == "shim":
        _arm_popen()
        return

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            _die()
        result = original(*args, **kwargs)
        _die()
        return result

    setattr(owner, name, wrapped)


def _arm_popen() -> None:
    """End as soon as the shim's first process was started, before it says anything."""
    from aimindserve.node import launch

    original = launch.subprocess.Popen

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        _die()
        return made

    launch.subprocess.Popen = wrapped  # type: ignore[misc, assignment]


async def _main(root: Path, revision: int, replicas: list[DesiredReplica]) -> None:
    world = World(root)
    agent = NodeAgent(world.config, probe_devices)
    async with asyncio.TaskGroup() as group:
        group.create_task(agent.run())
        await agent.sync(DesiredState(node_id=NODE, revision=revision, replicas=tuple(replicas)))
        change = 0
        while True:
            change = await agent.wait_change(change)
            seen = (await agent.report()).replicas
            if len(seen) == len(replicas) and all(one.state is ReplicaState.READY for one in seen):
                print(*[one.pid for one in seen], flush=True)


if __name__ == "__main__":
    root, revision, stop_at, *texts = sys.argv[1:]
    assert locks
    if stop_at != "ready":
        _arm(stop_at)
    asyncio.run(_main(Path(root), int(revision), [DesiredReplica.model_validate_json(text) for text in texts]))
