"""Engines of this machine while no server runs: found by their ledgers, ended like the node ends them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aimindserve.domain.paths import DataPaths
from aimindserve.node.config import NodeConfig
from aimindserve.node.ledger import living_engine, read_ledger
from aimindserve.node.processes import ProcessId, boot_id, is_running
from aimindserve.node.stopping import stop_engine
from aimindserve.server.files import is_held


@dataclass(frozen=True, slots=True)
class LivingEngine:
    """A running engine and the replica that it belongs to."""

    replica_id: str
    process: ProcessId


def is_server_running(data_dir: Path) -> bool:
    """Whether a server holds the data folder."""
    return is_held(Path(DataPaths(PurePosixPath(data_dir)).server_lock))


def living_engines(data_dir: Path) -> list[LivingEngine]:
    """Every engine that a ledger of this folder names and that runs: pid, start time and boot id agree."""
    boot = boot_id()
    found: list[LivingEngine] = []
    for file in sorted(Path(DataPaths(PurePosixPath(data_dir)).replicas).glob("*/ledger.json")):
        ledger = read_ledger(file)
        process = living_engine(ledger, boot) if ledger else None
        if process is not None:
            found.append(LivingEngine(file.parent.name, process))
    return found


async def stop_all(engines: list[LivingEngine], data_dir: Path) -> list[int]:
    """TERM, then KILL to what stays. Returns the pids that could not be ended."""
    config = NodeConfig(node_id="", data_dir=data_dir)
    for engine in engines:
        await stop_engine(engine.replica_id, engine.process, config)
    return [engine.process.pid for engine in engines if is_running(engine.process)]
