"""What the replicas of a node share."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aimindserve.engines._base import Machine
from aimindserve.node.changes import Changes
from aimindserve.node.config import NodeConfig
from aimindserve.node.downloads import Downloads
from aimindserve.node.environments import Environments


@dataclass(frozen=True, slots=True)
class NodeContext:
    """``permit``: set by the first sync; before that nothing is started and nothing ended. ``machine`` gives the
    machine for a set of claimed GPUs; ``now`` Unix seconds."""

    config: NodeConfig
    environments: Environments
    boot_id: str
    machine: Callable[[tuple[str, ...]], Machine]
    downloads: Downloads
    changes: Changes
    permit: asyncio.Event = field(default_factory=asyncio.Event)
    now: Callable[[], float] = time.time
