"""The relief reconciler: the only writer of what follows a start that ran out of memory."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.placement import Level
from aimindserve.domain.reasons import Reason
from aimindserve.domain.relief import Failure, Relief, decide_relief
from aimindserve.domain.replicas import Deployment, Replica, Wanted
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import DeploymentRow, ReplicaRow
from aimindserve.server.reconcile.observe import World, look
from aimindserve.server.reconcile.planning import plan_of

_KINDS = {
    "retried": "deployment.memory_retried",
    "refused": "deployment.memory_refused",
    "spent": "deployment.memory_spent",
}


async def reconcile_relief(context: ServerContext) -> int:
    """Decides on starts that ran out of memory. The decision is stored before anything follows from it, so that a
    restarted server tries no second time. Returns the number of deployments decided on."""
    threads = context.settings.llama_threads
    async with context.database.read() as session:
        # The whole world is read only when somebody ran out of memory.
        world = await look(session) if await _is_anyone_short(session) else None
    if world is None:
        return 0
    changed = 0
    for deployment in _short(world):
        relief = _decision(deployment, world, threads)
        if relief is not None:
            async with context.database.unit_of_work() as work:
                changed += await _store(work, deployment, relief)
    return changed


async def _is_anyone_short(session: AsyncSession) -> bool:
    running = select(ReplicaRow.observation).where(ReplicaRow.stop_revision.is_(None), ReplicaRow.node_id.is_not(None))
    return any(seen is not None and seen.short_of is not None for seen in await session.scalars(running))


def _short(world: World) -> Iterable[Deployment]:
    """Deployments that should run and of which a replica ran out of memory."""
    short = {replica.deployment_id for replica in world.replicas if replica.short_of is not None}
    return [one for one in world.deployments if one.id in short and one.wanted is Wanted.RUNNING]


def _decision(deployment: Deployment, world: World, threads: int | None) -> Relief | None:
    current = (
        replica
        for replica in world.replicas_of(deployment.id)
        if not replica.going and replica.generation == deployment.generation and replica.short_of is not None
    )
    decisions = (_on(replica, deployment, world, threads) for replica in current)
    return next((one for one in decisions if one is not None), None)


def _on(replica: Replica, deployment: Deployment, world: World, threads: int | None) -> Relief | None:
    assignment, seen, item = replica.assignment, replica.observation, replica.short_of
    if assignment is None or seen is None or item is None:
        return None
    node = next((node.facts for node in world.nodes if node.id == assignment.node_id), None)
    plan = plan_of(replica.spec, replica.facts, assignment, node, threads)
    if isinstance(plan, Reason):
        return None
    longest = str(seen.reason.params.get("longest", "")) if seen.reason else ""
    failure = Failure(
        generation=deployment.generation,
        item=item,
        engine=plan.engine,
        parameters=plan.parameters.parameters,
        lessons=assignment.lessons,
        whole=plan.demand.level is Level.WHOLE,
        longest=int(longest) if longest.isdigit() else None,
    )
    return decide_relief(failure, deployment.relief)


async def _store(work: UnitOfWork, seen: Deployment, relief: Relief) -> bool:
    """False when someone else was faster; then it is decided again."""
    query = select(DeploymentRow).where(DeploymentRow.id == seen.id, DeploymentRow.revision == seen.revision)
    row = await work.session.scalar(query)
    if row is None:
        return False
    row.relief, row.revision, row.updated_at = relief, seen.revision + 1, work.now
    change = next(iter(relief.changes), None)
    told = {"parameter": change.flag, "before": change.before, "after": change.after} if change else {}
    work.record(_KINDS[relief.outcome], subject=row.name, deployment=row.name, part=relief.item, **told)
    return True
