"""What the replicas of a node share."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aimindserve.engines._base import Machine
from aimindserve.node.config import NodeConfig
from aimindserve.node.environments import Environments


class Changes:
    """Counts changes and lets others wait for the next."""

    def __init__(self) -> None:
        self._count = 1
        self._event = asyncio.Event()

    def note(self) -> None:
        """Something changed."""
        self._count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seen: int) -> int:
        """The present number once it is not ``seen`` any more."""
        while self._count == seen:
            await self._event.wait()
        return self._count


@dataclass(frozen=True, slots=True)
class NodeContext:
    """``permit``: set by the first sync; before that nothing is started and nothing ended. ``machine`` gives the
    machine for a set of claimed GPUs; ``now`` Unix seconds."""

    config: NodeConfig
    environments: Environments
    boot_id: str
    machine: Callable[[tuple[str, ...]], Machine]
    changes: Changes = field(default_factory=Changes)
    permit: asyncio.Event = field(default_factory=asyncio.Event)
    now: Callable[[], float] = time.time
