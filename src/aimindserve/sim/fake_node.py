"""Nodes in memory: the fabric's promises without machines or processes. Scenarios decide what engines do."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from aimindserve.domain.agent_plan import plan_agent
from aimindserve.domain.files import ModelState, StoredModel, TransferProgress, WantedModel
from aimindserve.domain.nodes import CPU_DEVICE_ID, Device, DeviceKind, EngineInstall, NodeFacts
from aimindserve.domain.reasons import Reason
from aimindserve.domain.replicas import (
    Claim,
    DesiredReplica,
    DesiredState,
    LogChunk,
    NodeRef,
    NodeReport,
    ReplicaObservation,
    ReplicaState,
)
from aimindserve.domain.units import GIB

_FIRST_PORT = 42_000
_DISK_FREE = 100 * GIB


def cpu_node(node_id: str, memory: int = 8 * GIB, cores: int = 4) -> NodeFacts:
    """A machine without a GPU, with a llama-server."""
    cpu = Device(
        id=CPU_DEVICE_ID,
        kind=DeviceKind.CPU,
        name="Simulated CPU",
        memory_total=memory,
        memory_free=memory,
        allocatable=memory,
        cores=cores,
    )
    server = EngineInstall(engine="llama.cpp", flavour="llama-server", version="b1", path="/opt/llama-server")
    return NodeFacts(
        node_id=node_id, hostname=f"host-{node_id}", boot_id=f"boot-{node_id}", devices=(cpu,), engines=(server,)
    )


@dataclass
class FakeNode:
    """One machine. ``held`` outlives ``restart_agent``, as engines outlive an agent; what the agent knows does not.

    ``quick``: replicas become ready as soon as they are started, and end as soon as they are stopped.
    """

    facts: NodeFacts
    quick: bool = True
    alive: bool = True
    acked: int = 0
    held: dict[str, ReplicaObservation] = field(default_factory=dict)
    claims: dict[str, tuple[Claim, ...]] = field(default_factory=dict)
    logs: dict[str, list[str]] = field(default_factory=dict)
    models: dict[str, StoredModel] = field(default_factory=dict)
    changes: int = 1
    started: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set and replaced at each change."""
    overbooked: bool = False
    """Whether the engines held at one moment ever claimed more than a device has."""

    def _tell(self) -> None:
        self.changes += 1
        self.news.set()
        self.news = asyncio.Event()

    def accept(self, desired: DesiredState, now: float) -> NodeReport:
        """Acts on a desired state and reports."""
        stopping = [key for key, seen in self.held.items() if seen.state is ReplicaState.STOPPING]
        plan = plan_agent(desired, self.acked, list(self.held), stopping)
        self.acked = plan.acked
        for replica_id in plan.stop:
            self.observe(replica_id, state=ReplicaState.STOPPING)
            if self.quick:
                self.end(replica_id)
        for replica in plan.start:
            self._start(replica, now)
        for model in desired.models:
            self._want(model)
        for key in desired.forget:
            self.models.pop(key, None)
        return self.report(now)

    def _want(self, model: WantedModel) -> None:
        """Files arrive at once on a quick node; else they stay on their way until ``observe_model``."""
        if model.facts.origin is None:
            return
        size = sum(file.size for file in model.facts.files)
        state = ModelState.PAUSED if model.paused else ModelState.READY if self.quick else ModelState.DOWNLOADING
        done = size if state is ModelState.READY else 0
        seen = self.models.get(model.key)
        lasting = (ModelState.READY, ModelState.FAILED)
        if seen is None or (seen.state not in lasting and seen.state is not state):
            self.models[model.key] = StoredModel(
                key=model.key,
                source=model.source,
                facts=model.facts,
                state=state,
                progress=TransferProgress(done=done, total=size),
                stored_bytes=done,
            )
            self._tell()

    def observe_model(self, key: str, **changes: object) -> None:
        """Changes what is seen of a model's files."""
        self.models[key] = self.models[key].model_copy(update=changes)
        self._tell()

    def report(self, now: float) -> NodeReport:
        """What runs here."""
        return NodeReport(
            node_id=self.facts.node_id,
            acked_revision=self.acked,
            facts=self.facts,
            replicas=tuple(self.held.values()),
            models=tuple(self.models.values()),
            disk_free=_DISK_FREE,
            at=now,
        )

    def _start(self, replica: DesiredReplica, now: float) -> None:
        number = len(self.started)
        self.started.append(replica.id)
        self.held[replica.id] = ReplicaObservation(
            id=replica.id,
            state=ReplicaState.STARTING,
            pid=1000 + number,
            port=_FIRST_PORT + number,
            engine_key=f"engine-key-{number}",
        )
        self.claims[replica.id] = replica.claims
        self.logs.setdefault(replica.id, []).append(f"attempt 1 of {replica.model}\n")
        self._check_memory()
        self._tell()
        if self.quick:
            self.observe(replica.id, state=ReplicaState.READY, ready_since=now)

    def _check_memory(self) -> None:
        for device in self.facts.devices:
            claimed = sum(
                claim.bytes
                for replica_id in self.held
                for claim in self.claims[replica_id]
                if claim.device_id == device.id
            )
            self.overbooked = self.overbooked or claimed > device.allocatable

    def observe(self, replica_id: str, **changes: object) -> None:
        """Changes what is seen of a replica."""
        self.held[replica_id] = self.held[replica_id].model_copy(update=changes)
        self._tell()

    def crash(self, replica_id: str, why: Reason, retry_at: float) -> None:
        """An engine ends unasked and waits for its next attempt."""
        seen = self.held[replica_id]
        self.observe(
            replica_id,
            state=ReplicaState.BACKOFF,
            reason=why,
            restarts=seen.restarts + 1,
            retry_at=retry_at,
            pid=None,
            port=None,
            ready_since=None,
        )

    def end(self, replica_id: str) -> None:
        """A stopped engine has ended."""
        del self.held[replica_id]
        del self.claims[replica_id]
        self._tell()

    def restart_agent(self) -> None:
        """The agent forgets what it acknowledged; its engines go on."""
        self.acked = 0
        self._tell()


class FakeFabric:
    """Reaches the nodes of ``nodes``. ``deaf``: ids of nodes that cannot be reached now. ``lost``: ids of nodes whose
    next answer gets lost on its way after the order was carried out."""

    def __init__(self, nodes: Iterable[FakeNode], now: float = 0.0) -> None:
        self.machines = {node.facts.node_id: node for node in nodes}
        self.now = now
        self.deaf: set[str] = set()
        self.lost: set[str] = set()
        self.syncs: list[DesiredState] = []

    async def nodes(self) -> list[NodeRef]:
        """Every node, reachable or not."""
        return [NodeRef(node_id=key, address="127.0.0.1", alive=key not in self.deaf) for key in self.machines]

    async def sync(self, node: str, desired: DesiredState) -> NodeReport:
        """The order reaches the node unless it is deaf.

        Raises:
            ConnectionError: the node is deaf, or its answer got lost.
        """
        await asyncio.sleep(0)
        if node in self.deaf:
            raise ConnectionError(f"{node} cannot be reached")
        self.syncs.append(desired)
        report = self.machines[node].accept(desired, self.now)
        if node in self.lost:
            self.lost.discard(node)
            raise ConnectionError(f"the answer of {node} got lost")
        return report

    async def report(self, node: str) -> NodeReport:
        """What the node runs."""
        return self.machines[node].report(self.now)

    async def wait_change(self, node: str, seen: int) -> int:
        """Returns when the node's number of changes is not ``seen``."""
        machine = self.machines[node]
        if machine.changes == seen:
            await machine.news.wait()
        return machine.changes

    async def read_log(self, node: str, replica: str, attempt: int, offset: int) -> LogChunk | None:
        """A piece of a replica's log, by its attempts' texts in ``FakeNode.logs``."""
        texts = self.machines[node].logs.get(replica)
        if not texts or attempt > len(texts):
            return None
        number = attempt or len(texts)
        content = texts[number - 1].encode()
        start = max(0, len(content) + offset) if offset < 0 else min(offset, len(content))
        return LogChunk(
            attempt=number,
            offset=start,
            next_offset=len(content),
            size=len(content),
            text=content[start:].decode(),
            complete=number < len(texts) or replica not in self.machines[node].held,
            attempts=tuple(range(1, len(texts) + 1)),
        )
