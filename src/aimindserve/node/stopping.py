"""Ending the processes of a replica."""

import asyncio
import contextlib
import signal
from pathlib import Path

from aimindserve.node.config import NodeConfig
from aimindserve.node.locks import is_free
from aimindserve.node.processes import ProcessId, kill, processes_of, signal_group, wait_end

_AFTER_KILL_SECONDS = 5.0


async def stop_engine(replica_id: str, engine: ProcessId, config: NodeConfig) -> None:
    """TERM to the whole group, KILL to what is left after the grace. Returns when the engine itself has ended, or could
    not be ended for five seconds (a process inside the kernel cannot; the caller asks again)."""
    signal_group(engine, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(config.stop_grace):
            await wait_end(engine)
            return
    signal_group(engine, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_AFTER_KILL_SECONDS):
            await wait_end(engine)
    await clear_processes(replica_id, replica_lock=None)


async def clear_processes(replica_id: str, replica_lock: Path | None) -> None:
    """KILL whatever carries the replica's mark, also what left the engine's group. Nothing when the lock is free."""
    if replica_lock is not None and await asyncio.to_thread(is_free, replica_lock):
        return
    for process in await asyncio.to_thread(processes_of, replica_id):
        kill(process)
