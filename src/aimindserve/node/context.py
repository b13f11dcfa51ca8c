"""What the replicas of a node share."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aimindserve.domain.replicas import Claim
from aimindserve.engines._base import Machine
from aimindserve.node.changes import Changes
from aimindserve.node.config import NodeConfig
from aimindserve.node.downloads import Downloads
from aimindserve.node.environments import Environments
from aimindserve.node.measuring import ProcessMemory, no_process_memory
from aimindserve.node.starts import Starts


@dataclass(frozen=True, slots=True)
class NodeContext:
    """``permit``: set by the first sync; before that nothing is started and nothing ended. ``machine`` gives the
    machine of a replica with its claims; ``now`` Unix seconds; ``process_memory``: what processes hold, by device."""

    config: NodeConfig
    environments: Environments
    boot_id: str
    machine: Callable[[Sequence[Claim]], Machine]
    downloads: Downloads
    changes: Changes
    permit: asyncio.Event = field(default_factory=asyncio.Event)
    starts: Starts = field(default_factory=Starts)
    now: Callable[[], float] = time.time
    process_memory: ProcessMemory = no_process_memory
