"""Orders about engines on nodes. Each is one transaction with its event; the nodes do the rest."""

from collections.abc import Sequence

from sqlalchemy import select

from aimindserve.domain.environments import (
    Environment,
    EnvironmentAction,
    EnvironmentOrigin,
    Variant,
    WantedEnvironment,
    WantedState,
    environment_actions,
)
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views_engines import EnvironmentRef, InstallRequest, OrderedEnvironments, RegisterRequest
from aimindserve.engines.environment_locks import find_offer, offers
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import EnvironmentOrderRow, NodeRow
from aimindserve.server.errors import refuse
from aimindserve.server.features.engines.views import (
    Bench,
    look_at_engines,
    ordered_environment,
    users_of,
    variant_for,
)
from aimindserve.server.reconcile.replicas import raise_desired_revision


async def install(context: ServerContext, body: InstallRequest, actor: str) -> OrderedEnvironments:
    """Orders a version onto nodes.

    Raises:
        RefusedError: no such node, or there is no recipe for it.
    """
    async with context.database.unit_of_work(actor) as work:
        found: list[EnvironmentRef] = []
        for node in await _nodes(work, body.nodes):
            variant = body.variant or variant_for(node)
            _require_offer(body.engine, body.version, variant)
            wanted = WantedEnvironment(engine=body.engine, version=body.version, variant=variant, wheels=body.wheels)
            found.append(await _order(work, node, wanted, "engine.install_ordered"))
        return OrderedEnvironments(items=tuple(found))


async def register(context: ServerContext, body: RegisterRequest, actor: str) -> OrderedEnvironments:
    """Remembers a program; its node checks it.

    Raises:
        RefusedError: no such node, or there are several and none was named.
    """
    engine = "llama.cpp" if body.engine == "llama-box" else body.engine
    async with context.database.unit_of_work(actor) as work:
        nodes = await _nodes(work, (body.node,) if body.node else ())
        if len(nodes) != 1:
            refuse(ReasonCode.NODE_UNKNOWN, wish=", ".join(node.hostname for node in nodes))
        wanted = WantedEnvironment(engine=engine, program=body.path)
        return OrderedEnvironments(items=(await _order(work, nodes[0], wanted, "engine.register_ordered"),))


async def _nodes(work: UnitOfWork, wishes: Sequence[str]) -> list[NodeRow]:
    """The nodes that are meant; all when none is named."""
    nodes = list(await work.session.scalars(select(NodeRow).order_by(NodeRow.id)))
    for wish in wishes:
        if not any(wish in (node.id, node.hostname) for node in nodes):
            refuse(ReasonCode.NODE_UNKNOWN, wish=wish)
    return [node for node in nodes if not wishes or {node.id, node.hostname} & set(wishes)]


def _require_offer(engine: str, version: str, variant: Variant) -> None:
    if find_offer(engine, version, variant) is None:
        known = ", ".join(str(one.named) for one in reversed(offers()))
        refuse(ReasonCode.ENVIRONMENT_UNKNOWN, engine=f"{engine}=={version}+{variant}", known=known)


async def _order(work: UnitOfWork, node: NodeRow, wanted: WantedEnvironment, kind: str) -> EnvironmentRef:
    row = await work.session.get(EnvironmentOrderRow, (node.id, wanted.key))
    if row is None:
        row = EnvironmentOrderRow(node_id=node.id, key=wanted.key, attempt=0, created_at=work.now)
        work.session.add(row)
    row.engine, row.version, row.variant = wanted.engine, wanted.version, wanted.variant
    row.program, row.wheels, row.wanted = wanted.program, wanted.wheels, WantedState.INSTALLED
    row.attempt, row.updated_at = row.attempt + 1, work.now
    await work.session.flush()
    await raise_desired_revision(work, node.id)
    work.record(kind, subject=wanted.key, node=node.id, path=wanted.program)
    return EnvironmentRef(node_id=node.id, node=node.hostname, key=wanted.key)


async def retry(context: ServerContext, node_id: str, key: str, actor: str) -> None:
    """Has a failed installation or check tried again.

    Raises:
        RefusedError: there is none, or it did not fail.
    """
    await _require(context, node_id, key, EnvironmentAction.RETRY)
    async with context.database.unit_of_work(actor) as work:
        row = await _ordered(work, node_id, key)
        row.attempt, row.updated_at = row.attempt + 1, work.now
        await _told(work, row, "engine.retry_ordered")


async def cancel(context: ServerContext, node_id: str, key: str, actor: str) -> None:
    """Ends an installation, or takes a failed one off the list.

    Raises:
        RefusedError: there is none on its way.
    """
    await _require(context, node_id, key, EnvironmentAction.CANCEL)
    async with context.database.unit_of_work(actor) as work:
        row = await _ordered(work, node_id, key)
        await work.session.delete(row)
        await _told(work, row, "engine.cancelled")


async def remove(context: ServerContext, node_id: str, key: str, actor: str) -> None:
    """Removes an environment from its node, or forgets a registered program.

    Raises:
        RefusedError: there is none, a replica runs from it, or it is not ours.
    """
    one, bench = await _find(context, node_id, key)
    if one.origin is EnvironmentOrigin.REGISTERED:
        _check(one, bench, node_id, EnvironmentAction.FORGET)
        async with context.database.unit_of_work(actor) as work:
            row = await _ordered(work, node_id, key)
            await work.session.delete(row)
            await _told(work, row, "engine.forgotten")
        return
    _check(one, bench, node_id, EnvironmentAction.REMOVE)
    async with context.database.unit_of_work(actor) as work:
        row = await work.session.get(EnvironmentOrderRow, (node_id, key))
        if row is None:
            row = EnvironmentOrderRow(
                node_id=node_id, key=key, engine=one.engine, version=one.version, attempt=1, created_at=work.now
            )
            work.session.add(row)
        row.wanted, row.updated_at = WantedState.REMOVED, work.now
        await _told(work, row, "engine.remove_ordered")


async def _told(work: UnitOfWork, row: EnvironmentOrderRow, kind: str) -> None:
    """The end of every change: the node hears of it, and so do people."""
    await work.session.flush()
    await raise_desired_revision(work, row.node_id)
    work.record(kind, subject=row.key, node=row.node_id)


async def _ordered(work: UnitOfWork, node_id: str, key: str) -> EnvironmentOrderRow:
    row = await work.session.get(EnvironmentOrderRow, (node_id, key))
    return row or refuse(ReasonCode.NOT_FOUND, kind="engine", name=key)


async def _find(context: ServerContext, node_id: str, key: str) -> tuple[Environment, Bench]:
    bench = await look_at_engines(context)
    seen, order = context.board.environment(node_id, key), bench.orders.get((node_id, key))
    found = seen or (ordered_environment(order) if order else None)
    return found or refuse(ReasonCode.NOT_FOUND, kind="engine", name=key), bench


async def _require(context: ServerContext, node_id: str, key: str, action: EnvironmentAction) -> None:
    one, bench = await _find(context, node_id, key)
    _check(one, bench, node_id, action)


def _check(one: Environment, bench: Bench, node_id: str, action: EnvironmentAction) -> None:
    order = bench.orders.get((node_id, one.key))
    wanted = WantedState(order.wanted) if order else None
    if action in environment_actions(one.state, one.origin, wanted, used=bool(one.used_by)):
        return
    if one.used_by and action in (EnvironmentAction.REMOVE, EnvironmentAction.FORGET):
        name, users = f"{one.engine} {one.version}", ", ".join(users_of(one, bench) or one.used_by)
        refuse(ReasonCode.ENVIRONMENT_IN_USE, engine=name, deployments=users)
    refuse(ReasonCode.ACTION_NOT_ALLOWED, name=one.key, action=action, phase=one.state)
