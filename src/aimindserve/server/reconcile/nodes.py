"""The node reconciler: what a node should run goes out, what it runs comes back. One loop a node, so that a slow one
holds up nobody."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import select

from aimindserve.domain.environments import WantedState
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.file_actions import WantedFiles
from aimindserve.domain.files import WantedModel, model_key
from aimindserve.domain.replicas import DesiredState, NodeRef, Replica, desired_state
from aimindserve.fabric._base import Fabric
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import DeploymentRow, EnvironmentOrderRow, ModelOrderRow, NodeRow, ReplicaRow
from aimindserve.server.hub_access import hub_access
from aimindserve.server.reconcile.environments import wanted_environment
from aimindserve.server.reconcile.loop import Loop
from aimindserve.server.reconcile.observe import replica_of
from aimindserve.server.reconcile.reports import store_report

SYNC_PERIOD_SECONDS = 2.0
SYNC_LIMIT_SECONDS = 15.0
_FIRST_LOOK_SECONDS = 10.0


async def sync_node(context: ServerContext, fabric: Fabric, ref: NodeRef) -> bool:
    """Sends ``ref``'s whole desired state and stores its report. True when the report told something new.

    Raises:
        TimeoutError: the node did not answer in time.
    """
    desired = await desired_of(context, ref.node_id)
    async with asyncio.timeout(SYNC_LIMIT_SECONDS):
        report = await fabric.sync(ref.node_id, desired)
    return await store_report(context, ref, report, [replica.id for replica in desired.replicas])


async def desired_of(context: ServerContext, node_id: str) -> DesiredState:
    """What a node should run now. Nothing at revision 1 for a node that was never seen."""
    async with context.database.read() as session:
        # The revision first: replicas that are newer than it do no harm, older ones would undo a stop order.
        node = await session.get(NodeRow, node_id)
        rows = await session.scalars(
            select(ReplicaRow).where(ReplicaRow.node_id == node_id).order_by(ReplicaRow.created_at, ReplicaRow.id)
        )
        replicas = [replica_of(row) for row in rows]
        deployments = list(await session.scalars(select(DeploymentRow)))
        orders = list(await session.scalars(select(ModelOrderRow).where(ModelOrderRow.node_id == node_id)))
        engines = list(await session.scalars(select(EnvironmentOrderRow).where(EnvironmentOrderRow.node_id == node_id)))
    names = {row.id: row.name for row in deployments}
    desired = desired_state(node_id, node.desired_revision if node else 1, replicas, names)
    used = {model_key(facts) for facts in _facts_in_use(deployments, replicas) if facts.origin}
    return desired.model_copy(
        update={
            "models": tuple(_wanted(order) for order in orders if order.wanted != WantedFiles.DELETED),
            "forget": tuple(o.key for o in orders if o.wanted == WantedFiles.DELETED and o.key not in used),
            "environments": tuple(wanted_environment(one) for one in engines if one.wanted == WantedState.INSTALLED),
            "drop": tuple(one.key for one in engines if one.wanted == WantedState.REMOVED),
            "hub": await hub_access(context),
        }
    )


def _facts_in_use(deployments: Iterable[DeploymentRow], replicas: Iterable[Replica]) -> list[ModelFacts]:
    """Of every deployment, and of replicas of an older generation that still run: their files are not deleted."""
    return [*(row.facts for row in deployments if row.facts is not None), *(replica.facts for replica in replicas)]


def _wanted(order: ModelOrderRow) -> WantedModel:
    paused = order.wanted == WantedFiles.PAUSED
    return WantedModel(
        source=order.source, facts=order.facts, paused=paused, attempt=order.attempt, folder=order.folder
    )


@dataclass
class NodeLoops:
    """The loops of all nodes. New nodes of the fabric get theirs as they appear."""

    context: ServerContext
    fabric: Fabric
    loops: dict[str, Loop] = field(default_factory=dict)
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    def all(self) -> list[Loop]:
        """Every node's loop."""
        return list(self.loops.values())

    async def discover(self, group: asyncio.TaskGroup) -> None:
        """Starts the loops of nodes that have none, in ``group``."""
        for ref in await self.fabric.nodes():
            if ref.node_id not in self.loops:
                self._add(group, ref)
        self.looked.set()

    def _add(self, group: asyncio.TaskGroup, ref: NodeRef) -> None:
        async def step() -> None:
            await sync_node(self.context, self.fabric, ref)

        async def watch() -> None:
            watched.seen = await self.fabric.wait_change(ref.node_id, watched.seen)
            loop.wake()

        watched = _Watched()
        loop = Loop(f"node {ref.node_id}", step, period=SYNC_PERIOD_SECONDS)
        self.loops[ref.node_id] = loop
        group.create_task(loop.run())
        group.create_task(Loop(f"changes of node {ref.node_id}", watch, period=0).run())

    async def settled(self) -> None:
        """Returns once every node known at the start has answered or failed, or after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_LOOK_SECONDS):
                await self.looked.wait()
                for loop in self.all():
                    await loop.tried.wait()


@dataclass
class _Watched:
    seen: int = 0
