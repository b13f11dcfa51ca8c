"""Environments of engines in words and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from aimindserve.domain.drivers import lowest_driver
from aimindserve.domain.environments import (
    Environment,
    EnvironmentOrigin,
    EnvironmentState,
    Variant,
    WantedState,
    environment_actions,
)
from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.reasons import Language
from aimindserve.domain.views_engines import EngineNodeView, EnginesView, EnvironmentView, OfferView
from aimindserve.engines.environment_locks import Offer, offers
from aimindserve.engines.vllm_versions import last_for
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import DeploymentRow, EnvironmentOrderRow, NodeRow, ReplicaRow
from aimindserve.server.errors import reason_view

_VARIANTS = {DeviceKind.NVIDIA: Variant.CUDA, DeviceKind.AMD: Variant.ROCM}


@dataclass(frozen=True)
class Bench:
    """One consistent look: orders by node and key, deployments by replica, nodes."""

    orders: Mapping[tuple[str, str], EnvironmentOrderRow]
    deployments: Mapping[str, str]
    nodes: tuple[NodeRow, ...]


async def look_at_engines(context: ServerContext) -> Bench:
    """What the database knows of engines."""
    async with context.database.read() as session:
        orders = list(await session.scalars(select(EnvironmentOrderRow).order_by(EnvironmentOrderRow.created_at)))
        running = (await session.execute(select(ReplicaRow.id, DeploymentRow.name).join(DeploymentRow))).all()
        nodes = tuple(await session.scalars(select(NodeRow).order_by(NodeRow.hostname, NodeRow.id)))
    return Bench({(one.node_id, one.key): one for one in orders}, {row.id: row.name for row in running}, nodes)


def variant_for(node: NodeRow) -> Variant:
    """What suits a machine: its GPUs', else the CPU's."""
    kinds = [device.kind for device in (node.facts.devices if node.facts else ())]
    return next((_VARIANTS[kind] for kind in kinds if kind in _VARIANTS), Variant.CPU)


async def engines_view(context: ServerContext, language: Language) -> EnginesView:
    """The answer of ``GET /engines``."""
    bench = await look_at_engines(context)
    items: list[EnvironmentView] = []
    for node in bench.nodes:
        report = context.board.reports.get(node.id)
        seen = {one.key: one for one in (report.environments if report else ())}
        for order in bench.orders.values():
            if order.node_id == node.id and order.key not in seen and order.wanted == WantedState.INSTALLED:
                seen[order.key] = ordered_environment(order)
        items += [_view(node, one, bench, language) for one in seen.values()]
    nodes = tuple(EngineNodeView(node_id=one.id, node=one.hostname, variant=variant_for(one)) for one in bench.nodes)
    return EnginesView(items=tuple(items), offers=tuple(_offer_view(one) for one in reversed(offers())), nodes=nodes)


def ordered_environment(order: EnvironmentOrderRow) -> Environment:
    """An order that its node has not told of yet."""
    return Environment(
        key=order.key,
        engine=order.engine,
        version=order.version,
        variant=order.variant or "",
        origin=EnvironmentOrigin.REGISTERED if order.program else EnvironmentOrigin.INSTALLED,
        state=EnvironmentState.QUEUED,
        path=order.program,
    )


def users_of(one: Environment, bench: Bench) -> tuple[str, ...]:
    """Deployments with a replica that runs from an environment."""
    return tuple(sorted({bench.deployments[replica] for replica in one.used_by if replica in bench.deployments}))


def _view(node: NodeRow, one: Environment, bench: Bench, language: Language) -> EnvironmentView:
    order = bench.orders.get((node.id, one.key))
    wanted = WantedState(order.wanted) if order else None
    return EnvironmentView(
        node_id=node.id,
        node=node.hostname,
        **one.model_dump(include={"key", "engine", "version", "variant", "origin", "state", "path", "size", "log"}),
        removing=wanted is WantedState.REMOVED,
        progress=one.progress,
        used_by=users_of(one, bench),
        reasons=(reason_view(one.reason, language),) if one.reason else (),
        allowed_actions=environment_actions(one.state, one.origin, wanted, used=bool(one.used_by)),
    )


def _offer_view(offer: Offer) -> OfferView:
    return OfferView(
        name=str(offer.named),
        engine=offer.engine,
        version=offer.version,
        variant=offer.variant,
        size=offer.size,
        cuda=offer.cuda,
        driver=lowest_driver(offer.cuda) if offer.cuda else None,
        last_for=last_for(offer) if offer.engine == "vllm" else (),
    )
