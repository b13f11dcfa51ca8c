"""What is written down of a replica's process, and reading it back."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from aimindserve.domain.nodes import EngineInstall
from aimindserve.domain.specs import EngineName
from aimindserve.node.processes import ProcessId, identify, is_running


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class LaunchPlan(_Record):
    """What was going to be started. Written by the agent before it starts the shim. No secret is in it.

    ``log_start``: where in the attempt's log this launch begins, in bytes (a taken port means another launch).
    ``capabilities``: what is tried before the engine counts as ready.
    """

    version: Literal[1] = 1
    replica_id: str
    deployment_id: str
    generation: int
    attempt: int
    boot_id: str
    engine: EngineName
    argv: tuple[str, ...]
    install: EngineInstall
    alias: str
    host: str
    port: int
    wants_key: bool
    devices: tuple[str, ...]
    log_start: int = 0
    capabilities: tuple[str, ...] = ()


class Ledger(_Record):
    """Written by the shim alone. ``pid`` and ``start_time`` are the engine's; ``error`` is an errno. Unix seconds."""

    plan: LaunchPlan
    state: Literal["launching", "running", "ended"]
    shim_pid: int
    shim_start_time: int
    pid: int | None = None
    start_time: int | None = None
    started_at: float = 0.0
    ended_at: float | None = None
    last_pid: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    error: int | None = None

    @property
    def engine(self) -> ProcessId | None:
        """The engine's identity once it is known."""
        return ProcessId(self.pid, self.start_time) if self.pid and self.start_time else None

    @property
    def shim(self) -> ProcessId:
        """The shim's identity."""
        return ProcessId(self.shim_pid, self.shim_start_time)


def read_ledger(path: Path) -> Ledger | None:
    """The ledger; None when there is none that can be read."""
    try:
        return Ledger.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def living_engine(ledger: Ledger, boot: str) -> ProcessId | None:
    """The engine of a ledger if it runs now: pid, start time and boot id must all agree. Nobody else is signalled."""
    engine = ledger.engine
    if ledger.state != "running" or engine is None or ledger.plan.boot_id != boot:
        return None
    return engine if is_running(engine) and identify(engine.pid) == engine else None


def shim_lives(ledger: Ledger, boot: str) -> bool:
    """Whether the shim that wrote the ledger still runs."""
    return ledger.plan.boot_id == boot and is_running(ledger.shim)
