"""The agent of one machine: makes what runs here equal to what was ordered."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence

from aimindserve.domain.agent_plan import plan_agent
from aimindserve.domain.nodes import Device, DeviceKind, NodeFacts
from aimindserve.domain.reasons import Reason
from aimindserve.domain.replicas import Claim, DesiredReplica, DesiredState, LogChunk, NodeReport
from aimindserve.engines._base import Machine, machine_for
from aimindserve.node.changes import Changes
from aimindserve.node.config import NodeConfig
from aimindserve.node.context import NodeContext
from aimindserve.node.downloads import Downloads
from aimindserve.node.environments import Environments
from aimindserve.node.folder import ReplicaFolder, is_replica_id, replica_folders
from aimindserve.node.installer import Installer
from aimindserve.node.locks import locked_replicas
from aimindserve.node.logs import read_log
from aimindserve.node.loop import keep_going
from aimindserve.node.measuring import ProcessMemory, no_process_memory
from aimindserve.node.processes import boot_id
from aimindserve.node.replica import ReplicaActor

_log = logging.getLogger("aimindserve.node")
_FACTS_SECONDS = 5.0
DeviceProbe = Callable[[], tuple[Sequence[Device], Sequence[Reason]]]


class NodeAgent:
    """Runs replicas. ``run`` must be running; it may be cancelled at any time, engines stay and are found again.

    ``probe_devices`` and ``process_memory`` are asked in threads; they may take seconds.
    """

    def __init__(
        self, config: NodeConfig, probe_devices: DeviceProbe, process_memory: ProcessMemory = no_process_memory
    ) -> None:
        self.config = config
        self._probe_devices = probe_devices
        self._devices: tuple[Device, ...] = ()
        self._notes: tuple[Reason, ...] = ()
        self._acked = 0
        self._disk_free: int | None = None
        self._actors: dict[str, ReplicaActor] = {}
        self._started = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        changes = Changes()
        self._downloads = Downloads(config, changes, time.time)
        boot, environments = boot_id(), Environments(config.llama_server, engines=config.engines)
        self._installer = Installer(config, changes, environments, boot)
        self._context = NodeContext(
            config,
            environments,
            boot,
            self._machine,
            self._downloads,
            changes,
            process_memory=process_memory,
        )

    async def run(self) -> None:
        """Take over what runs already, then supervise until cancelled."""
        config = self.config
        await asyncio.to_thread(config.replicas.mkdir, mode=0o700, parents=True, exist_ok=True)
        await asyncio.to_thread(config.locks.mkdir, mode=0o700, parents=True, exist_ok=True)
        await self._refresh_facts()
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(keep_going("device probe", self._follow_facts, _FACTS_SECONDS))
            group.create_task(keep_going("downloads", self._downloads.run, _FACTS_SECONDS))
            group.create_task(self._installer.run())
            for folder in self._found():
                actor = ReplicaActor(folder, folder.desired(), self._context)
                actor.adopt()
                self._begin(actor, group)
            self._started.set()
            self._context.changes.note()
            await asyncio.Event().wait()

    def _found(self) -> list[ReplicaFolder]:
        """Every replica that may have processes: by its folder, or, where somebody has removed that, by its lock."""
        folders = {folder.replica_id: folder for folder in replica_folders(self.config.replicas)}
        for replica_id in filter(is_replica_id, locked_replicas(self.config.locks)):
            folders.setdefault(replica_id, ReplicaFolder(self.config.replicas, replica_id))
        return list(folders.values())

    async def sync(self, desired: DesiredState) -> NodeReport:
        """Act on the whole desired state; answer with the whole observed state."""
        await self._started.wait()
        stopping = [actor.id for actor in self._actors.values() if actor.stopping]
        plan = plan_agent(desired, self._acked, self._actors, stopping)
        for replica_id in plan.stop:
            self._actors[replica_id].order_stop()
        for replica in plan.start:
            self._start(replica)
        if plan.acked == desired.revision:
            self._downloads.order(desired.models, desired.forget, desired.hub)
            self._installer.order(desired.environments, desired.drop, offline=desired.hub.offline)
        for replica in desired.replicas:
            if plan.acked == desired.revision and replica.id in self._actors:
                self._actors[replica.id].know(replica)
        self._acked = plan.acked
        self._context.permit.set()
        return await self.report()

    async def report(self) -> NodeReport:
        """The whole observed state."""
        await self._started.wait()
        # No await from here to the end: revision and observations belong together.
        facts = NodeFacts(
            node_id=self.config.node_id,
            hostname=socket.gethostname(),
            boot_id=self._context.boot_id,
            devices=self._devices,
            engines=self._installer.programs,
            notes=self._notes,
            labels=self.config.labels,
        )
        return NodeReport(
            node_id=self.config.node_id,
            acked_revision=self._acked,
            facts=facts,
            replicas=tuple(actor.observation for actor in self._actors.values()),
            models=self._downloads.observe(),
            environments=self._installer.observe(),
            disk_free=self._disk_free,
            at=self._context.now(),
        )

    async def wait_change(self, seen: int) -> int:
        """The number of the present change once it is not ``seen``."""
        return await self._context.changes.wait(seen)

    async def read_log(self, replica_id: str, attempt: int, offset: int) -> LogChunk | None:
        """A piece of a replica's log; None when there is none."""
        if not is_replica_id(replica_id):
            return None
        actor = self._actors.get(replica_id)
        running = actor.attempt_running if actor else None
        folder = ReplicaFolder(self.config.replicas, replica_id)
        return await asyncio.to_thread(read_log, folder, attempt, offset, running=running)

    def _start(self, desired: DesiredReplica) -> None:
        if not is_replica_id(desired.id):
            _log.error("a replica with an impossible id is ignored: %r", desired.id)
            return
        folder = ReplicaFolder(self.config.replicas, desired.id)
        actor = ReplicaActor(folder, desired, self._context)
        if self._group is not None:
            self._begin(actor, self._group)

    def _begin(self, actor: ReplicaActor, group: asyncio.TaskGroup) -> None:
        self._actors[actor.id] = actor
        group.create_task(self._live(actor), name=f"replica {actor.id}")

    async def _live(self, actor: ReplicaActor) -> None:
        await actor.run()
        del self._actors[actor.id]
        self._context.changes.note()

    async def _follow_facts(self) -> None:
        while True:
            await asyncio.sleep(_FACTS_SECONDS)
            await self._refresh_facts()

    async def _refresh_facts(self) -> None:
        """Look at devices and programs. A report never waits for this: a driver may hang for seconds."""
        devices, notes = await asyncio.to_thread(self._probe_devices)
        self._devices, self._notes = tuple(devices), tuple(notes)
        await self._installer.look()
        self._disk_free = await asyncio.to_thread(self._downloads.store.disk_free)

    def _machine(self, claims: Sequence[Claim]) -> Machine:
        cores = next((d.cores for d in self._devices if d.kind is DeviceKind.CPU and d.cores), 1)
        return machine_for(claims, self._devices, cores, self.config.llama_threads)
