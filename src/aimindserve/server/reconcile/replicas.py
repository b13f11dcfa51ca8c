"""The replica reconciler: the only writer of replicas' identity and of stop orders."""

from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy import delete, select, update

from aimindserve.domain.replicas import Deployment, Replica, ReplicaPlan, Wanted, decide_replicas, may_finish
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import DeploymentRow, NodeRow, ReplicaRow
from aimindserve.server.reconcile.observe import deployment_of, look, replicas_in
from aimindserve.server.tokens import new_id

IsIdle = Callable[[str], bool]


def _nobody_asks(_: str) -> bool:
    return True


async def reconcile_replicas(context: ServerContext, is_idle: IsIdle = _nobody_asks) -> int:
    """Makes and stops replicas so that each deployment has those that it wants, and removes deleted deployments that
    have none left. ``is_idle``: whether a replica (id) has no answer to end and gets no more requests. Returns the
    number of deployments changed; 0 means that all was as wanted."""
    async with context.database.read() as session:
        world = await look(session)
    unsettled = [
        deployment
        for deployment in world.deployments
        if _plan(deployment, world.replicas_of(deployment.id), world.drained)
        or _is_over(deployment, world.replicas_of(deployment.id))
    ]
    changed = 0
    for deployment in unsettled:
        async with context.database.unit_of_work() as work:
            changed += await _settle(work, deployment, is_idle)
    return changed


def _plan(deployment: Deployment, replicas: Sequence[Replica], drained: Collection[str]) -> ReplicaPlan:
    return ReplicaPlan() if deployment.facts is None else decide_replicas(deployment, replicas, drained)


def _is_over(deployment: Deployment, replicas: Iterable[object]) -> bool:
    return deployment.wanted is Wanted.DELETED and not list(replicas)


async def _settle(work: UnitOfWork, seen: Deployment, is_idle: IsIdle) -> bool:
    """Decides again on what the transaction sees, and acts; False when someone else was faster."""
    row = await work.session.scalar(
        select(DeploymentRow).where(DeploymentRow.id == seen.id, DeploymentRow.revision == seen.revision)
    )
    if row is None:
        return False
    deployment = deployment_of(row)
    replicas = list(await replicas_in(work.session, deployment.id))
    if _is_over(deployment, replicas):
        await work.session.delete(row)
        work.record("deployment.deleted", subject=row.name, deployment=row.name)
        return True
    drained = set(await work.session.scalars(select(NodeRow.id).where(NodeRow.drained_at.is_not(None))))
    plan = _plan(deployment, replicas, drained)
    _create(work, deployment, plan)
    await _remove(work, deployment, plan)
    stopped = await _stop(work, deployment, [one for one in replicas if one.id in plan.stop], is_idle)
    return bool(plan.create or plan.remove or stopped)


def _create(work: UnitOfWork, deployment: Deployment, plan: ReplicaPlan) -> None:
    for index in plan.create:
        row = ReplicaRow(
            id=new_id(),
            deployment_id=deployment.id,
            generation=deployment.generation,
            index=index,
            spec=deployment.spec,
            facts=deployment.facts,
            created_at=work.now,
        )
        work.session.add(row)
        name = deployment.spec.name
        work.record("replica.created", subject=row.id, deployment=name, generation=row.generation, index=index)


async def _remove(work: UnitOfWork, deployment: Deployment, plan: ReplicaPlan) -> None:
    """Replicas that no node ever heard of go at once."""
    for replica_id in plan.remove:
        await work.session.execute(delete(ReplicaRow).where(ReplicaRow.id == replica_id, ReplicaRow.node_id.is_(None)))
        work.record("replica.removed", subject=replica_id, deployment=deployment.spec.name)


async def _stop(work: UnitOfWork, deployment: Deployment, unwanted: Sequence[Replica], is_idle: IsIdle) -> bool:
    """Stop orders for those that have no answer to end any more, or no time; the others get no new requests."""
    name, changed = deployment.spec.name, False
    for replica in unwanted:
        row = await work.session.get_one(ReplicaRow, replica.id)
        if not may_finish(replica, work.now, is_idle=is_idle(replica.id)):
            row.stop_revision = await raise_desired_revision(work, row.node_id or "")
            work.record("replica.stop_ordered", subject=row.id, deployment=name, node=row.node_id)
        elif replica.finishing_since is None:
            row.finishing_since = work.now
            work.record("replica.finishing", subject=row.id, deployment=name, node=row.node_id)
        else:
            continue
        changed = True
    return changed


async def raise_desired_revision(work: UnitOfWork, node_id: str) -> int:
    """The next desired revision of a node. Part of every transaction that changes what the node should run."""
    revision = await work.session.scalar(
        update(NodeRow)
        .where(NodeRow.id == node_id)
        .values(desired_revision=NodeRow.desired_revision + 1)
        .returning(NodeRow.desired_revision)
        .execution_options(synchronize_session=False)
    )
    if revision is None:
        raise LookupError(f"node {node_id} has no row")
    return revision
