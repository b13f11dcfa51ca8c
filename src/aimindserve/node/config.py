"""Settings of a node."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from aimindserve.domain.paths import DataPaths
from aimindserve.node.recipes import FindRecipe, find_recipe


def free_port() -> int:
    """A loopback port that nobody listens on now. It may be taken before the engine listens; then another is tried."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Where a node keeps its files and how patient it is (seconds).

    ``llama_server``: a configured program; ``llama_threads``: threads of an engine, None to choose.
    ``labels``: what administrators call this machine.
    ``stable_after``: an engine that was ready this long starts a new count of failures. ``stop_grace``: between TERM
    and KILL. ``port_attempts``: ports that are tried in a row when others take them.
    ``stall_timeout``: a download without a byte this long is begun again where it stopped.
    ``find_recipe``: what an environment of an engine is made of.
    ``answer_timeout``: for the answer to a first request; ``answer_patience``: so long it is asked again where there is
    none; ``sight_budget``: after this long no further pictures are asked about.
    ``unhealthy_after``: without an answer this long it is said; ``give_up_after``: then it is restarted.
    """

    node_id: str
    data_dir: Path
    llama_server: str | None = None
    llama_threads: int | None = None
    labels: dict[str, str] = field(default_factory=dict[str, str])
    backoff_first: float = 1.0
    backoff_cap: float = 60.0
    stable_after: float = 60.0
    stop_grace: float = 10.0
    start_timeout: float = 1800.0
    probe_interval: float = 0.1
    probe_timeout: float = 5.0
    answer_timeout: float = 120.0
    answer_patience: float = 10.0
    sight_budget: float = 5.0
    health_interval: float = 5.0
    unhealthy_after: float = 30.0
    give_up_after: float = 180.0
    port_attempts: int = 8
    stall_timeout: float = 30.0
    choose_port: Callable[[], int] = free_port
    find_recipe: FindRecipe = find_recipe

    @property
    def _paths(self) -> DataPaths:
        return DataPaths(PurePosixPath(self.data_dir))

    @property
    def replicas(self) -> Path:
        """Folders of the replicas."""
        return Path(self._paths.replicas)

    @property
    def engines(self) -> Path:
        """Engines that are installed for the product."""
        return Path(self._paths.engines)

    @property
    def models(self) -> Path:
        """The store of model files."""
        return Path(self._paths.models)

    @property
    def locks(self) -> Path:
        """Lock files."""
        return Path(self._paths.locks)
