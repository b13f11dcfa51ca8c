"""The placement reconciler: the only writer of assignments and of what a replica waits for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update

from aimindserve.domain.lifecycle import NodeStatus
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.reasons import Reason
from aimindserve.domain.replicas import Assignment, Replica
from aimindserve.domain.rooms import fleet_of
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import NodeRow, ReplicaRow
from aimindserve.server.reconcile.observe import World, look
from aimindserve.server.reconcile.place_search import Demands, Placed, search
from aimindserve.server.reconcile.replicas import raise_desired_revision


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a replica without a device."""

    replica: Replica
    result: Placed | Reason

    @property
    def is_news(self) -> bool:
        """Whether it differs from what is stored."""
        return isinstance(self.result, Placed) or _told_of(self.result) != _told_of(self.replica.waiting_for)


def _told_of(why: Reason | None) -> tuple[object, ...]:
    """What is worth an event: how much is free changes from second to second."""
    return (why.code, {**why.params, "free": None, "largest": None}) if why else ()


def live_nodes(world: World, now: float) -> list[NodeFacts]:
    """Facts of the nodes that were heard of lately, with what the server adds to them."""
    return [
        _told_here(node, node.facts)
        for node in world.nodes
        if node.facts is not None
        and node.last_report_at is not None
        and NodeStatus(node.id, node.hostname, node.last_report_at).silent_for(now) is None
    ]


def _told_here(node: NodeRow, facts: NodeFacts) -> NodeFacts:
    if not node.labels and node.drained_at is None:
        return facts
    labels = {**facts.labels, **node.labels}
    return facts.model_copy(update={"labels": labels, "drained": node.drained_at is not None})


def decide(world: World, now: float, threads: int | None) -> list[Decision]:
    """A device or a reason for each replica that has none, oldest first; what one gets is not there for the next."""
    waiting = [replica for replica in world.replicas if replica.assignment is None and not replica.stopping]
    if not waiting:
        return []
    fleet = fleet_of(live_nodes(world, now), world.replicas)
    siblings = _places(world.replicas)
    owners = {deployment.id: deployment for deployment in world.deployments}
    demands: dict[tuple[str, int], Demands] = {}
    decisions: list[Decision] = []
    for replica in waiting:
        copies = siblings.setdefault(replica.deployment_id, Counter())
        known = demands.setdefault((replica.deployment_id, replica.generation), {})
        learned = world.learned(owners.get(replica.deployment_id))
        found = search(replica.spec, replica.facts, fleet, threads, copies, known, learned)
        decisions.append(Decision(replica, found))
        if isinstance(found, Placed):
            fleet.book(found.assignment)
            copies[found.assignment.node_id] += 1
    return decisions


def _places(replicas: Sequence[Replica]) -> dict[str, Counter[str]]:
    """How many replicas of each deployment each node has."""
    found: dict[str, Counter[str]] = {}
    for replica in replicas:
        if replica.assignment is not None and not replica.going:
            found.setdefault(replica.deployment_id, Counter())[replica.assignment.node_id] += 1
    return found


async def reconcile_placement(context: ServerContext) -> int:
    """Gives devices to replicas that wait for one. Returns the number of rows changed.

    Memory is never booked twice: the decision is taken again inside the transaction, and writers come one by one.
    """
    threads = context.settings.llama_threads
    async with context.database.read() as session:
        world = await look(session)
    if not any(decision.is_news for decision in decide(world, context.clock(), threads)):
        return 0
    changed = 0
    async with context.database.unit_of_work() as work:
        world = await look(work.session)
        names = {deployment.id: deployment.spec.name for deployment in world.deployments}
        for decision in decide(world, work.now, threads):
            if decision.is_news:
                await _apply(work, decision, names[decision.replica.deployment_id])
                changed += 1
    return changed


async def _apply(work: UnitOfWork, decision: Decision, deployment: str) -> None:
    replica, result = decision.replica, decision.result
    if isinstance(result, Reason):
        await _write(work, replica, waiting_for=result)
        work.record("replica.waiting", subject=replica.id, deployment=deployment, reason=result.code)
        return
    assignment: Assignment = result.assignment
    await _write(work, replica, assignment=assignment, node_id=assignment.node_id, waiting_for=None)
    await raise_desired_revision(work, assignment.node_id)
    work.record("replica.placed", subject=replica.id, deployment=deployment, node=assignment.node_id)


async def _write(work: UnitOfWork, replica: Replica, **values: object) -> None:
    await work.session.execute(
        update(ReplicaRow)
        .where(ReplicaRow.id == replica.id, ReplicaRow.node_id.is_(None), ReplicaRow.stop_revision.is_(None))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
