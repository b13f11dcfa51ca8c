"""Rows as domain values, and the short reads from which reconcilers and answers start."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.lessons import NOTHING, Correction, Family, Learned
from aimindserve.domain.lifecycle import NodeStatus, Standing, deployment_phase, phase
from aimindserve.domain.replicas import Deployment, Replica, Wanted, own_lessons
from aimindserve.domain.startup import StartTimes
from aimindserve.server.db.tables import CorrectionRow, DeploymentRow, NodeRow, ReplicaRow


def deployment_of(row: DeploymentRow) -> Deployment:
    """The deployment that a row holds."""
    return Deployment(
        id=row.id,
        spec=row.spec,
        wanted=Wanted(row.wanted),
        generation=row.generation,
        revision=row.revision,
        facts=row.facts,
        relief=row.relief,
        scale=row.scale,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def replica_of(row: ReplicaRow) -> Replica:
    """The replica that a row holds."""
    return Replica(
        id=row.id,
        deployment_id=row.deployment_id,
        generation=row.generation,
        index=row.index,
        spec=row.spec,
        facts=row.facts,
        created_at=row.created_at,
        assignment=row.assignment,
        waiting_for=row.waiting_for,
        stop_revision=row.stop_revision,
        observation=row.observation,
        observed_at=row.observed_at,
        finishing_since=row.finishing_since,
    )


@dataclass(frozen=True)
class World:
    """One consistent look at everything that reconcilers decide on. Rows are for reading only. ``starts``: the
    remembered starts of replicas' models, where answers need them."""

    deployments: tuple[Deployment, ...]
    replicas: tuple[Replica, ...]
    nodes: tuple[NodeRow, ...]
    corrections: Mapping[Family, tuple[Correction, ...]] = field(default_factory=dict[Family, tuple[Correction, ...]])
    starts: Mapping[str, tuple[StartTimes, ...]] = field(default_factory=dict[str, tuple[StartTimes, ...]])

    def learned(self, deployment: Deployment | None) -> Learned:
        """What starts taught: all of them, and those of ``deployment``."""
        return Learned(self.corrections, own_lessons(deployment) if deployment else NOTHING)

    def replicas_of(self, deployment_id: str) -> list[Replica]:
        """The replicas of one deployment, all generations, oldest first."""
        return self._by_deployment.get(deployment_id, [])

    @cached_property
    def _by_deployment(self) -> dict[str, list[Replica]]:
        found: dict[str, list[Replica]] = {}
        for replica in self.replicas:
            found.setdefault(replica.deployment_id, []).append(replica)
        return found

    @cached_property
    def drained(self) -> frozenset[str]:
        """Ids of the nodes that take no new replicas."""
        return frozenset(node.id for node in self.nodes if node.drained_at is not None)

    @cached_property
    def statuses(self) -> dict[str, NodeStatus]:
        """What is known of each node's liveness, by node id."""
        return {node.id: NodeStatus(node.id, node.hostname, node.last_report_at) for node in self.nodes}

    def standing(self, deployment: Deployment, now: float) -> tuple[Standing, list[tuple[Replica, Standing]]]:
        """Where ``deployment`` and each of its replicas stand at ``now``."""
        replicas = standings(self.replicas_of(deployment.id), self.statuses, now)
        return deployment_phase(deployment, replicas), replicas


def standings(
    replicas: Iterable[Replica], nodes: Mapping[str, NodeStatus], now: float
) -> list[tuple[Replica, Standing]]:
    """Each replica with where it stands."""
    return [
        (replica, phase(replica, nodes.get(replica.assignment.node_id) if replica.assignment else None, now))
        for replica in replicas
    ]


async def look(session: AsyncSession) -> World:
    """The whole world, deployments by name, replicas oldest first."""
    deployments = await session.scalars(select(DeploymentRow).order_by(DeploymentRow.name))
    return World(
        deployments=tuple(deployment_of(row) for row in deployments),
        replicas=tuple(await replicas_in(session)),
        nodes=tuple(await session.scalars(select(NodeRow).order_by(NodeRow.id))),
        corrections=await _corrections(session),
    )


async def _corrections(session: AsyncSession) -> dict[Family, tuple[Correction, ...]]:
    found: dict[Family, list[Correction]] = {}
    for row in await session.scalars(select(CorrectionRow).order_by(CorrectionRow.item)):
        family = Family(row.engine, row.engine_version, row.family, row.on_gpu)
        found.setdefault(family, []).append(Correction(item=row.item, factor=row.factor, starts=row.starts))
    return {family: tuple(corrections) for family, corrections in found.items()}


async def replicas_in(session: AsyncSession, deployment_id: str | None = None) -> Sequence[Replica]:
    """All replicas, or those of one deployment, oldest first."""
    query = select(ReplicaRow).order_by(ReplicaRow.created_at, ReplicaRow.index, ReplicaRow.id)
    if deployment_id is not None:
        query = query.where(ReplicaRow.deployment_id == deployment_id)
    return [replica_of(row) for row in await session.scalars(query)]
