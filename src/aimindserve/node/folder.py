"""The folder of one replica: ``<data>/replicas/<id>``."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from aimindserve.domain.measured import Measurement
from aimindserve.domain.reasons import Reason
from aimindserve.domain.replicas import DesiredReplica
from aimindserve.domain.sight import Sight
from aimindserve.domain.startup import Doing, Mark
from aimindserve.node.ledger import LaunchPlan, Ledger, read_ledger
from aimindserve.node.records import read_model, write_private

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_KEPT_ATTEMPTS = 10


class Progress(BaseModel):
    """What the agent remembers of a replica over its own restarts. Written by the replica's actor alone.

    ``attempt`` counts launches from 1 (0: none yet); ``restarts`` those that ended without an order; ``failures`` the
    endings in a row that the back-off counts. ``running``: the attempt was begun and its end not yet dealt with.
    ``measured``: the memory of the last attempt that became ready. Times are Unix seconds.
    """

    model_config = ConfigDict(frozen=True)

    attempt: int = 0
    restarts: int = 0
    failures: int = 0
    reason: Reason | None = None
    given_up: bool = False
    running: bool = False
    ready_since: float | None = None
    timeline: tuple[Mark, ...] = ()
    doing: Doing | None = None
    sight: Sight | None = None
    evidence: tuple[str, ...] = ()
    measured: Measurement | None = None


class ReplicaFolder:
    """Names and files of one replica."""

    def __init__(self, replicas: Path, replica_id: str) -> None:
        if not is_replica_id(replica_id):
            raise ValueError(f"not a replica id: {replica_id!r}")
        self.replica_id = replica_id
        self.path = replicas / replica_id
        self.ledger_path = self.path / "ledger.json"
        self.plan_path = self.path / "plan.json"
        self.key_path = self.path / "engine.key"
        self.attempts_path = self.path / "attempts"
        self._desired_path = self.path / "desired.json"
        self._progress_path = self.path / "progress.json"

    def ledger(self) -> Ledger | None:
        """What the shim wrote last."""
        return read_ledger(self.ledger_path)

    def plan(self) -> LaunchPlan | None:
        """What was launched last."""
        return read_model(self.plan_path, LaunchPlan)

    def desired(self) -> DesiredReplica | None:
        """What the replica is, as the server said."""
        return read_model(self._desired_path, DesiredReplica)

    def create(self, desired: DesiredReplica) -> None:
        """Make the folder, readable by nobody else, and keep what the replica is."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._desired_path, desired.model_dump_json().encode())

    def progress(self) -> Progress:
        """What was remembered; when that cannot be read (a power cut), as much as the logs tell: numbers of attempts go
        on, or a new log would be taken for an old one and removed."""
        found = read_model(self._progress_path, Progress)
        return found or Progress(attempt=max(self.attempts(), default=0))

    def write_progress(self, progress: Progress) -> None:
        """Remember."""
        write_private(self._progress_path, progress.model_dump_json().encode())

    def engine_key(self) -> str:
        """The key of the engine that was launched last, empty when there is none."""
        try:
            return self.key_path.read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def write_launch(self, plan: LaunchPlan, key: str) -> None:
        """Keep the plan and the engine's key for the shim and the engine."""
        write_private(self.key_path, f"{key}\n".encode())
        write_private(self.plan_path, plan.model_dump_json().encode())

    def log_path(self, attempt: int) -> Path:
        """The log of an attempt."""
        return self.attempts_path / str(attempt) / "engine.log"

    def open_attempt(self, attempt: int) -> Path:
        """Make the folder and the empty log of an attempt; the oldest attempts go."""
        log = self.log_path(attempt)
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.touch(mode=0o600)
        for old in self.attempts()[:-_KEPT_ATTEMPTS]:
            shutil.rmtree(self.attempts_path / str(old), ignore_errors=True)
        return log

    def attempts(self) -> list[int]:
        """Attempts with a log, oldest first."""
        if not self.attempts_path.is_dir():
            return []
        return sorted(int(entry.name) for entry in self.attempts_path.iterdir() if entry.name.isdigit())

    def remove(self) -> None:
        """Delete everything of the replica."""
        shutil.rmtree(self.path, ignore_errors=True)


def is_replica_id(text: str) -> bool:
    """Whether ``text`` can name a replica's folder."""
    return bool(_ID.fullmatch(text))


def replica_folders(replicas: Path) -> Iterator[ReplicaFolder]:
    """The folders of all replicas that were ever begun and not removed."""
    if not replicas.is_dir():
        return
    for entry in sorted(replicas.iterdir()):
        if entry.is_dir() and not entry.is_symlink() and is_replica_id(entry.name):
            yield ReplicaFolder(replicas, entry.name)
